#include "test/support/mini_apiserver.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/text.h"
#include "test/support/api_discovery.h"
#include "test/support/api_present.h"
#include "test/support/json_edit.h"

namespace certlatch::test {
namespace {

[[noreturn]] void Die(std::string_view what, std::string_view text) {
  std::fprintf(stderr, "MiniApiserver: %s: %s\n", std::string(what).c_str(),
               Printable(text).c_str());
  std::abort();
}

Json ParsedOrDie(std::string_view text) {
  Result<Json> json = ParseJson(text);
  if (!json) Die(json.error().text, text);
  return *std::move(json);
}

bool IsWatch(const HttpRequest& request) {
  return request.Query("watch") == "true" || request.Query("watch") == "1";
}

std::string_view Verb(const HttpRequest& request, bool named) {
  if (request.method == "POST") return "create";
  if (request.method == "PUT") return "update";
  if (request.method == "PATCH") return "patch";
  if (request.method == "DELETE") return named ? "delete" : "deletecollection";
  if (named) return "get";
  return IsWatch(request) ? "watch" : "list";
}

std::string MediaType(const HttpRequest& request) {
  return ToLower(Trim(Split(request.Header("content-type"), ';')[0]));
}

ApiError UnsupportedBody(std::string_view accepted) {
  return MakeError(415, "UnsupportedMediaType",
                   "the body of the request was in an unknown format - accepted media types "
                   "include: " +
                       std::string(accepted));
}

// kubectl sends some of its own typed objects so ("create secret generic", not "create -f").
bool IsProtobuf(const HttpRequest& request) {
  return MediaType(request) == "application/vnd.kubernetes.protobuf";
}

constexpr std::string_view kNameSuffixAlphabet = "bcdfghjklmnpqrstvwxz2456789";

std::string GeneratedName(std::string_view prefix, int64_t seed) {
  std::string name(prefix);
  uint64_t rest = static_cast<uint64_t>(seed) * 2654435761U;
  for (int i = 0; i < 5; ++i, rest /= kNameSuffixAlphabet.size()) {
    name += kNameSuffixAlphabet[rest % kNameSuffixAlphabet.size()];
  }
  return name;
}

}  // namespace

MiniApiserver::MiniApiserver(MiniApiserverOptions options)
    : options_(std::move(options)),
      resources_(DefaultResources()),
      tokens_(options_.tokens),
      store_(options_.history),
      server_(options_.server, [this](const HttpRequest& request, Connection& connection) {
        Handle(request, connection);
      }) {
  for (const std::string name : {"default", "kube-system"}) {
    Put(R"({"kind":"Namespace","apiVersion":"v1","metadata":{"name":")" + name + "\"}}");
  }
}

MiniApiserver::~MiniApiserver() = default;

// ---- The test's side ----

void MiniApiserver::Register(const ApiResource& resource) {
  std::lock_guard lock(mutex_);
  resources_.push_back(resource);
}

void MiniApiserver::SetTokens(TokenTable tokens) {
  std::lock_guard lock(mutex_);
  tokens_ = std::move(tokens);
}

int64_t MiniApiserver::Put(std::string_view object_json) {
  const Json object = ParsedOrDie(object_json);
  const std::string name(object["metadata"]["name"].AsString());
  std::string ns(object["metadata"]["namespace"].AsString());
  std::unique_lock lock(mutex_);
  const auto resource =
      std::find_if(resources_.begin(), resources_.end(), [&](const ApiResource& candidate) {
        return candidate.kind == object["kind"].AsString() &&
               candidate.api_version() == object["apiVersion"].AsString();
      });
  if (resource == resources_.end() || name.empty()) Die("unknown kind or no name", object_json);
  if (resource->namespaced && ns.empty()) ns = "default";
  if (!resource->namespaced) ns.clear();
  const ApiResource found = *resource;
  if (!ns.empty() && store_.Get({"namespaces", "", ns}) == nullptr) {
    lock.unlock();
    Put(R"({"kind":"Namespace","apiVersion":"v1","metadata":{"name":)" + JsonQuote(ns) + "}}");
    lock.lock();
  }
  const ObjectKey key{found.qualified(), ns, name};
  const ObjectPtr old = store_.Get(key);
  store_.Write(key, old != nullptr ? UpdatedObject(found, *old, object, Part::kAll)
                                   : NewObject(found, ns, object, Part::kAll));
  Changed();
  return store_.version();
}

