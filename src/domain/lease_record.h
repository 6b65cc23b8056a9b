// The annotations that a leader puts on a Lease, so that followers know which bytes to expect in
// their mount: read strictly here, and planned for `publish`. A barrier for synchronisation, not a
// signature: whoever may patch the Lease can forge them.
// Pure; keeps no copy of any key. The caller owns the Lease, its watch and the patch.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "domain/digest.h"
#include "domain/json.h"

namespace certlatch {

constexpr std::string_view kDefaultAnnotationPrefix = "kubetemplater.io";

// The bytes of the files of one pair; an absent one has no data() (nullptr), an empty one has.
struct PairBytes {
  std::string_view cert;
  std::string_view key;
  std::string_view ca;
};

// Over tls.crt, tls.key and ca.crt as far as present, each as its name and its value, both behind
// their lengths of 64 bits, most significant byte first. The names are those of the Secret's keys,
// whatever the files are called in a mount.
Digest BundleDigest(const PairBytes& bytes);

// What a source (a Lease, a Secret) says should be mounted.
struct Expected {
  // Whether there is a digest to compare with; without, `problem` says why not.
  bool known = false;
  Digest cert_hash = {};                // of the raw bytes of tls.crt
  std::optional<Digest> bundle;         // BundleDigest, if it belongs to this cert_hash
  std::optional<WallTime> valid_until;  // the leaf's notAfter
  // Not known: why; known: what of it cannot be used, "" for nothing. One printable line.
  std::string problem;

  bool operator==(const Expected&) const = default;
};

// `annotations` is the Lease's metadata.annotations. Known only if cert-ready is "true" and
// cert-hash has 64 lowercase hex digits; a time that is not RFC 3339 with a Z, and a bundle-hash
// that is malformed or belongs to another certificate, are left out.
Expected ReadLeaseAnnotations(const Json& annotations, std::string_view prefix);

// What a publisher has verified, and may tell.
struct Publication {
  Digest cert_hash = {};
  std::optional<Digest> bundle;  // only with a private key: no oracle for secrets one can guess
  WallTime not_after;

  bool operator==(const Publication&) const = default;
};

// The body of a JSON merge patch (RFC 7386) of the Lease, with only the annotations that are
// missing, malformed or older than `ours` by notAfter; "" if there is nothing to do. What another
// publisher wrote stays if its certificate lives as long or longer, and so does another bundle-hash
// of the same certificate: this one's source may lag. Only a record that still is what this
// publisher wrote itself (`last_written`) is replaced in any case.
std::string PlanPublish(const Json& annotations, std::string_view prefix, const Publication& ours,
                        const std::optional<Publication>& last_written);

}  // namespace certlatch
