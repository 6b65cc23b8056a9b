#include "app/server_proof.h"

#include <utility>

#include "base/text.h"

namespace certlatch {
namespace {

bool AreSame(const std::vector<Reachable>& some, const std::vector<Reachable>& others) {
  size_t same = 0;
  while (same < some.size() && same < others.size() && IsSameServer(some[same], others[same])) {
    ++same;
  }
  return same == some.size() && same == others.size();
}

}  // namespace

bool ServerProof::Asked(std::vector<Reachable> servers) {
  if (AreSame(servers, servers_)) return !under_way();
  Forget();
  servers_ = std::move(servers);
  left_ = servers_.size();
  for (size_t i = 0; i < servers_.size(); ++i) {
    attempts_.push_back(
        host_.Probe(servers_[i], kServerProofLimit,
                    [this, i](const ProbeOutcome& outcome) { OnOutcome(i, outcome); }));
  }
  return !under_way();
}

void ServerProof::Forget() {
  attempts_.clear();  // first: they refer to the servers
  servers_.clear();
  left_ = 0;
  complaint_.clear();
}

void ServerProof::OnOutcome(size_t index, const ProbeOutcome& outcome) {
  --left_;
  if (outcome.distrusted && (complaint_.empty() || index < complaining_)) {
    complaining_ = index;
    complaint_ = Format("%s: %s", servers_[index].text.c_str(), outcome.reason.c_str());
  }
  if (left_ == 0) done_();
}

}  // namespace certlatch