bool MiniApiserver::PatchStatus(const ObjectRef& ref, std::string_view status_json) {
  const Json patch = ParsedOrDie(status_json);
  std::lock_guard lock(mutex_);
  const ObjectKey key{ref.resource, ref.ns, ref.name};
  const ObjectPtr old = store_.Get(key);
  if (old == nullptr) return false;
  store_.Write(key, With(*old, "status", MergePatch((*old)["status"], patch)));
  Changed();
  return true;
}

bool MiniApiserver::Delete(const ObjectRef& ref) {
  std::lock_guard lock(mutex_);
  const ObjectKey key{ref.resource, ref.ns, ref.name};
  if (store_.Get(key) == nullptr) return false;
  Erase(key);
  return true;
}

std::optional<Json> MiniApiserver::Get(const ObjectRef& ref) const {
  std::lock_guard lock(mutex_);
  const ObjectPtr object = store_.Get({ref.resource, ref.ns, ref.name});
  return object != nullptr ? std::optional<Json>(*object) : std::nullopt;
}

int64_t MiniApiserver::version() const {
  std::lock_guard lock(mutex_);
  return store_.version();
}

void MiniApiserver::CompactHistory() {
  std::lock_guard lock(mutex_);
  store_.Compact();
}

void MiniApiserver::InjectFault(std::function<bool(const HttpRequest&)> chosen,
                                ScriptedServer::Handler handler, int times) {
  std::lock_guard lock(mutex_);
  faults_.push_back({std::move(chosen), std::move(handler), times});
}

void MiniApiserver::ClearFaults() {
  std::lock_guard lock(mutex_);
  faults_.clear();
}

// ---- From a request to its target ----

ScriptedServer::Handler MiniApiserver::TakeFault(const HttpRequest& request) {
  std::lock_guard lock(mutex_);
  for (auto fault = faults_.begin(); fault != faults_.end(); ++fault) {
    if (!fault->chosen(request)) continue;
    ScriptedServer::Handler handler = fault->handler;
    if (fault->times > 0 && --fault->times == 0) faults_.erase(fault);
    return handler;
  }
  return nullptr;
}

void MiniApiserver::Handle(const HttpRequest& request, Connection& connection) {
  if (const ScriptedServer::Handler fault = TakeFault(request)) {
    fault(request, connection);
  } else {
    Answer(request, connection);
  }
}

void MiniApiserver::Answer(const HttpRequest& request, Connection& connection) {
  const std::optional<ApiUser> user = Authenticate(request);
  if (!user) {
    SendStatus(connection, Unauthorized());
    return;
  }
  if (const std::optional<Json> document = Document(request.path)) {
    connection.SendResponse(200, {{"Content-Type", "application/json"}}, document->Dump());
    return;
  }
  const std::optional<Target> target = Resolve(request.path);
  if (!target) {
    // What kube-apiserver's mux answers for paths it does not serve.
    connection.SendResponse(404, {{"Content-Type", "text/plain; charset=utf-8"}},
                            "404 page not found\n");
    return;
  }
  if (const std::optional<ApiError> denied = Authorize(request, *target, *user)) {
    SendStatus(connection, *denied);
  } else if (request.method == "GET" && target->name.empty() && IsWatch(request)) {
    Watch(request, *target, connection);
  } else {
    const Reply reply = Perform(request, *target);
    connection.SendResponse(reply.code, {{"Content-Type", "application/json"}}, reply.body.Dump());
  }
}

std::optional<ApiUser> MiniApiserver::Authenticate(const HttpRequest& request) const {
  constexpr std::string_view kScheme = "Bearer ";
  std::lock_guard lock(mutex_);
  ApiUser root;
  root.all = true;
  if (tokens_.empty()) return root;
  const std::string_view header = request.Header("authorization");
  if (header.substr(0, kScheme.size()) == kScheme) {
    const auto user = tokens_.find(Trim(header.substr(kScheme.size())));
    if (user != tokens_.end()) return user->second;
    return std::nullopt;
  }
  if (request.client_common_name.empty()) return std::nullopt;
  root.name = request.client_common_name;
  return root;
}

