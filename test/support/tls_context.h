// MakeServerContext turns PEM texts into OpenSSL's server context.
// The caller owns it through the pointer; it is not changed afterwards, so threads may share it.
// Aborts with OpenSSL's reason where the settings are unusable: a mistake of the test.
#pragma once

#include <openssl/types.h>

#include <memory>

#include "test/support/scripted_server.h"

namespace certlatch::test {

std::shared_ptr<SSL_CTX> MakeServerContext(const TlsSettings& settings);

}  // namespace certlatch::test
