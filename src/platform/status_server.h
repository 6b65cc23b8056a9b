// StatusServer answers GET and HEAD of its pages over HTTP/1.1 on the Loop: one request a
// connection, then it is closed. Owns the listening socket and at most kMaxStatusConnections, each
// with a head of 4 KiB and one deadline for all of it, reading and writing.
// The pages are the caller's: made anew for each request, from within the loop.
//
// When all connections are taken, the oldest one gives way to a newcomer: whoever holds connections
// open without asking must not keep kubelet's probes out, and a probe asks as soon as it is
// connected.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "app/host.h"
#include "base/function.h"
#include "base/result.h"
#include "base/time.h"
#include "base/unique_fd.h"
#include "domain/status_request.h"
#include "platform/loop.h"

namespace certlatch {

constexpr size_t kMaxStatusConnections = 16;
constexpr Duration kStatusDeadline = 5s;

class StatusServer {
 public:
  // Must not destroy the server.
  using Page = Function<StatusPage(std::string_view path)>;

  // "All addresses" is IPv6 and IPv4, or IPv4 alone where the kernel has no IPv6.
  // Error (kConfig): "cannot listen on ADDRESS: Address already in use".
  static Result<std::unique_ptr<StatusServer>> Listen(Loop& loop, const ListenAddress& address,
                                                      Page page,
                                                      Duration deadline = kStatusDeadline);
  ~StatusServer();

  uint16_t port() const;  // the one that the kernel chose, too

 private:
  struct Connection;

  StatusServer(Loop& loop, Page page, Duration deadline);
  bool Open(int family, const ListenAddress& address);
  void WatchListener();
  void Accept();
  void Add(UniqueFd fd);
  void Watch(Connection& connection, uint32_t events);
  void Advance(Connection& connection);
  bool Read(Connection& connection);
  bool Write(Connection& connection);
  void Close(const Connection& connection);

  Loop& loop_;
  Page page_;
  Duration deadline_;
  UniqueFd listener_;
  Handle listening_;                                      // or the pause, after which it goes on
  std::vector<std::unique_ptr<Connection>> connections_;  // the oldest first
};

}  // namespace certlatch
