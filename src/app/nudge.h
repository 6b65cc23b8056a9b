// Nudge makes the kubelet sync this pod's volumes at once, instead of within a minute or so: it
// changes an annotation of the pod, which the kubelet watches. Owns at most one request; who asks
// for one keeps the pace, a refusal keeps its own. Never fails: it says once what is in the way.
#pragma once

#include <string>

#include "app/host.h"
#include "base/time.h"

namespace certlatch {

// For who only wants to know the rights: whatever pod it will be.
constexpr const char* kAnyPod = "*";

struct NudgeOptions {
  bool on = false;
  std::string pod;  // our own, and its namespace: object names
  std::string ns;   // "", with kAnyPod: the command's
};

// A status update keeps the annotations that come with it and drops what it says of the spec (the
// API server's podStatusStrategy), so that this is all that must be allowed. "": "pods" itself.
constexpr const char* kNudgeSubresource = "/status";

// After a 403: rights come rarely.
constexpr Duration kRefusedNudgePause = 5min;

class Nudge {
 public:
  // `options` must outlive this.
  Nudge(Host& host, const NudgeOptions& options) : host_(host), options_(options) {}

  void Send();  // unless one is under way, or was refused lately
  void Close() { request_.reset(); }
  bool failed() const { return failed_; }  // the last one that was answered

 private:
  void OnAnswer(const ApiAnswer& answer);

  Host& host_;
  const NudgeOptions& options_;
  Handle request_;
  Instant not_before_{};
  int count_ = 0;
  bool failed_ = false;  // and that has been said
};

}  // namespace certlatch
