#include "cli/proxy.h"

#include <gtest/gtest.h>

namespace certlatch {
namespace {

TEST(Proxy, AppliesByScheme) {
  const Environment both = {"HTTPS_PROXY=http://p:1", "http_proxy=http://p:2"};
  EXPECT_STREQ(ProxyVariableFor("https://api.example.com:6443", both), "HTTPS_PROXY");
  EXPECT_STREQ(ProxyVariableFor("http://api.example.com", both), "http_proxy");
  EXPECT_STREQ(ProxyVariableFor("https://api.example.com", {}), "");
}

TEST(Proxy, NeverAppliesToLoopback) {
  const Environment proxy = {"https_proxy=http://p:1"};
  for (const char* server : {"https://127.0.0.1:6443", "https://localhost", "https://[::1]:6443"}) {
    EXPECT_STREQ(ProxyVariableFor(server, proxy), "") << server;
  }
}

TEST(Proxy, SparesWhatNoProxyNames) {
  const char* const server = "https://api.Example.com:6443";
  for (const char* exception : {"*", "api.example.com", "example.com", ".example.com",
                                "*.example.com", "x, EXAMPLE.COM ,y"}) {
    const std::string no_proxy = std::string("NO_PROXY=") + exception;
    const Environment environment = {"HTTPS_PROXY=p", no_proxy};
    EXPECT_STREQ(ProxyVariableFor(server, environment), "") << exception;
  }
  for (const char* other : {"", "ample.com", "api", "10.0.0.0/8", "api.example.com.evil"}) {
    const std::string no_proxy = std::string("no_proxy=") + other;
    const Environment environment = {"HTTPS_PROXY=p", no_proxy};
    EXPECT_STREQ(ProxyVariableFor(server, environment), "HTTPS_PROXY") << other;
  }
}

TEST(Proxy, SparesNetworks) {
  const Environment environment = {"HTTPS_PROXY=p", "NO_PROXY=10.96.0.0/12,192.168.1.7"};
  EXPECT_STREQ(ProxyVariableFor("https://10.97.3.1:443", environment), "");
  EXPECT_STREQ(ProxyVariableFor("https://192.168.1.7:443", environment), "");
  EXPECT_STREQ(ProxyVariableFor("https://10.112.0.1:443", environment), "HTTPS_PROXY");
}

}  // namespace
}  // namespace certlatch
