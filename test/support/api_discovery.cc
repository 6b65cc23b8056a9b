#include "test/support/api_discovery.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/text.h"
#include "test/support/json_edit.h"

namespace certlatch::test {
namespace {

Json GroupVersion(const ApiResource& resource) {
  return Json(Json::Object{{"groupVersion", JsonText(resource.api_version())},
                           {"version", JsonText(resource.version)}});
}

Json::Array VersionsOf(const std::vector<ApiResource>& resources, std::string_view group) {
  Json::Array versions;
  for (const ApiResource& resource : resources) {
    if (resource.group != group) continue;
    const Json version = GroupVersion(resource);
    const bool known = std::any_of(versions.begin(), versions.end(),
                                   [&](const Json& other) { return Same(version, other); });
    if (!known) versions.push_back(version);
  }
  return versions;
}

Json GroupEntry(std::string_view group, const Json::Array& versions) {
  return Json(Json::Object{{"name", JsonText(group)},
                           {"versions", Json(versions)},
                           {"preferredVersion", versions.front()}});
}

Json ResourceEntry(const ApiResource& resource) {
  Json entry = Json(Json::Object{
      {"name", JsonText(resource.plural)},
      {"singularName", JsonText(ToLower(resource.kind))},
      {"namespaced", Json(resource.namespaced)},
      {"kind", JsonText(resource.kind)},
      {"verbs", JsonTexts({"create", "delete", "get", "list", "patch", "update", "watch"})}});
  if (resource.short_names.empty()) return entry;
  return With(entry, "shortNames", JsonTexts(resource.short_names));
}

Json StatusEntry(const ApiResource& resource) {
  return Json(Json::Object{{"name", JsonText(resource.plural + "/status")},
                           {"singularName", JsonText("")},
                           {"namespaced", Json(resource.namespaced)},
                           {"kind", JsonText(resource.kind)},
                           {"verbs", JsonTexts({"get", "patch", "update"})}});
}

}  // namespace

Json CoreVersions() {
  return Json(Json::Object{{"kind", JsonText("APIVersions")}, {"versions", JsonTexts({"v1"})}});
}

Json GroupList(const std::vector<ApiResource>& resources) {
  Json::Array groups;
  std::vector<std::string> seen{""};  // the core group is at /api
  for (const ApiResource& resource : resources) {
    if (std::find(seen.begin(), seen.end(), resource.group) != seen.end()) continue;
    seen.push_back(resource.group);
    groups.push_back(GroupEntry(resource.group, VersionsOf(resources, resource.group)));
  }
  return Json(Json::Object{{"kind", JsonText("APIGroupList")},
                           {"apiVersion", JsonText("v1")},
                           {"groups", Json(std::move(groups))}});
}

Json Group(const std::vector<ApiResource>& resources, std::string_view group) {
  const Json::Array versions = VersionsOf(resources, group);
  if (versions.empty() || group.empty()) return Json();
  const Json entry = GroupEntry(group, versions);
  Json::Object members{{"kind", JsonText("APIGroup")}, {"apiVersion", JsonText("v1")}};
  members.insert(members.end(), entry.members().begin(), entry.members().end());
  return Json(std::move(members));
}

Json ResourceList(const std::vector<ApiResource>& resources, std::string_view group,
                  std::string_view version) {
  Json::Array entries;
  std::string group_version;
  for (const ApiResource& resource : resources) {
    if (resource.group != group || resource.version != version) continue;
    group_version = resource.api_version();
    entries.push_back(ResourceEntry(resource));
    if (resource.has_status) entries.push_back(StatusEntry(resource));
  }
  if (entries.empty()) return Json();
  return Json(Json::Object{{"kind", JsonText("APIResourceList")},
                           {"apiVersion", JsonText("v1")},
                           {"groupVersion", JsonText(group_version)},
                           {"resources", Json(std::move(entries))}});
}

Json VersionInfo() {
  return Json(Json::Object{{"major", JsonText("1")},
                           {"minor", JsonText("32")},
                           {"gitVersion", JsonText("v1.32.0")},
                           {"gitCommit", JsonText("0000000000000000000000000000000000000000")},
                           {"gitTreeState", JsonText("clean")},
                           {"buildDate", JsonText("2024-12-11T00:00:00Z")},
                           {"goVersion", JsonText("go1.23.3")},
                           {"compiler", JsonText("gc")},
                           {"platform", JsonText("linux/amd64")}});
}

}  // namespace certlatch::test
