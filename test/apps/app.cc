#include "test/apps/app.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "base/unique_fd.h"
#include "test/support/tls_context.h"
#include "test/system/certlatch_run.h"

namespace certlatch::test {
namespace {

namespace fs = std::filesystem;

constexpr int kPollMillis = 10;
constexpr timeval kAnswer = {10, 0};

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

UniqueFd Connect(uint16_t port) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kAnswer, sizeof kAnswer);
  const sockaddr_in address = Loopback(port);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return fd;
  }
  return UniqueFd();
}

// SSLRequest, and its answer "S" (PostgreSQL's documentation, "Message Formats").
bool AskPostgresForTls(int fd) {
  constexpr std::string_view kRequest("\0\0\0\x08\x04\xd2\x16\x2f", 8);
  char answer = 0;
  return send(fd, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) == 8 &&
         recv(fd, &answer, 1, 0) == 1 && answer == 'S';
}

void GiveToGroup(const std::string& path, gid_t group) {
  const auto give = [group](const fs::path& entry, fs::perms more) {
    if (lchown(entry.c_str(), static_cast<uid_t>(-1), group) != 0) std::abort();
    fs::permissions(entry, more, fs::perm_options::add);
  };
  constexpr fs::perms kRead = fs::perms::owner_read | fs::perms::group_read;
  constexpr fs::perms kEnter = fs::perms::owner_exec | fs::perms::group_exec;
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) give(entry.path(), kRead);
  give(path, kRead | kEnter | fs::perms::set_gid);
}

}  // namespace

bool Eventually(const std::function<bool()>& is_so, Duration patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > end) return false;
    poll(nullptr, 0, kPollMillis);
  }
  return true;
}

uint16_t FreePort() {
  constexpr int kFirst = 12000;
  constexpr int kCount = 20000;
  // Tests that run at the same time begin elsewhere.
  static int next = static_cast<int>(std::chrono::steady_clock::now().time_since_epoch() /
                                     std::chrono::microseconds(1) % kCount);
  while (true) {
    const auto port = static_cast<uint16_t>(kFirst + next++ % kCount);
    const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = Loopback(port);
    if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      return port;
    }
  }
}

std::string ServedLeaf(uint16_t port, Talk talk) {
  const UniqueFd fd = Connect(port);
  if (!fd.valid() || (talk == Talk::kPostgres && !AskPostgresForTls(fd.get()))) return "";
  return LeafServedOn(fd.get());
}

TlsVolume::TlsVolume(VolumeRules rules) : rules_(rules), writer_(directory_.path()) {
  if (chmod(path().c_str(), 0755) != 0) std::abort();
}

void TlsVolume::Write(const PemPair& pair) {
  Write({{"tls.crt", pair.cert}, {"tls.key", pair.key}});
}

void TlsVolume::Write(const Payload& payload) {
  const std::string old = writer_.Current();
  const std::string generation = writer_.WriteGeneration(payload, rules_.default_mode);
  if (rules_.fs_group) GiveToGroup(File(generation), *rules_.fs_group);
  writer_.LinkNames(payload);
  writer_.Swap(generation);
  writer_.UnlinkOthers(payload);
  if (!old.empty()) writer_.Remove(old);
}

App::App(Talk talk, uint16_t port) : talk_(talk), port_(port) {
  // Workers run as another user.
  if (chmod(directory().c_str(), 0755) != 0) std::abort();
}

void App::Write(std::string_view name, std::string_view text) const {
  fs::create_directories(fs::path(File(name)).parent_path());
  if (!WriteFile(File(name), text, 0644)) std::abort();
}

void App::Start(std::vector<std::string> argv) {
  Command command;
  command.path = argv[0];
  command.argv = std::move(argv);
  command.env = BasicEnvironment();
  command.directory = directory();
  auto started = Subprocess::Start(std::move(command));
  if (!started) {
    ADD_FAILURE() << started.error().text << " (test/run.sh installs it)";
    std::abort();
  }
  process_ = *std::move(started);
  const bool serves = Eventually([this] { return !IsAlive() || !ServedLeaf().empty(); });
  EXPECT_TRUE(serves && IsAlive()) << process_->Out() << process_->Err();
}

bool App::IsAlive() const { return process_->Signal(0); }

bool App::Serves(const PemPair& pair, Duration patience) const {
  const std::string wanted = CertFingerprint(pair.cert);
  return Eventually([&] { return !IsAlive() || ServedLeaf() == wanted; }, patience) && IsAlive();
}

std::string App::Prove() const {
  return "127.0.0.1:" + std::to_string(port_) +
         (talk_ == Talk::kPostgres ? ",starttls=postgres" : "");
}

}  // namespace certlatch::test