std::optional<ApiError> MiniApiserver::Authorize(const HttpRequest& request, const Target& target,
                                                 const ApiUser& user) const {
  const std::string_view verb = Verb(request, !target.name.empty());
  const std::string subresource = target.status ? "/status" : "";
  std::string name = target.name;
  if (verb == "list" || verb == "watch") {
    const Result<Selector> fields = Selector::OfFields(request.Query("fieldSelector"));
    if (fields) name = fields->Required("metadata.name");
  }
  if (Allows(user, {verb, target.resource.qualified() + subresource, name, target.ns})) {
    return std::nullopt;
  }
  std::string what = "User \"" + user.name + "\" cannot " + std::string(verb) + " resource \"" +
                     target.resource.plural + subresource + "\" in API group \"" +
                     target.resource.group + "\" ";
  what += target.ns.empty() ? "at the cluster scope" : "in the namespace \"" + target.ns + "\"";
  return Forbidden(target.resource, name, what);
}

std::optional<Json> MiniApiserver::Document(std::string_view path) const {
  std::vector<std::string_view> parts = Split(Trim(path), '/');
  if (parts.size() > 1 && parts.back().empty()) parts.pop_back();
  std::lock_guard lock(mutex_);
  Json document;
  if (parts.size() == 2) {
    if (parts[1] == "version") document = VersionInfo();
    if (parts[1] == "api") document = CoreVersions();
    if (parts[1] == "apis") document = GroupList(resources_);
  } else if (parts.size() == 3 && parts[1] == "api") {
    document = ResourceList(resources_, "", parts[2]);
  } else if (parts.size() == 3 && parts[1] == "apis") {
    document = Group(resources_, parts[2]);
  } else if (parts.size() == 4 && parts[1] == "apis") {
    document = ResourceList(resources_, parts[2], parts[3]);
  }
  return document.is_null() ? std::nullopt : std::optional<Json>(std::move(document));
}

// /api/VERSION/REST or /apis/GROUP/VERSION/REST, where REST is
// [namespaces/NS/]PLURAL[/NAME[/status]].
std::optional<MiniApiserver::Target> MiniApiserver::Resolve(std::string_view path) const {
  std::vector<std::string_view> parts = Split(path, '/');
  if (parts.size() < 4 || (parts[1] != "api" && parts[1] != "apis")) return std::nullopt;
  const bool core = parts[1] == "api";
  const std::string_view group = core ? std::string_view() : parts[2];
  const std::string_view version = core ? parts[2] : parts[3];
  parts.erase(parts.begin(), parts.begin() + (core ? 3 : 4));
  Target target;
  if (parts.size() >= 3 && parts[0] == "namespaces" && parts[2] != "status") {
    target.ns = parts[1];
    parts.erase(parts.begin(), parts.begin() + 2);
  }
  if (parts.empty() || parts.size() > 3) return std::nullopt;
  std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(resources_.begin(), resources_.end(), [&](const ApiResource& resource) {
        return resource.group == group && resource.version == version &&
               resource.plural == parts[0];
      });
  if (found == resources_.end()) return std::nullopt;
  target.resource = *found;
  if (parts.size() > 1) target.name = parts[1];
  target.status = parts.size() == 3;
  // A namespaced object has a namespace in its path, a cluster-wide one has none.
  const bool fits =
      found->namespaced ? target.name.empty() || !target.ns.empty() : target.ns.empty();
  if (!fits || (target.status && (parts[2] != "status" || !found->has_status))) {
    return std::nullopt;
  }
  return target;
}

// ---- Reading ----

Result<MiniApiserver::Selection> MiniApiserver::Select(const HttpRequest& request,
                                                       const Target& target) const {
  Result<Selector> labels = Selector::OfLabels(request.Query("labelSelector"));
  if (!labels) return labels.error();
  Result<Selector> fields = Selector::OfFields(request.Query("fieldSelector"));
  if (!fields) return fields.error();
  Selection selection;
  selection.scope = {target.resource.qualified(), target.ns, *std::move(labels),
                     *std::move(fields)};
  const std::string_view version = request.Query("resourceVersion");
  if (version.empty()) return selection;
  const std::optional<uint64_t> number = ParseUint(version, INT64_MAX);
  if (!number) return Error{Code::kConfig, "invalid resource version: " + Printable(version)};
  selection.version = static_cast<int64_t>(*number);
  selection.exact_start = selection.version != 0;
  return selection;
}

