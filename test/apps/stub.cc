#include "test/apps/stub.h"

#include "test/system/certlatch_run.h"

namespace certlatch::test {

Stub::Stub(const TlsVolume& volume, std::string_view mode, uint16_t port) : App(Talk::kTls, port) {
  Start({CERTLATCH_STUB_APP, std::to_string(port), volume.path(), std::string(mode)});
}

size_t Stub::Hups() const { return CountOf(process().Out(), "hup "); }

bool Stub::GotHups(size_t count) const {
  return process().WaitForStdout("hup " + std::to_string(count) + "\n", kPatience);
}

}  // namespace certlatch::test
