#include "test/apps/stunnel.h"

namespace certlatch::test {
namespace {

constexpr char kConfiguration[] = R"(foreground = yes
pid =
[tls]
accept = 127.0.0.1:$port
connect = 127.0.0.1:1
cert = $volume/tls.crt
key = $volume/tls.key
)";

}  // namespace

Stunnel::Stunnel(const TlsVolume& volume) {
  Write("stunnel.conf",
        Fill(kConfiguration, {{"$port", std::to_string(port())}, {"$volume", volume.path()}}));
  Start({"/usr/bin/stunnel4", File("stunnel.conf")});
}

}  // namespace certlatch::test
