// Hundreds of TLS connections, requests and pair checks in one process, in the same memory.
#include <openssl/ssl.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>

#include "test/conformance/twins.h"

namespace certlatch::test {
namespace {

constexpr size_t kTargets = 60;  // polled at the same time, every two seconds
constexpr size_t kWarm = 300;    // pairs after which nothing should grow any more
constexpr size_t kEnough = 960;  // more than 600 later
constexpr int64_t kGrowth = int64_t{100} * 1024;
// On a busy machine more of them are under way at the same time.
constexpr int64_t kPeakGrowth = int64_t{1024} * 1024;

int64_t ResidentBytes(pid_t pid, std::string_view field) {
  const Result<std::string> status = ReadFile("/proc/" + std::to_string(pid) + "/status");
  if (!status) return 0;
  const size_t at = status->find(field);
  return at == std::string::npos ? 0 : std::atoll(status->c_str() + at + field.size()) * 1024;
}

// What it keeps between its requests: the least that it has within one and a half rounds of
// polling.
int64_t RestingBytes(pid_t pid) {
  int64_t least = ResidentBytes(pid, "VmRSS:");
  for (int i = 0; i < 150; ++i) {
    std::this_thread::sleep_for(20ms);
    least = std::min(least, ResidentBytes(pid, "VmRSS:"));
  }
  return least;
}

class Soak : public Twins {};

TEST_F(Soak, SixHundredRequestsAndPairChecksTakeNoMoreMemoryThanAFew) {
  // A certificate and another's key: unmet, and known to be so only after a signature was verified.
  const std::string first = TlsSecretJson("pair", {Leaf().cert, NewKey("EC:P-256")});
  const std::string second =
      TlsSecretJson("pair", {Issue(root(), {}, NewKey("RSA:2048")).cert, NewKey("RSA:2048 again")});
  std::mutex mutex;
  size_t pairs = 0;
  const PemPair leaf = Leaf();
  ServerOptions options;
  options.tls = TlsSettings{leaf.cert, leaf.key};
  ScriptedServer server(options, [&](const HttpRequest& request, Connection& connection) {
    if (IsWatch(request)) {
      connection.SendResponse(403, {{"Content-Type", "application/json"}},
                              R"({"kind":"Status","apiVersion":"v1","status":"Failure",)"
                              R"("reason":"Forbidden","message":"no watch","code":403})");
    } else {
      std::string secret;
      {
        const std::lock_guard lock(mutex);
        secret = ++pairs % 2 == 0 ? first : second;
      }
      const bool one = !request.path.ends_with("/secrets");
      const std::string selector(request.Query("fieldSelector"));
      const std::string name = one ? request.path.substr(request.path.rfind('/') + 1)
                                   : selector.substr(selector.find('=') + 1);
      secret.replace(secret.find("\"pair\""), 6,
                     "\"" + name + R"(","namespace":"default","resourceVersion":")" +
                         std::to_string(pairs) + "\"");
      if (!one) {
        secret =
            R"({"kind":"SecretList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[)" +
            secret + "]}";
      }
      connection.SendResponse(200, {{"Content-Type", "application/json"}}, secret);
    }
    connection.Close();  // each request has a handshake of its own
  });
  Args arguments = {"wait", "--server=" + server.url(), "--token=t", "--timeout=5m",
                    "--certificate-authority=" + Write("ca.crt", root().cert)};
  for (size_t i = 0; i < kTargets; ++i) arguments.push_back("secret/s" + std::to_string(i));
  const auto run = StartTwin(SmallBinary(), arguments);
  const auto pairs_reach = [&](size_t count) {
    return server.WaitUntil(
        [&](const ServerCounts&) {
          const std::lock_guard lock(mutex);
          return pairs >= count;
        },
        kHang);
  };
  ASSERT_TRUE(pairs_reach(kWarm)) << run->Err();
  const int64_t warm = RestingBytes(run->pid());
  const int64_t warm_peak = ResidentBytes(run->pid(), "VmHWM:");
  ASSERT_TRUE(pairs_reach(kEnough)) << run->Err();
  const int64_t end = RestingBytes(run->pid());
  const int64_t peak = ResidentBytes(run->pid(), "VmHWM:");
  std::printf("resident after %zu pairs: %lld KB, after %zu: %lld KB; peak %lld KB, %lld KB\n",
              kWarm, static_cast<long long>(warm / 1024), kEnough,
              static_cast<long long>(end / 1024), static_cast<long long>(warm_peak / 1024),
              static_cast<long long>(peak / 1024));
  EXPECT_GT(warm, 0);
  EXPECT_LT(end - warm, kGrowth);
  EXPECT_LT(peak - warm_peak, kPeakGrowth);
  EXPECT_GE(server.counts().accepted, 600U);
  EXPECT_THAT(run->Err(), testing::HasSubstr("do not belong together"));
}

}  // namespace
}  // namespace certlatch::test
