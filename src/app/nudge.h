// Nudge makes the kubelet sync this pod's volumes at once, instead of within a minute or so: it
// changes an annotation of the pod, which the kubelet watches. Owns at most one request; who asks
// for one keeps the pace (domain/nudge_pace.h). Never fails: it says once what is in the way.
#pragma once

#include <string>
#include <utility>

#include "app/host.h"
#include "base/function.h"

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

class Nudge {
 public:
  // `options` must outlive this. `refused` is called after each 403.
  Nudge(Host& host, const NudgeOptions& options, Function<void()> refused)
      : host_(host), options_(options), refused_(std::move(refused)) {}

  void Send();  // unless one is under way
  void Close() { request_.reset(); }
  bool failed() const { return failed_; }  // the last one that was answered

 private:
  void OnAnswer(const ApiAnswer& answer);

  Host& host_;
  const NudgeOptions& options_;
  Function<void()> refused_;
  Handle request_;
  int count_ = 0;
  bool failed_ = false;  // and that has been said
};

}  // namespace certlatch