MiniApiserver::Reply MiniApiserver::Perform(const HttpRequest& request, const Target& target) {
  const View view = ViewOf(request.Header("accept"));
  const std::string_view verb = Verb(request, !target.name.empty());
  std::lock_guard lock(mutex_);
  Reply reply{405, MakeError(405, "MethodNotAllowed",
                             "the server does not allow this method on the requested resource")
                       .status};
  if (verb == "get") reply = GetOne(target);
  if (verb == "list") reply = List(request, target);
  if (verb == "create" && target.name.empty()) reply = Create(request, target);
  if ((verb == "update" || verb == "patch") && !target.name.empty()) {
    reply = Change(request, target);
  }
  if (verb == "delete" && !target.status) reply = Remove(target);
  if (reply.code >= 300) return reply;
  const Result<Json> shown = Show(target.resource, std::move(reply.body), view);
  if (!shown) return {406, MakeError(406, "NotAcceptable", shown.error().text).status};
  return {reply.code, *shown};
}

MiniApiserver::Reply MiniApiserver::GetOne(const Target& target) const {
  const ObjectPtr object = store_.Get(target.key());
  if (object == nullptr) return {404, NotFound(target.resource, target.name).status};
  return {200, *object};
}

MiniApiserver::Reply MiniApiserver::List(const HttpRequest& request, const Target& target) {
  const Result<Selection> selection = Select(request, target);
  if (!selection) return {400, BadRequest(selection.error().text).status};
  if (selection->version > store_.version()) {
    return {504, TooLargeVersion(selection->version, store_.version()).status};
  }
  if (!request.Query("continue").empty()) {
    const std::vector<std::string_view> parts = Split(request.Query("continue"), '.');
    const std::optional<uint64_t> snapshot = ParseUint(parts[0], INT64_MAX);
    const std::optional<uint64_t> start = ParseUint(parts.back(), SIZE_MAX);
    if (parts.size() != 2 || !snapshot || !start) {
      return {400, BadRequest("continue key is not valid").status};
    }
    return Page(request, target, static_cast<int64_t>(*snapshot), static_cast<size_t>(*start));
  }
  const int64_t snapshot = store_.Keep({store_.version(), store_.List(selection->scope)});
  Reply reply = Page(request, target, snapshot, 0);
  if (reply.body["metadata"].Find("continue") == nullptr) store_.Forget(snapshot);
  return reply;
}

MiniApiserver::Reply MiniApiserver::Page(const HttpRequest& request, const Target& target,
                                         int64_t snapshot, size_t start) {
  const ApiStore::Snapshot* kept = store_.Kept(snapshot);
  if (kept == nullptr || start > kept->items.size()) {
    return {410, Expired("The provided continue parameter is too old to display a consistent list "
                         "result. You can start a new list without the continue parameter.")
                     .status};
  }
  const size_t rest = kept->items.size() - start;
  size_t limit = static_cast<size_t>(ParseUint(request.Query("limit"), 1 << 30).value_or(0));
  // With resourceVersion=0 the answer comes from the watch cache, which does not page.
  if (limit == 0 || request.Query("resourceVersion") == "0") limit = rest;
  const size_t count = std::min(limit, rest);
  Json metadata = With(Json(), "resourceVersion", JsonText(std::to_string(kept->version)));
  if (count < rest) {
    const std::string next = std::to_string(snapshot) + "." + std::to_string(start + count);
    metadata = With(metadata, "continue", JsonText(next));
    const bool all =
        request.Query("labelSelector").empty() && request.Query("fieldSelector").empty();
    if (all) {  // with a selector the real server does not know
      metadata = With(metadata, "remainingItemCount", JsonInt(static_cast<int64_t>(rest - count)));
    }
  }
  Json::Array items;
  for (size_t i = start; i < start + count; ++i) items.push_back(*kept->items[i]);
  return {200, Json(Json::Object{{"kind", JsonText(target.resource.kind + "List")},
                                 {"apiVersion", JsonText(target.resource.api_version())},
                                 {"metadata", metadata},
                                 {"items", Json(std::move(items))}})};
}

// ---- Writing ----

