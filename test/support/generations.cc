#include "test/support/generations.h"

#include <array>

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
  const auto issue = [](int its_number) { return Authority().Issue(GenerationSpec(its_number)); };
  static const std::array<PemPair, 4> pairs = {issue(0), issue(1), issue(2), issue(3)};
  return pairs.at(static_cast<size_t>(number));
}

}  // namespace certlatch::test
