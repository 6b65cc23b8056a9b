// Event is a flag that a thread can set and another can poll() for together with its sockets.
// Owns one eventfd. Notify and Clear may be called from any thread.
// It stays set until Clear: a waiter that comes late is not lost.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace certlatch::test {

class Event {
 public:
  Event() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (fd_ < 0) std::abort();
  }
  ~Event() { close(fd_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  int fd() const { return fd_; }
  void Notify() {
    const uint64_t one = 1;
    if (write(fd_, &one, sizeof one) < 0) return;  // full: it is set anyway
  }
  void Clear() {
    uint64_t count = 0;
    if (read(fd_, &count, sizeof count) < 0) return;  // it was not set
  }

 private:
  const int fd_;
};

}  // namespace certlatch::test
