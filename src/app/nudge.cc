#include "app/nudge.h"

#include <utility>

#include "base/text.h"
#include "base/wall_time.h"

namespace certlatch {

// The count tells two of the same second apart: without a change nobody would notice.
void Nudge::Send() {
  if (request_ != nullptr) return;
  ApiChange change;
  change.target = Format("/api/v1/namespaces/%s/pods/%s%s", options_.ns.c_str(),
                         options_.pod.c_str(), kNudgeSubresource);
  change.body = Format(R"({"metadata":{"annotations":{"certlatch.io/nudge":"%s %d"}}})",
                       FormatWallTime(host_.WallNow()).c_str(), ++count_);
  request_ = host_.Change(change, [this](const ApiAnswer& answer) { OnAnswer(answer); });
}

void Nudge::OnAnswer(const ApiAnswer& answer) {
  request_.reset();
  if (answer.status == 403) refused_();
  const bool failed = answer.status != 200;
  if (std::exchange(failed_, failed) || !failed) return;
  host_.Log({LogLevel::kWarning, "nudge_failed",
             Format("--nudge: %s; the kubelet will sync in its own time ('certlatch rbac' prints "
                    "the right that this needs)",
                    DescribeAnswer(answer).c_str())});
}

}  // namespace certlatch
