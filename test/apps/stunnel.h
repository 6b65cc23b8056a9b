// Stunnel terminates TLS in front of nothing: the handshake is all that is asked of it.
#pragma once

#include "test/apps/app.h"

namespace certlatch::test {

class Stunnel : public App {
 public:
  explicit Stunnel(const TlsVolume& volume);
};

}  // namespace certlatch::test
