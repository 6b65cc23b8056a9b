// Haproxy terminates TLS in master-worker mode, where USR2 makes the master start itself anew.
#pragma once

#include "test/apps/app.h"

namespace certlatch::test {

class Haproxy : public App {
 public:
  explicit Haproxy(const TlsVolume& volume);
};

}  // namespace certlatch::test
