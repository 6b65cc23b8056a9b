#include "domain/target.h"

#include "base/text.h"
#include "domain/dry_run.h"
#include "domain/reachable.h"

namespace certlatch {
namespace {

constexpr size_t kMaxName = 253;  // Kubernetes: a DNS subdomain name

bool TakesPort(std::string_view type) {
  const auto resource = FindWellKnownType(type);
  return resource && resource->GroupResource() == "services";
}

Error BadTarget(std::string_view text, const std::string& problem) {
  return Failure(Code::kConfig, "target \"%s\": %s", Printable(text, 300).c_str(), problem.c_str());
}

// Takes what follows the last `separator` off `name`. False: an empty or impossible word follows.
bool TakeSuffix(std::string_view& name, char separator, std::string& out) {
  const size_t at = name.rfind(separator);
  if (at == std::string_view::npos) return true;
  out = name.substr(at + 1);
  name = name.substr(0, at);
  return IsObjectName(out);
}

// Adds TYPE/NAME[:PORT][@NAMESPACE][=GOAL] to `targets`.
Status AddTarget(std::string_view text, std::string_view type, std::string_view name,
                 std::vector<TargetName>& targets) {
  TargetName target;
  target.text = text;
  target.type = type;
  if (!IsDottedName(type)) {
    return BadTarget(text, Format("\"%s\" is no type name", Printable(type, 100).c_str()));
  }
  if (const size_t equals = name.find('='); equals != std::string_view::npos) {
    target.goal = name.substr(equals + 1);
    name = name.substr(0, equals);
    if (target.goal.empty()) return BadTarget(text, "no condition after \"=\"");
  }
  if (!TakeSuffix(name, '@', target.ns)) return BadTarget(text, "no namespace after \"@\"");
  if (TakesPort(type) && !TakeSuffix(name, ':', target.port)) {
    return BadTarget(text, "no port after \":\"");
  }
  if (!IsObjectName(name)) {
    return BadTarget(text, Format("\"%s\" is no object name", Printable(name, 300).c_str()));
  }
  target.name = name;
  targets.push_back(std::move(target));
  return {};
}

// In kubectl's words.
const char* ProblemOfSlashed(std::string_view argument) {
  const size_t slash = argument.find('/');
  if (slash == std::string_view::npos) {
    return "there is no need to specify a resource type as a separate argument when "
           "passing arguments in resource/name form (e.g. 'kubectl get "
           "resource/<resource_name>' instead of 'kubectl get resource "
           "resource/<resource_name>'";
  }
  if (argument.find('/', slash + 1) != std::string_view::npos) {
    return "arguments in resource/name form may not have more than one slash";
  }
  const bool several = argument.substr(0, slash).find(',') != std::string_view::npos;
  if (several || slash == 0 || slash + 1 == argument.size()) {
    return "arguments in resource/name form must have a single resource and name";
  }
  return nullptr;
}

Status AddSlashed(std::string_view argument, std::vector<TargetName>& targets) {
  const char* problem = ProblemOfSlashed(argument);
  if (problem != nullptr) return Error{Code::kConfig, problem};
  const size_t slash = argument.find('/');
  return AddTarget(argument, argument.substr(0, slash), argument.substr(slash + 1), targets);
}

Status AddNamed(const std::vector<std::string_view>& arguments, std::vector<TargetName>& targets) {
  if (arguments.size() < 2) {
    return Error{Code::kConfig, "resource(s) were provided, but no name was specified"};
  }
  for (const std::string_view type : Split(arguments[0], ',')) {
    for (size_t i = 1; i < arguments.size(); ++i) {
      std::string text(type);
      text.append(1, '/').append(arguments[i]);
      Status status = AddTarget(text, type, arguments[i], targets);
      if (!status) return status;
    }
  }
  return {};
}

Status AddOutside(std::string_view text, std::vector<TargetName>& targets) {
  Reachable reachable;
  Status status;
  if (!IsDryRun(text)) status = ParseReachable(text, reachable);
  if (!status) return status;
  TargetName target;
  target.text = text;
  targets.push_back(std::move(target));
  return {};
}

bool IsOutside(std::string_view text) { return IsDryRun(text) || IsReachable(text); }

bool IsInUrls(char c) {
  return c > ' ' && c < 0x7f && std::string_view("/%?#=").find(c) == std::string_view::npos;
}

}  // namespace

std::string Target::Label() const {
  return Format("%s/%s%s%s", ToLower(resource.kind).c_str(), name.name.c_str(),
                name.port.empty() ? "" : ":", name.port.c_str());
}

// RBAC's names may hold ':' and others; what could leave its place in a URL is refused.
bool IsObjectName(std::string_view name) {
  for (const char c : name) {
    if (!IsInUrls(c)) return false;
  }
  return !name.empty() && name.size() <= kMaxName && name != "." && name != "..";
}

Result<std::vector<TargetName>> ParseTargets(const std::vector<std::string_view>& arguments,
                                             bool outside) {
  if (arguments.empty()) {
    return Error{Code::kConfig,
                 "nothing to wait for: name a target such as certificate/web or "
                 "secret/web-tls"};
  }
  // TYPE NAME…, where an argument of the API has no slash; else each is a target by itself.
  bool slashed = false;
  std::vector<std::string_view> objects;
  for (const std::string_view text : arguments) {
    if (outside && IsOutside(text)) continue;
    slashed = slashed || text.find('/') != std::string_view::npos;
    objects.push_back(text);
  }
  std::vector<TargetName> targets;
  Status status;
  if (!slashed && !objects.empty()) status = AddNamed(objects, targets);
  for (const std::string_view text : arguments) {
    if (!status) break;
    if (outside && IsOutside(text)) {
      status = AddOutside(text, targets);
    } else if (slashed) {
      status = AddSlashed(text, targets);
    }
  }
  if (!status) return std::move(status).error();
  return targets;
}

}  // namespace certlatch
