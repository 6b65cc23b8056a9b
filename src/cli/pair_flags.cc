#include "cli/pair_flags.h"

#include <optional>

#include "base/text.h"
#include "cli/connection_flags.h"
#include "domain/endpoint.h"
#include "domain/resource.h"
#include "domain/target.h"

namespace certlatch {
namespace {

constexpr size_t kMaxPrefix = 253;  // Kubernetes: a DNS subdomain name

}  // namespace

Status SetFileName(void* place, std::string_view value) {
  for (const std::string_view part : Split(value, '/')) {
    if (!part.empty() && part != "." && part != "..") continue;
    return Refuse("must be the name of a file within the volume");
  }
  return SetText(place, value);
}

Status SetExpect(void* place, std::string_view value) {
  auto& expect = *static_cast<ExpectOptions*>(place);
  expect.source = ReloadOptions::Source::kNone;
  expect.name.clear();
  if (value == "none") return {};
  const auto targets = ParseTargets({value});
  const int type = targets ? IndexOf(targets->front().type, "lease|secret") : -1;
  if (type < 0) return Refuse("must be lease/NAME, secret/NAME or none");
  expect.source = type == 0 ? ReloadOptions::Source::kLease : ReloadOptions::Source::kSecret;
  expect.name = targets->front().name;
  expect.ns = targets->front().ns;
  return {};
}

Status SetAnnotationPrefix(void* place, std::string_view value) {
  if (value.size() <= kMaxPrefix && IsDottedName(value) && ToLower(value) == value) {
    return SetText(place, value);
  }
  return Refuse("must be a DNS name in lower case, such as kubetemplater.io");
}

Status SetProbe(void* place, std::string_view value) {
  Result<ProbeTarget> target = ParseProbe(value);
  if (!target) return std::move(target).error();
  *static_cast<std::optional<ProbeTarget>*>(place) = *std::move(target);
  return {};
}

Status CompleteNudge(const Surroundings& surroundings, NudgeOptions& nudge) {
  if (!nudge.on) return {};
  nudge.pod = ValueOf(surroundings.environment, "POD_NAME");
  if (nudge.pod.empty() && surroundings.rights_only) {
    nudge.pod = kAnyPod;
    return {};
  }
  nudge.ns = ValueOf(surroundings.environment, "POD_NAMESPACE");
  if (nudge.ns.empty()) nudge.ns = surroundings.service_account_namespace;
  for (const std::string* name : {&nudge.pod, &nudge.ns}) {
    if (name->empty() || (IsDottedName(*name) && ToLower(*name) == *name)) continue;
    return Refuse("--nudge: \"%s\" in POD_NAME or POD_NAMESPACE is no name of a pod or namespace",
                  Printable(*name, 100).c_str());
  }
  if (!nudge.pod.empty() && !nudge.ns.empty()) return {};
  return Refuse(
      "--nudge needs POD_NAME and POD_NAMESPACE in the environment: {name: POD_NAME, valueFrom: "
      "{fieldRef: {fieldPath: metadata.name}}}, and likewise metadata.namespace");
}

Status AddWrite(void* place, std::string_view value) {
  const size_t equals = value.find('=');
  std::string_view directory = value.substr(0, equals);
  while (directory.ends_with('/')) directory.remove_suffix(1);  // it would follow a link
  value.remove_prefix(equals < value.size() ? equals + 1 : value.size());
  auto targets = ParseTargets({value});
  if (directory.empty() || !targets || targets->front().type != "secret" ||
      !targets->front().goal.empty()) {
    return Refuse("must be DIR=secret/NAME");
  }
  TargetName& write = targets->front();
  write.text = directory;
  write.goal = "ready";
  static_cast<std::vector<TargetName>*>(place)->push_back(std::move(write));
  return {};
}

// In octal, as for chmod: who may read and write; we must read.
Status SetWriteMode(void* place, std::string_view value) {
  unsigned mode = 0;
  for (const char c : value) {
    mode = c >= '0' && c <= '7' ? mode << 3 | static_cast<unsigned>(c - '0') : ~0U;
  }
  if (value.size() < 3 || value.size() > 4 || (mode & ~0666U) != 0 || (mode & 0400U) == 0) {
    return Refuse("must be in octal, from 0400 to 0666, such as 0440");
  }
  *static_cast<unsigned*>(place) = mode;
  return {};
}

Status RequireVolume(const VolumeOptions& volume) {
  if (!volume.directory.empty()) return {};
  return Refuse("no volume: give --volume, the directory where the certificate is mounted");
}

Status CompleteExpect(const Surroundings& surroundings, Parsed& parsed, bool needs,
                      ExpectOptions& expect, WatchSettings& watch, std::string& ns) {
  if (!needs) {
    parsed.command.connection.server.clear();
    return {};
  }
  Status connection = CompleteConnection(surroundings, parsed, watch, ns);
  if (connection && expect.ns.empty()) expect.ns = ns;
  return connection;
}

}  // namespace certlatch
