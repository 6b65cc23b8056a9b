#include "test/support/api_status.h"

#include <utility>

#include "test/support/json_edit.h"

namespace certlatch::test {
namespace {

std::string Quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

Json Details(const ApiResource& resource, std::string_view name) {
  Json details{Json::Object()};
  if (!name.empty()) details = With(details, "name", JsonText(name));
  if (!resource.group.empty()) details = With(details, "group", JsonText(resource.group));
  return With(details, "kind", JsonText(resource.plural));
}

}  // namespace

ApiError MakeError(int code, std::string_view reason, std::string_view message, Json details) {
  Json::Object members{{"kind", JsonText("Status")},       {"apiVersion", JsonText("v1")},
                       {"metadata", Json(Json::Object())}, {"status", JsonText("Failure")},
                       {"message", JsonText(message)},     {"reason", JsonText(reason)}};
  if (!details.is_null()) members.push_back({"details", std::move(details)});
  members.push_back({"code", JsonInt(code)});
  return {code, Json(std::move(members))};
}

ApiError NotFound(const ApiResource& resource, std::string_view name) {
  return MakeError(404, "NotFound", resource.qualified() + " " + Quoted(name) + " not found",
                   Details(resource, name));
}

ApiError AlreadyExists(const ApiResource& resource, std::string_view name) {
  return MakeError(409, "AlreadyExists",
                   resource.qualified() + " " + Quoted(name) + " already exists",
                   Details(resource, name));
}

ApiError Conflict(const ApiResource& resource, std::string_view name) {
  return MakeError(409, "Conflict",
                   "Operation cannot be fulfilled on " + resource.qualified() + " " + Quoted(name) +
                       ": the object has been modified; please apply your changes to the latest "
                       "version and try again",
                   Details(resource, name));
}

ApiError Unauthorized() { return MakeError(401, "Unauthorized", "Unauthorized"); }

ApiError Forbidden(const ApiResource& resource, std::string_view name, std::string_view what) {
  const std::string named = name.empty() ? "" : " " + Quoted(name);
  return MakeError(403, "Forbidden",
                   resource.qualified() + named + " is forbidden: " + std::string(what),
                   Details(resource, name));
}

ApiError BadRequest(std::string_view message) { return MakeError(400, "BadRequest", message); }

ApiError Expired(std::string_view message) { return MakeError(410, "Expired", message); }

ApiError TooLargeVersion(int64_t wanted, int64_t current) {
  const Json cause = Json(Json::Object{{"reason", JsonText("ResourceVersionTooLarge")},
                                       {"message", JsonText("Too large resource version")}});
  Json details =
      Json(Json::Object{{"causes", Json(Json::Array{cause})}, {"retryAfterSeconds", JsonInt(1)}});
  return MakeError(504, "Timeout",
                   "Timeout: Too large resource version: " + std::to_string(wanted) +
                       ", current: " + std::to_string(current),
                   std::move(details));
}

bool SendStatus(Connection& connection, const ApiError& error, HeaderList headers) {
  headers.emplace_back("Content-Type", "application/json");
  return connection.SendResponse(error.code, headers, error.status.Dump());
}

}  // namespace certlatch::test
