#include "test/apps/haproxy.h"

namespace certlatch::test {
namespace {

// Without the option on the second line, the key of tls.crt would have to be tls.crt.key.
constexpr char kConfiguration[] = R"(global
  ssl-load-extra-del-ext
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend tls
  bind 127.0.0.1:$port ssl crt $volume/tls.crt
  http-request return status 200
)";

}  // namespace

Haproxy::Haproxy(const TlsVolume& volume) {
  Write("haproxy.cfg",
        Fill(kConfiguration, {{"$port", std::to_string(port())}, {"$volume", volume.path()}}));
  Start({"/usr/sbin/haproxy", "-W", "-f", File("haproxy.cfg")});
}

}  // namespace certlatch::test
