#include "domain/lease_record.h"

#include <array>
#include <cstdint>

#include "base/text.h"
#include "base/wall_time.h"

namespace certlatch {
namespace {

enum Annotation { kReady, kHash, kValidUntil, kBundle, kAnnotations };
constexpr std::string_view kNames[kAnnotations] = {"/cert-ready", "/cert-hash", "/cert-valid-until",
                                                   "/bundle-hash"};
constexpr std::string_view kTrue = "true";
constexpr size_t kHexSize = 2 * sizeof(Digest);
constexpr size_t kMaxTime = 40;  // nine digits of a second's fraction, and room

std::string Name(std::string_view prefix, Annotation annotation) {
  std::string name(prefix);
  name += kNames[annotation];
  return name;
}

std::optional<Digest> ParseDigest(std::string_view hex) {
  if (hex.size() != kHexSize) return std::nullopt;
  Digest digest;
  for (size_t i = 0; i < digest.size(); ++i) {
    const auto high = HexValue(hex[2 * i]);
    const auto low = HexValue(hex[2 * i + 1]);
    if (!high || !low) return std::nullopt;
    digest[i] = static_cast<uint8_t>(*high << 4 | *low);
  }
  return digest;
}

std::optional<WallTime> ParseUtc(std::string_view text) {
  if (text.size() > kMaxTime || !text.ends_with('Z')) return std::nullopt;
  const Result<WallTime> time = ParseWallTime(text);
  if (!time) return std::nullopt;
  return *time;
}

// "<cert-hash>:<hex>"; nothing unless the first half is `cert_hash`: a leader that knows no
// bundle-hash may have written the others since.
std::optional<Digest> ParseBundle(std::string_view text, const Digest& cert_hash) {
  if (text.size() != 2 * kHexSize + 1 || text[kHexSize] != ':') return std::nullopt;
  if (ParseDigest(text.substr(0, kHexSize)) != cert_hash) return std::nullopt;
  return ParseDigest(text.substr(kHexSize + 1));
}

struct LengthBytes {
  explicit LengthBytes(size_t size) {
    for (size_t i = 0; i < sizeof(bytes); ++i) {
      bytes[sizeof(bytes) - 1 - i] = static_cast<char>(uint64_t{size} >> (8 * i) & 0xff);
    }
  }
  std::string_view View() const { return {bytes, sizeof(bytes)}; }
  char bytes[8];
};

}  // namespace

Digest BundleDigest(const PairBytes& bytes) {
  const std::string_view names[] = {"tls.crt", "tls.key", "ca.crt"};
  const std::string_view values[] = {bytes.cert, bytes.key, bytes.ca};
  const LengthBytes name_lengths[] = {LengthBytes(names[0].size()), LengthBytes(names[1].size()),
                                      LengthBytes(names[2].size())};
  const LengthBytes value_lengths[] = {LengthBytes(values[0].size()), LengthBytes(values[1].size()),
                                       LengthBytes(values[2].size())};
  std::array<std::string_view, 12> parts;
  size_t count = 0;
  for (size_t i = 0; i < 3; ++i) {
    if (values[i].data() == nullptr) continue;
    parts[count++] = name_lengths[i].View();
    parts[count++] = names[i];
    parts[count++] = value_lengths[i].View();
    parts[count++] = values[i];
  }
  return Sha256(std::span(parts).first(count));
}

Expected ReadLeaseAnnotations(const Json& annotations, std::string_view prefix) {
  const auto value = [&](Annotation annotation) {
    return annotations[Name(prefix, annotation)].AsString();
  };
  Expected expected;
  const std::optional<Digest> hash = ParseDigest(value(kHash));
  if (value(kReady) != kTrue) {
    expected.problem = "its annotation " + Name(prefix, kReady) + " is not \"true\"";
    return expected;
  }
  if (!hash) {
    expected.problem = "its annotation " + Name(prefix, kHash) + " is not a SHA-256 in hex";
    return expected;
  }
  expected.known = true;
  expected.cert_hash = *hash;
  expected.bundle = ParseBundle(value(kBundle), *hash);
  expected.valid_until = ParseUtc(value(kValidUntil));
  if (!expected.valid_until) {
    expected.problem = "its annotation " + Name(prefix, kValidUntil) + " is not a time in UTC";
  }
  return expected;
}

std::string PlanPublish(const Json& annotations, std::string_view prefix, const Publication& ours,
                        const std::optional<Publication>& last_written) {
  const std::string hash = HexLower(ours.cert_hash);
  const std::string wanted[kAnnotations] = {
      std::string(kTrue), hash, FormatWallTime(ours.not_after),
      ours.bundle ? hash + ":" + HexLower(*ours.bundle) : std::string()};
  const auto present = [&](Annotation annotation) {
    return annotations[Name(prefix, annotation)].AsString();
  };
  const std::optional<Digest> hash_there = ParseDigest(present(kHash));
  const std::optional<WallTime> end_there = ParseUtc(present(kValidUntil));
  const std::optional<Digest> bundle_there =
      hash_there ? ParseBundle(present(kBundle), *hash_there) : std::nullopt;
  const bool is_own =
      last_written && hash_there == last_written->cert_hash && bundle_there == last_written->bundle;
  const bool same_pair = hash_there == ours.cert_hash;
  if (hash_there && !same_pair && !is_own && end_there && *end_there >= ours.not_after) return "";
  std::string body;
  for (const Annotation annotation : {kReady, kHash, kValidUntil, kBundle}) {
    const std::string& want = wanted[annotation];
    if (want.empty() || present(annotation) == want) continue;
    if (annotation == kBundle && same_pair && bundle_there && !is_own) continue;
    body += body.empty() ? "{\"metadata\":{\"annotations\":{" : ",";
    body += JsonQuote(Name(prefix, annotation)) + ":" + JsonQuote(want);
  }
  return body.empty() ? body : body + "}}}";
}

}  // namespace certlatch
