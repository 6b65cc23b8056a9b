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
// "denied request: …", whatever status they chose. Other plugins (PodSecurity, quotas) say 403, and
// so does RBAC.
State StateOf(int status, std::string_view message) {
  if (Has(message, " denied the request") || Has(message, " denied request")) return State::kUnmet;
  if (Has(message, " does not support dry run")) return State::kImpossible;
  // Its Service, its endpoint, its certificate: what is waited for.
  if (Has(message, "failed calling webhook")) return State::kUnmet;
  if (status == 401) return State::kForbidden;
  if (status == 403) return Has(message, " cannot create ") ? State::kForbidden : State::kUnmet;
  if (status == 404) return State::kUnmet;  // its namespace, its type
  return status < 400 || status == 429 || status >= 500 ? State::kUnknown : State::kInvalid;
}

bool IsDenial(State state, int status, std::string_view message) {
  return state == State::kUnmet && status != 404 && !Has(message, "failed calling webhook");
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
  Status read = ReadManifest(manifest, file, objects);
  if (!read) return read;
  if (objects.size() != 1) {
    return Failure(Code::kConfig, "%s: holds %zu objects; a dry run is of one",
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
  if (exists || answer.status == 200 || answer.status == 201) {
    if (!expected.denied) return {State::kMet, ""};
    return {State::kUnmet, "was let in, not denied"};
  }
  const State state = StateOf(answer.status, message);
  if (expected.denied && IsDenial(state, answer.status, message)) {
    if (message.find(expected.denial) != std::string_view::npos) return {State::kMet, ""};
    return {State::kUnmet, Format("denied in other words: %s", Printable(message, 500).c_str())};
  }
  return {state, DescribeAnswer(answer)};
}

}  // namespace certlatch
