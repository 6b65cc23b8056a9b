// RecordProxy stands between client and server and sees every TLS record; a test's rule decides
// what goes on in its place. Owns its port and a thread per connection; destruction ends them all.
// The rule runs in these threads, one call at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "test/support/event.h"

namespace certlatch::test {

constexpr int kChangeCipherSpecRecord = 20;
constexpr int kHandshakeRecord = 22;
constexpr int kAlertRecord = 21;
constexpr int kDataRecord = 23;
constexpr size_t kRecordHeader = 5;

struct Record {
  bool from_server = false;
  int connection = 0;  // from 1
  int number = 0;      // from 1, of this connection and direction
  std::string bytes;   // with the header

  int type() const { return static_cast<unsigned char>(bytes[0]); }
  std::string_view body() const { return std::string_view(bytes).substr(kRecordHeader); }
};

struct Passage {
  std::string bytes;        // what goes on
  bool then_close = false;  // FIN to the side it goes to, and nothing more
};

class RecordProxy {
 public:
  using Rule = std::function<Passage(const Record&)>;

  RecordProxy(uint16_t server_port, Rule rule);
  ~RecordProxy();
  RecordProxy(const RecordProxy&) = delete;
  RecordProxy& operator=(const RecordProxy&) = delete;

  std::string url() const { return "https://127.0.0.1:" + std::to_string(port_); }
  std::vector<Record> seen() const;

 private:
  struct Side;
  void Accept();
  void Serve(int client, int connection);
  bool Pump(Side& from, Side& to, int connection);

  const uint16_t server_port_;
  const Rule rule_;
  int listener_ = -1;
  uint16_t port_ = 0;
  Event stop_;
  mutable std::mutex mutex_;  // guards what follows, and the rule
  std::vector<Record> seen_;
  std::list<std::thread> connections_;
  std::thread acceptor_;
};

// A record that carries `body`.
std::string MakeRecord(int type, std::string_view body);
// The handshake messages that begin in a record of plaintext: their types.
std::vector<int> HandshakeTypes(const Record& record);

}  // namespace certlatch::test
