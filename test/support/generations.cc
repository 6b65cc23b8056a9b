#include "test/support/generations.h"

#include <vector>

namespace certlatch::test {

CertSpec GenerationSpec(int number) {
  constexpr WallTime kStart{std::chrono::seconds(1'800'000'000)};  // FakeHost's
  CertSpec spec;
  spec.dns_names = {"web.example"};
  spec.not_before_at = kStart - std::chrono::hours(240);
  spec.not_after_at = kStart + std::chrono::hours(24 * (100 + number));
  return spec;
}

const PemPair& Generation(int number) {
  static const std::vector<PemPair> pairs = [] {
    std::vector<PemPair> made;
    for (int i = 0; i < 4; ++i) made.push_back(Authority().Issue(GenerationSpec(i)));
    return made;
  }();
  return pairs.at(static_cast<size_t>(number));
}

}  // namespace certlatch::test
