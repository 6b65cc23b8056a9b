// Stub is stub_app: what it does at a HUP is the test's to say, and it counts them.
#pragma once

#include <csignal>
#include <string_view>

#include "test/apps/app.h"

namespace certlatch::test {

class Stub : public App {
 public:
  // Modes: stub_app.cc.
  Stub(const TlsVolume& volume, std::string_view mode, uint16_t port = FreePort());

  size_t Hups() const;
  bool GotHups(size_t count) const;                    // so many or more, soon
  void LoadNow() const { process().Signal(SIGUSR1); }  // mode "late"
};

}  // namespace certlatch::test
