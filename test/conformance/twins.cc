#include "test/conformance/twins.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace certlatch::test {
namespace {

constexpr char kConfigMap[] =
    R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","namespace":"default"},)"
    R"("data":{"a":"1"}})";

std::string FromEnvironment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

bool Gives(const Args& arguments, std::string_view flag) {
  return std::any_of(arguments.begin(), arguments.end(),
                     [&](const std::string& argument) { return argument.starts_with(flag); });
}

// "...: error:0A000086:SSL routines::certificate verify failed" and
// "...: error:0A000086:lib(20)::reason(134)" both end after the code.
std::string Reason(std::string_view stderr_text) {
  while (stderr_text.ends_with('\n')) stderr_text.remove_suffix(1);
  std::string line(stderr_text.substr(stderr_text.rfind('\n') + 1));
  constexpr std::string_view kHost = "127.0.0.1:";
  if (const size_t at = line.find(kHost); at != std::string::npos) {
    const size_t port = at + kHost.size();
    line.erase(port, line.find_first_not_of("0123456789", port) - port);
  }
  constexpr std::string_view kCode = "error:";
  if (const size_t at = line.rfind(kCode); at != std::string::npos && at > 0) {
    // Of the RSA library's errors (02) not even the number: it says what the numbers of a bad
    // signature happened to look like.
    const size_t digits = line.compare(at + kCode.size(), 2, "02") == 0 ? 2 : 8;
    line.erase(std::min(line.size(), at + kCode.size() + digits));
  }
  return line;
}

Decision Judge(const Outcome& outcome) {
  EXPECT_FALSE(outcome.timed_out) << outcome.err;
  EXPECT_EQ(outcome.signal, 0) << "it crashed: " << outcome.err;
  EXPECT_THAT(outcome.exit_code, testing::AnyOf(testing::Eq(0), testing::Eq(1))) << outcome.err;
  return {outcome.exit_code == 0, Reason(outcome.err), outcome.Describe() + "\n" + outcome.err};
}

}  // namespace

std::string SmallBinary() { return FromEnvironment("CERTLATCH_STATIC", CERTLATCH_STATIC); }
std::string WholeBinary() { return FromEnvironment("CERTLATCH_UNTRIMMED", CERTLATCH_UNTRIMMED); }
std::string WholeOpenssl() {
  const std::string binary = WholeBinary();
  return binary.substr(0, binary.rfind('/') + 1) + "openssl";
}

void PrintTo(const Decision& decision, std::ostream* out) { *out << decision.outcome; }

std::unique_ptr<Subprocess> StartTwin(const std::string& binary, Args arguments) {
  Command command{binary};
  command.argv = std::move(arguments);
  command.argv.insert(command.argv.begin(), "certlatch");
  command.env = {"PATH=/usr/bin:/bin"};
  auto started = Subprocess::Start(std::move(command));
  if (!started) {
    ADD_FAILURE()
        << started.error().text
        << ": build it with cmake --preset static|untrimmed && cmake --build --preset ...";
    std::abort();
  }
  return *std::move(started);
}

Twins::Twins() : root_(NewRoot()) {
  MiniApiserverOptions options;
  options.server.ipv6 = true;
  options.server.tls = TlsSettings{};
  const PemPair leaf = Leaf();
  options.server.tls->cert_chain_pem = leaf.cert;
  options.server.tls->key_pem = leaf.key;
  api_ = std::make_unique<MiniApiserver>(options);
  api_->Put(kConfigMap);
  Trust(root_.cert);
}

void Twins::Present(const PemPair& leaf, const std::string& chain, TlsSettings settings) {
  settings.cert_chain_pem = leaf.cert + chain;
  settings.key_pem = leaf.key;
  api_->server().SetTls(settings);
}

void Twins::Trust(std::string_view pem) { Write("ca.crt", pem); }

std::string Twins::Write(std::string_view name, std::string_view bytes) const {
  const Status written = WriteFile(dir_.File(name), bytes);
  EXPECT_TRUE(written.has_value()) << written.error().text;
  return dir_.File(name);
}

Args Twins::CommonArgs(const std::string& url, const Args& extra) const {
  Args all = {"wait", "--server=" + url, "--request-timeout=20s"};
  if (!Gives(extra, "--timeout")) all.emplace_back("--timeout=0");
  if (!Gives(extra, "--certificate-authority")) {
    all.push_back("--certificate-authority=" + dir_.File("ca.crt"));
  }
  if (!Gives(extra, "--client-certificate")) all.emplace_back("--token=t");
  all.insert(all.end(), extra.begin(), extra.end());
  if (!Gives(extra, "secret/")) {
    all.emplace_back("configmap/c");
    all.emplace_back("--for=create");
  }
  return all;
}

Twins::Both Twins::DecideAt(const std::string& url, const Args& extra) const {
  const auto small = StartTwin(SmallBinary(), CommonArgs(url, extra));
  const auto whole = StartTwin(WholeBinary(), CommonArgs(url, extra));
  return {Judge(small->Wait(kHang)), Judge(whole->Wait(kHang))};
}

void Twins::ExpectTakenAt(const std::string& url, const Args& extra) {
  const Both both = DecideAt(url, extra);
  EXPECT_TRUE(both.small.taken) << "the small binary refuses: " << both.small.outcome;
  EXPECT_TRUE(both.whole.taken) << "the twin refuses: " << both.whole.outcome;
}

void Twins::ExpectRefusedAt(const std::string& url, const std::string& why, const Args& extra,
                            Alike alike) {
  const size_t before = api_->server().counts().requests;
  const Both both = DecideAt(url, extra);
  EXPECT_FALSE(both.small.taken) << "the small binary takes it";
  EXPECT_FALSE(both.whole.taken) << "the twin takes it";
  EXPECT_THAT(both.small.reason, testing::HasSubstr(why));
  if (alike == Alike::kToTheWord) {
    EXPECT_EQ(both.small.reason, both.whole.reason);
  }
  EXPECT_EQ(api_->server().counts().requests, before) << "it sent its token to a stranger";
}

void Twins::ExpectOnlyTheWholeTakesAt(const std::string& url, const Args& extra) {
  const Both both = DecideAt(url, extra);
  EXPECT_FALSE(both.small.taken) << "the small binary takes it";
  EXPECT_TRUE(both.whole.taken) << "the twin refuses: " << both.whole.outcome;
}

}  // namespace certlatch::test
