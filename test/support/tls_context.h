// MakeServerContext turns PEM texts into OpenSSL's server context; LeafServedOn is a client.
// The caller owns it through the pointer; it is not changed afterwards, so threads may share it.
// Aborts with OpenSSL's reason where the settings are unusable: a mistake of the test.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>

#include "test/support/scripted_server.h"

namespace certlatch::test {

std::shared_ptr<SSL_CTX> MakeServerContext(const TlsSettings& settings);

// SHA-256 of the leaf that the server at the other end of a connection serves, as CertFingerprint
// has it; "": none. Blocks as the socket does.
std::string LeafServedOn(int fd);

}  // namespace certlatch::test
