#include "domain/target.h"

#include <algorithm>

#include "base/text.h"

namespace certlatch {
namespace {

constexpr size_t kMaxName = 253;  // Kubernetes: a DNS subdomain name

bool TakesPort(std::string_view type) {
  const auto readings = ReadTypeName(type);
  return std::any_of(readings.begin(), readings.end(), [](const TypeName& reading) {
    const auto resource = FindWellKnown(reading);
    return resource && resource->GroupResource() == "services";
  });
}

Error BadTarget(std::string_view text, std::string_view problem) {
  return Error{Code::kConfig, "target \"" + Printable(text, 300) + "\": " + std::string(problem)};
}

Result<TargetName> ParseTarget(std::string_view text, std::string_view type,
                               std::string_view name) {
  TargetName target{std::string(text), std::string(type), "", "", ""};
  if (!IsDottedName(type))
    return BadTarget(text, "\"" + Printable(type, 100) + "\" is no type name");
  const size_t at = name.rfind('@');
  if (at != std::string_view::npos) {
    target.ns = std::string(name.substr(at + 1));
    name = name.substr(0, at);
    if (!IsObjectName(target.ns)) return BadTarget(text, "no namespace after \"@\"");
  }
  const size_t colon = TakesPort(type) ? name.rfind(':') : std::string_view::npos;
  if (colon != std::string_view::npos) {
    target.port = std::string(name.substr(colon + 1));
    name = name.substr(0, colon);
    if (!IsObjectName(target.port)) return BadTarget(text, "no port after \":\"");
  }
  if (!IsObjectName(name))
    return BadTarget(text, "\"" + Printable(name, 300) + "\" is no object name");
  target.name = std::string(name);
  return target;
}

Result<std::vector<TargetName>> ParseSlashed(const std::vector<std::string_view>& arguments) {
  std::vector<TargetName> targets;
  for (const std::string_view argument : arguments) {
    const size_t slash = argument.find('/');
    if (slash == std::string_view::npos) {
      return Error{Code::kConfig,
                   "there is no need to specify a resource type as a separate argument when "
                   "passing arguments in resource/name form (e.g. 'kubectl get "
                   "resource/<resource_name>' instead of 'kubectl get resource "
                   "resource/<resource_name>'"};
    }
    if (argument.find('/', slash + 1) != std::string_view::npos) {
      return Error{Code::kConfig,
                   "arguments in resource/name form may not have more than one slash"};
    }
    if (slash == 0 || slash + 1 == argument.size()) {
      return Error{Code::kConfig,
                   "arguments in resource/name form must have a single resource and name"};
    }
    auto target = ParseTarget(argument, argument.substr(0, slash), argument.substr(slash + 1));
    if (!target) return std::move(target).error();
    targets.push_back(*std::move(target));
  }
  return targets;
}

}  // namespace

std::string Target::Label() const {
  std::string label = ToLower(resource.kind) + "/" + name.name;
  if (!name.port.empty()) label += ":" + name.port;
  return label;
}

// RBAC's names may hold ':' and others; what could leave its place in a URL is refused.
bool IsObjectName(std::string_view name) {
  if (name.empty() || name.size() > kMaxName || name == "." || name == "..") return false;
  return std::none_of(name.begin(), name.end(), [](char c) {
    return c == '/' || c == '%' || c == '?' || c == '#' || c == '=' || c <= ' ' || c == 0x7f ||
           static_cast<signed char>(c) < 0;
  });
}

Result<std::vector<TargetName>> ParseTargets(const std::vector<std::string_view>& arguments) {
  if (arguments.empty()) {
    return Error{Code::kConfig,
                 "nothing to wait for: name a target such as certificate/web or "
                 "secret/web-tls"};
  }
  const bool slashed = std::any_of(arguments.begin(), arguments.end(), [](std::string_view text) {
    return text.find('/') != std::string_view::npos;
  });
  if (slashed) return ParseSlashed(arguments);
  if (arguments.size() < 2) {
    return Error{Code::kConfig, "resource(s) were provided, but no name was specified"};
  }
  std::vector<TargetName> targets;
  for (const std::string_view type : Split(arguments[0], ',')) {
    for (size_t i = 1; i < arguments.size(); ++i) {
      const std::string text = std::string(type) + "/" + std::string(arguments[i]);
      Result<TargetName> target = ParseTarget(text, type, arguments[i]);
      if (!target) return std::move(target).error();
      targets.push_back(*std::move(target));
    }
  }
  return targets;
}

}  // namespace certlatch
