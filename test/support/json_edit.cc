#include "test/support/json_edit.h"

#include <string>
#include <utility>

namespace certlatch::test {

Json JsonText(std::string_view text) { return Json(std::string(text)); }

Json JsonInt(int64_t value) { return Json(Json::Number{std::to_string(value)}); }

Json JsonTexts(const std::vector<std::string>& texts) {
  Json::Array items;
  for (const std::string& text : texts) items.push_back(JsonText(text));
  return Json(std::move(items));
}

Json With(const Json& object, std::string_view key, Json value) {
  Json::Object members = object.members();
  for (Json::Member& member : members) {
    if (member.key != key) continue;
    member.value = std::move(value);
    return Json(std::move(members));
  }
  members.push_back({std::string(key), std::move(value)});
  return Json(std::move(members));
}

Json Without(const Json& object, std::string_view key) {
  Json::Object members;
  for (const Json::Member& member : object.members()) {
    if (member.key != key) members.push_back(member);
  }
  return Json(std::move(members));
}

Json MergePatch(const Json& target, const Json& patch) {
  if (!patch.is_object()) return patch;
  Json merged = target.is_object() ? target : Json(Json::Object());
  for (const Json::Member& member : patch.members()) {
    merged = member.value.is_null()
                 ? Without(merged, member.key)
                 : With(merged, member.key, MergePatch(merged[member.key], member.value));
  }
  return merged;
}

bool Same(const Json& a, const Json& b) { return a.Dump() == b.Dump(); }

}  // namespace certlatch::test
