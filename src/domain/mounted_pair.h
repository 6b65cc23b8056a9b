// ExamineFiles turns the bytes of a mounted (or read) certificate, key and CA into what the state
// machine decides by: whether the pair may be used, its digests, its leaf. Pure; any bytes may come
// in; keeps no copy of the key. The dates are left to whoever has a clock.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/result.h"
#include "domain/cert_pair.h"
#include "domain/reload.h"
#include "domain/volume_snapshot.h"

namespace certlatch {

// What a pair must be beside its own, and what its files are called in messages.
struct PairRules {
  std::string require_name;  // a DNS name or an IP address that the leaf must have; "": any
  PairNames names;
  std::string_view ca_name = "ca.crt";
};

struct ExaminedPair {
  Mounted mounted;                     // readable; `appeared` is not set
  KeyKind key_kind = KeyKind::kOther;  // what a server shows only to those who ask for it
};

// `bytes` as Secrets and mounts hold them: absent ones have no data().
ExaminedPair ExaminePair(const PairBytes& bytes, const PairRules& rules);

// The bytes of a reading of certificate, key and CA, in this order; views into it.
PairBytes BytesOf(const VolumeSnapshot& snapshot);

// The same of a reading of certificate, key and CA, in this order. Without the certificate or the
// key the problem names what is missing and what there is instead. `known` are earlier verdicts by
// the same rules: the same bytes are the same pair, and cost no signatures.
ExaminedPair ExamineFiles(const VolumeSnapshot& snapshot, const PairRules& rules,
                          std::initializer_list<const ExaminedPair*> known = {});

// Why the pair must not be used at `now`, or not for `min_validity` longer; "": it may.
std::string ProblemAt(const Mounted& pair, WallTime now, Duration min_validity = {});

// Whether the leaf names `name` in its subjectAltName: a DNS name, also by a wildcard for its first
// label (RFC 6125 section 6.4.3), or an IP address.
bool LeafNames(const CertFacts& leaf, std::string_view name);

}  // namespace certlatch
