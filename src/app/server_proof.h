// ServerProof asks servers whether those who trust their bundles may trust the certificates that
// they serve. Only a certificate that is plainly another's counts against one: a server that cannot
// be reached from here (a NetworkPolicy may let the API server alone in) proves nothing. Owns one
// attempt at each server at a time, all at once, each within kServerProofLimit.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "app/host.h"
#include "base/function.h"
#include "base/time.h"
#include "domain/reachable.h"

namespace certlatch {

// What is up answers a handshake in milliseconds; nobody is to wait long for what drops packets.
constexpr Duration kServerProofLimit = 2s;

class ServerProof {
 public:
  // `host` outlives it. `done` is called once a round has ended; it may start the next.
  ServerProof(Host& host, Function<void()> done) : host_(host), done_(std::move(done)) {}

  // Begins a round, unless the last one is of the same servers. True: it has ended, see complaint.
  bool Asked(std::vector<Reachable> servers);
  // The next time they are asked anew; what is under way is cancelled.
  void Forget();
  bool under_way() const { return left_ != 0; }
  // Of the first server with one: what it is for, and why its certificate is not trusted; "": none.
  const std::string& complaint() const { return complaint_; }

 private:
  void OnOutcome(size_t index, const ProbeOutcome& outcome);

  Host& host_;
  Function<void()> done_;
  std::vector<Reachable> servers_;
  std::vector<Handle> attempts_;
  size_t left_ = 0;         // attempts without an outcome
  size_t complaining_ = 0;  // which server's complaint
  std::string complaint_;
};

}  // namespace certlatch