MiniApiserver::Reply MiniApiserver::Create(const HttpRequest& request, const Target& target) {
  if (IsProtobuf(request)) return {415, UnsupportedBody("application/json").status};
  const Result<Json> body = ParseJson(request.body);
  if (!body) return {400, BadRequest(body.error().text).status};
  const Json& metadata = (*body)["metadata"];
  std::string name(metadata["name"].AsString());
  if (name.empty() && !metadata["generateName"].AsString().empty()) {
    name = GeneratedName(metadata["generateName"].AsString(), store_.version());
  }
  if (name.empty()) {
    return {422, MakeError(422, "Invalid",
                           target.resource.kind +
                               " \"\" is invalid: metadata.name: Required value: name or "
                               "generateName is required")
                     .status};
  }
  if (target.resource.namespaced && target.ns.empty()) {
    return {400, BadRequest("the namespace of the request is missing").status};
  }
  if (!target.ns.empty() && store_.Get({"namespaces", "", target.ns}) == nullptr) {
    return {404, NotFound(*FindResource("namespaces"), target.ns).status};
  }
  const ObjectKey key{target.resource.qualified(), target.ns, name};
  if (store_.Get(key) != nullptr) return {409, AlreadyExists(target.resource, name).status};
  const Json named = With(*body, "metadata", With(metadata, "name", JsonText(name)));
  const Json created = NewObject(target.resource, target.ns, named, Part::kMain);
  if (request.Query("dryRun") == "All") return {201, created};
  const ObjectPtr stored = store_.Write(key, created);
  Changed();
  return {201, *stored};
}

MiniApiserver::Reply MiniApiserver::Change(const HttpRequest& request, const Target& target) {
  const std::string type = MediaType(request);
  const bool patch = request.method == "PATCH";
  const bool known_patch =
      type == "application/merge-patch+json" ||
      (type == "application/strategic-merge-patch+json" && !target.resource.custom);
  if (patch && !known_patch) return {415, UnsupportedBody("application/merge-patch+json").status};
  if (IsProtobuf(request)) return {415, UnsupportedBody("application/json").status};
  const Result<Json> body = ParseJson(request.body);
  if (!body) return {400, BadRequest(body.error().text).status};
  const ObjectPtr old = store_.Get(target.key());
  if (old == nullptr) return {404, NotFound(target.resource, target.name).status};
  const std::string_view wanted = (*body)["metadata"]["resourceVersion"].AsString();
  if (!wanted.empty() && wanted != (*old)["metadata"]["resourceVersion"].AsString()) {
    return {409, Conflict(target.resource, target.name).status};
  }
  const Json next = patch ? MergePatch(*old, *body) : *body;
  const Part part = target.status ? Part::kStatus : Part::kMain;
  return Store(target, *old, UpdatedObject(target.resource, *old, next, part),
               request.Query("dryRun") == "All");
}

MiniApiserver::Reply MiniApiserver::Store(const Target& target, const Json& old,
                                          const Json& updated, bool dry_run) {
  // A write that changes nothing makes no new version and no event, as in the real server.
  if (dry_run || Same(old, updated)) return {200, updated};
  if (IsGone(updated)) {  // the last finalizer has let go
    Erase(target.key());
    return {200, updated};
  }
  const ObjectPtr stored = store_.Write(target.key(), updated);
  Changed();
  return {200, *stored};
}

MiniApiserver::Reply MiniApiserver::Remove(const Target& target) {
  const ObjectPtr old = store_.Get(target.key());
  if (old == nullptr) return {404, NotFound(target.resource, target.name).status};
  if (!(*old)["metadata"]["finalizers"].items().empty()) {
    return Store(target, *old, TerminatingObject(*old), false);
  }
  Erase(target.key());
  Json details = Json(Json::Object{{"name", JsonText(target.name)}});
  if (!target.resource.group.empty()) {
    details = With(details, "group", JsonText(target.resource.group));
  }
  details = With(details, "kind", JsonText(target.resource.plural));
  details = With(details, "uid", (*old)["metadata"]["uid"]);
  return {200, Json(Json::Object{{"kind", JsonText("Status")},
                                 {"apiVersion", JsonText("v1")},
                                 {"metadata", Json(Json::Object())},
                                 {"status", JsonText("Success")},
                                 {"details", details}})};
}

void MiniApiserver::Erase(const ObjectKey& key) {
  if (key.resource == "namespaces") {
    for (const ObjectKey& inside : store_.KeysIn(key.name)) store_.Remove(inside);
  }
  store_.Remove(key);
  Changed();
}

void MiniApiserver::Changed() {
  for (Event* watcher : watchers_) watcher->Notify();
}

const ApiResource* MiniApiserver::FindResource(std::string_view qualified) const {
  const auto found =
      std::find_if(resources_.begin(), resources_.end(),
                   [&](const ApiResource& resource) { return resource.qualified() == qualified; });
  return found == resources_.end() ? nullptr : &*found;
}

}  // namespace certlatch::test
