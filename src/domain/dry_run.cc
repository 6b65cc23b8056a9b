#include "domain/dry_run.h"

#include <algorithm>

#include "base/text.h"
#include "domain/manifest.h"

namespace certlatch {
namespace {

constexpr std::string_view kScheme = "dry-run:";
constexpr std::string_view kDenied = "=denied:";

bool Has(std::string_view text, const char* part) {
  return text.find(part) != std::string_view::npos;
}

using State = DryRunOutcome::State;

// As k8s.io/apiserver puts it: a webhook "denied the request: …", a ValidatingAdmissionPolicy
// "denied request: …", whatever status they chose.
bool IsDenied(std::string_view message) {
  return Has(message, " denied the request") || Has(message, " denied request");
}

State StateOf(int status, std::string_view message) {
  if (IsDenied(message)) return State::kUnmet;
  if (Has(message, " does not support dry run")) return State::kImpossible;
  // Its Service, its endpoint, its certificate: what is waited for.
  if (Has(message, "failed calling webhook")) return State::kUnmet;
  if (status == 401) return State::kForbidden;
  if (status == 403) {
    // Other plugins (PodSecurity, quotas), RBAC, and whoever stands before the API server.
    if (message.empty()) return State::kUnknown;
    return Has(message, "forbidden: User \"") ? State::kForbidden : State::kUnmet;
  }
  if (status == 404) return State::kUnmet;  // its namespace, its type
  const bool again = status < 400 || status == 409 || status == 429 || status >= 500;
  return again ? State::kUnknown : State::kInvalid;
}

}  // namespace

bool IsDryRun(std::string_view text) { return text.starts_with(kScheme); }

DryRunText ReadDryRunText(std::string_view text) {
  DryRunText read;
  text.remove_prefix(kScheme.size());
  const size_t end = std::min(text.find(kDenied), text.size());
  read.file = text.substr(0, end);
  read.denied = end < text.size();
  if (read.denied) read.denial = text.substr(end + kDenied.size());
  return read;
}

Status ReadDryRunObject(std::string_view manifest, TargetName& target) {
  const std::string file(ReadDryRunText(target.text).file);
  std::vector<TargetName> objects;
  Status read = ReadManifest(manifest, file, objects, /*to_create=*/true);
  if (!read) return read;
  // The file is sent as it is: one object that stands in a List would not do.
  const Result<Json> whole = ParseJson(manifest);
  if (objects.size() != 1 || !whole || IsList(*whole)) {
    return Failure(Code::kConfig, "%s: a dry run is of one object, not of %zu or of a List",
                   Printable(file, 300).c_str(), objects.size());
  }
  std::swap(objects[0].text, target.text);
  target = std::move(objects[0]);
  target.object = manifest;
  return {};
}

DryRunOutcome JudgeDryRun(const ApiAnswer& answer, const DryRunText& expected) {
  const Json status = StatusOf(answer);
  const std::string_view message = status["message"].AsString();
  // It is there already: found out only behind the admission chain.
  const bool exists = answer.status == 409 && status["reason"].AsString() == "AlreadyExists";
  if (exists || answer.status == 201) {
    if (!expected.denied) return {State::kMet, ""};
    return {State::kUnmet, "was let in, not denied"};
  }
  if (answer.status / 100 == 2) {  // whose answer is it?
    return {State::kUnknown, Format("HTTP %d, not 201", answer.status)};
  }
  const State state = StateOf(answer.status, message);
  const bool denied = IsDenied(message) || (state == State::kUnmet && answer.status == 403);
  if (expected.denied && denied) {
    if (message.find(expected.denial) != std::string_view::npos) return {State::kMet, ""};
    return {State::kUnmet, Format("denied in other words: %s", Printable(message, 500).c_str())};
  }
  return {state, DescribeAnswer(answer)};
}

}  // namespace certlatch
