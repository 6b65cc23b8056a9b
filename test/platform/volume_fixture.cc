#include "test/platform/volume_fixture.h"

#include "base/text.h"

namespace certlatch {
namespace {

std::string FirstLine(const VolumeFile& file) {
  if (!file.missing.empty()) return "missing";
  return std::string(Split(file.bytes.Reveal(), '\n')[0]);
}

}  // namespace

test::Payload Generation(int serial) {
  const std::string text = std::to_string(serial);
  const auto filled = [&](size_t size) { return text + "\n" + std::string(size, 'x'); };
  const auto more = static_cast<size_t>(serial) % 7;
  return {{"tls.crt", filled(5000 + more)}, {"tls.key", filled(1700 - more)}, {"ca.crt", text}};
}

std::string Describe(const Result<VolumeSnapshot>& read) {
  if (!read) return read.error().text;
  std::string all;
  bool differs = false;
  for (const VolumeFile& file : read->files) {
    const std::string line = FirstLine(file);
    differs = differs || line != FirstLine(read->files[0]);
    all += (all.empty() ? "" : " ") + line;
  }
  return differs ? all : FirstLine(read->files[0]);
}

}  // namespace certlatch
