// Stream makes one TCP connection on the Loop and lets a Talk speak over it: bytes in, bytes out.
// Owns the socket, one look-up of the name, a deadline for everything, and what the Talk said and
// the peer has not taken; the peer is not read meanwhile, so nothing grows. Never blocks; calls
// come from the loop, never from within Open. Destroying it closes the connection, and nothing is
// called any more.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "base/unique_fd.h"
#include "domain/endpoint.h"
#include "platform/loop.h"

namespace certlatch {

// What is said over a Stream: the peer's bytes as they come, to be answered at once. TLS, too, is
// such a talk.
class Talk {
 public:
  // `in` is what came since the last call; nothing in the first, when the connection stands. What
  // is added to `out` is sent. False: all is said; the stream ends when it is sent. Must not
  // destroy the stream.
  virtual bool Hear(std::string_view in, std::string& out) = 0;
  // Once, and last: "" after a Hear that returned false, else one line that names the peer. May
  // destroy the stream.
  virtual void End(std::string problem) = 0;

 protected:
  ~Talk() = default;
};

class Stream {
 public:
  Stream(Loop& loop, Talk& talk) : loop_(loop), talk_(talk) {}  // the talk outlives the stream

  // Once; `peer` outlives the stream. The addresses of a name are tried one after the other until
  // one accepts.
  void Open(const Endpoint& peer, Duration deadline);
  bool connected() const { return connected_; }

 private:
  int Connect(const std::string& address);  // 0, or an errno
  void ConnectNext(int problem);
  void Watch();
  int ConnectionError() const;
  void OnReady();
  void Receive();
  void Say(std::string_view in);
  void SendRest();
  void TimeOut();
  void Finish(std::string problem);

  Loop& loop_;
  Talk& talk_;
  const Endpoint* peer_ = nullptr;
  Duration deadline_{};
  std::vector<std::string> addresses_;
  size_t next_ = 0;  // of the addresses
  UniqueFd fd_;
  std::string unsent_;
  uint32_t watched_ = 0;  // epoll's events; 0: none yet
  bool connected_ = false;
  bool all_said_ = false;
  Handle start_;  // the look-up, or a timer
  Handle timer_;
  Handle watch_;  // before fd_ is closed
};

}  // namespace certlatch
