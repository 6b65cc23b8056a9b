#include "domain/mounted_pair.h"

#include <arpa/inet.h>

#include <iterator>

#include "base/duration.h"
#include "base/text.h"
#include "base/wall_time.h"

namespace certlatch {
namespace {

constexpr size_t kMaxNamed = 5;  // alternative names in a message

std::string Missing(std::string_view name) {
  return Format("%.*s is missing", Length(name), name.data());
}

// An address in its bytes; "": `text` is none.
std::string AddressBytes(const std::string& text) {
  char bytes[sizeof(in6_addr)];
  if (inet_pton(AF_INET, text.c_str(), bytes) == 1) return {bytes, sizeof(in_addr)};
  if (inet_pton(AF_INET6, text.c_str(), bytes) == 1) return {bytes, sizeof(in6_addr)};
  return "";
}

// The wildcard stands for exactly one whole label, the first.
bool MatchesWildcard(std::string_view pattern, std::string_view name) {
  if (!pattern.starts_with("*.") || pattern.size() == 2) return false;
  const size_t dot = name.find('.');
  return dot != name.npos && dot > 0 && EqualIgnoringCase(pattern.substr(1), name.substr(dot));
}

// "a, b and 3 more"
std::string NamesOf(const CertFacts& leaf) {
  std::string text;
  size_t count = 0;
  for (const auto* names : {&leaf.dns_names, &leaf.ip_addresses}) {
    for (const std::string& name : *names) {
      if (++count > kMaxNamed) continue;
      text.append(count > 1 ? ", " : "").append(name);
    }
  }
  if (count > kMaxNamed) text += Format(" and %zu more", count - kMaxNamed);
  return count == 0 ? "nothing" : text;
}

std::string ProblemOf(const PairBytes& bytes, const PairRules& rules, ExaminedPair& pair) {
  if (bytes.cert.data() == nullptr) return Missing(rules.names.cert);
  if (bytes.key.data() == nullptr) return Missing(rules.names.key);
  const Result<CertFacts> leaf = CheckPair(bytes.cert, bytes.key, rules.names);
  if (!leaf) return leaf.error().text;
  pair.key_kind = leaf->key_kind;
  pair.mounted.leaf = {leaf->sha256, leaf->not_before, leaf->not_after};
  if (rules.require_name.empty() || LeafNames(*leaf, rules.require_name)) return "";
  return Format("%.*s is not for %s, which --require-name asks for; its alternative names: %s",
                Length(rules.names.cert), rules.names.cert.data(),
                Printable(rules.require_name, 256).c_str(), NamesOf(*leaf).c_str());
}

}  // namespace

ExaminedPair ExaminePair(const PairBytes& bytes, const PairRules& rules) {
  ExaminedPair pair;
  Mounted& mounted = pair.mounted;
  mounted.readable = true;
  mounted.digest = BundleDigest(bytes);
  mounted.pair_digest = BundleDigest({bytes.cert, bytes.key, {}});
  if (bytes.cert.data() != nullptr) mounted.cert_hash = Sha256(bytes.cert);
  mounted.all_files =
      bytes.cert.data() != nullptr && bytes.key.data() != nullptr && bytes.ca.data() != nullptr;
  mounted.problem = ProblemOf(bytes, rules, pair);
  // Where the issuer has not told its CA, ca.crt may be there and empty.
  if (!mounted.problem.empty() || bytes.ca.empty()) return pair;
  const Status issuers = CheckIssuers(bytes.cert, bytes.ca, rules.names.cert, rules.ca_name);
  if (!issuers) mounted.warning = issuers.error().text;
  return pair;
}

PairBytes BytesOf(const VolumeSnapshot& snapshot) {
  PairBytes bytes;
  std::string_view* const views[] = {&bytes.cert, &bytes.key, &bytes.ca};
  for (size_t i = 0; i < snapshot.files.size() && i < std::size(views); ++i) {
    const VolumeFile& file = snapshot.files[i];
    if (file.missing.empty()) *views[i] = file.bytes.Reveal();
  }
  return bytes;
}

ExaminedPair ExamineFiles(const VolumeSnapshot& snapshot, const PairRules& rules,
                          std::initializer_list<const ExaminedPair*> known) {
  const PairBytes bytes = BytesOf(snapshot);
  const Digest digest = BundleDigest(bytes);
  for (const ExaminedPair* const one : known) {
    const Mounted& mounted = one->mounted;
    if (mounted.readable && mounted.problem.empty() && mounted.digest == digest) return *one;
  }
  const bool misses = bytes.cert.data() == nullptr || bytes.key.data() == nullptr;
  ExaminedPair pair = ExaminePair(bytes, rules);
  if (misses) {
    pair.mounted.problem += Format("; the volume holds %s: --cert-file/--key-file can name others",
                                   Printable(snapshot.holds, 500).c_str());
  }
  return pair;
}

std::string ProblemAt(const Mounted& pair, WallTime now, Duration min_validity) {
  if (!pair.readable || !pair.problem.empty()) return pair.problem;
  CertFacts dates;
  dates.not_before = pair.leaf.not_before;
  dates.not_after = pair.leaf.not_after;
  const std::string end = FormatWallTime(dates.not_after);
  switch (CheckValidity(dates, now, min_validity).validity) {
    case Validity::kValid:
      break;
    case Validity::kExpired:
      return Format("the certificate expired at %s", end.c_str());
    case Validity::kNotYetValid:
      return Format("the certificate is not valid before %s",
                    FormatWallTime(dates.not_before).c_str());
    case Validity::kTooShort:
      if (min_validity <= Duration::zero()) break;  // its last second
      return Format(
          "the certificate is valid only until %s, less than the %s that --min-validity asks for",
          end.c_str(), RoughDuration(min_validity).c_str());
  }
  return "";
}

bool LeafNames(const CertFacts& leaf, std::string_view name) {
  const std::string address = AddressBytes(std::string(name));
  if (!address.empty()) {
    for (const std::string& other : leaf.ip_addresses) {
      if (AddressBytes(other) == address) return true;
    }
    return false;
  }
  if (name.ends_with('.')) name.remove_suffix(1);
  for (const std::string& pattern : leaf.dns_names) {
    if (EqualIgnoringCase(pattern, name) || MatchesWildcard(pattern, name)) return true;
  }
  return false;
}

}  // namespace certlatch
