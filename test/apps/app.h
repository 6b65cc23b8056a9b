// App is a real server which reads its certificate from a volume that the kubelet would fill: in
// the foreground, on a loopback port of its own. TlsVolume is that volume. An App owns its process
// and a directory; destruction kills the process and its group. Every wait is bounded by kPatience;
// what a test needs and cannot have fails it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "test/support/atomic_writer.h"
#include "test/support/files.h"
#include "test/support/pki.h"
#include "test/support/subprocess.h"
#include "test/support/words.h"

namespace certlatch::test {

constexpr Duration kPatience = 60s;  // for what takes moments; a busy machine may need more

// Asks until it is so: for what nobody tells.
bool Eventually(const std::function<bool()>& is_so, Duration patience = kPatience);

// On the loopback, and below those that the kernel gives to clients.
uint16_t FreePort();

enum class Talk { kTls, kPostgres };  // what comes before the handshake

// SHA-256 of the leaf that is served there, as CertFingerprint has it; "": nobody answers.
std::string ServedLeaf(uint16_t port, Talk talk = Talk::kTls);

// The volume of a Secret. With a group, as a pod's securityContext.fsGroup: the kubelet gives the
// files to it and lets it read them, before they appear.
struct VolumeRules {
  mode_t default_mode = 0644;
  std::optional<gid_t> fs_group;
};

class TlsVolume {
 public:
  explicit TlsVolume(VolumeRules rules = {});

  const std::string& path() const { return directory_.path(); }
  std::string File(std::string_view name) const { return directory_.File(name); }
  // As the kubelet: all of it at once.
  void Write(const PemPair& pair);
  void Write(const Payload& payload);
  void SetMode(mode_t mode) { rules_.default_mode = mode; }  // of what is written from now on

 private:
  VolumeRules rules_;
  TempDir directory_;
  AtomicWriter writer_;
};

class App {
 public:
  virtual ~App() = default;
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  uint16_t port() const { return port_; }
  pid_t pid() const { return process_->pid(); }
  Subprocess& process() const { return *process_; }
  bool IsAlive() const;

  std::string ServedLeaf() const { return test::ServedLeaf(port_, talk_); }
  // Now, or soon.
  bool Serves(const PemPair& pair, Duration patience = kPatience) const;
  std::string Prove() const;  // the value of --prove

 protected:
  explicit App(Talk talk = Talk::kTls, uint16_t port = FreePort());

  std::string File(std::string_view name) const { return directory_.File(name); }
  const std::string& directory() const { return directory_.path(); }
  void Write(std::string_view name, std::string_view text) const;
  // Starts argv[0] and waits until it serves anything.
  void Start(std::vector<std::string> argv);

 private:
  TempDir directory_;
  const Talk talk_;
  const uint16_t port_;
  std::unique_ptr<Subprocess> process_;
};

}  // namespace certlatch::test
