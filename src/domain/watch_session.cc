#include "domain/watch_session.h"

#include <algorithm>

#include "base/text.h"

namespace certlatch {
namespace {

// Objects a page. Small pages keep the memory for one answer small.
constexpr int kPageSize = 100;
// Pages of a list: a server may put fewer objects on each than it was asked for, not none at all.
constexpr size_t kMaxPages = kMaxObjects;
// How often in a row a right that we had is denied before that is believed: an authorizer that has
// just been started may not know its rules yet. With the pauses in between about ten seconds.
constexpr int kDenials = 8;
// What the server finds wrong with a request is as wrong in the next one, unless somebody in
// between has said so.
constexpr Duration kRefusedPause = 30s;
// A watch that lived this long was a real one: what ended it is no reason to back off. (An event is
// no such sign: a proxy may cut off every watch after its first.)
constexpr Duration kLived = 5s;

std::string_view ResourceVersionOf(const Json& object) {
  return object["metadata"]["resourceVersion"].AsString();
}

std::string KeyOf(const Json& object) {
  const Json& metadata = object["metadata"];
  std::string key(metadata["namespace"].AsString());
  return key.append(1, '/').append(metadata["name"].AsString());
}

// Where `key` stands in `objects`, or is to be put.
size_t PlaceOf(const std::string& key, const Json::Object& objects) {
  size_t first = 0;
  size_t last = objects.size();
  while (first < last) {
    const size_t middle = first + (last - first) / 2;
    if (objects[middle].key < key) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  return first;
}

bool Has(const std::string& key, size_t place, const Json::Object& objects) {
  return place < objects.size() && objects[place].key == key;
}

Json::Object::iterator Iterator(size_t place, Json::Object& objects) {
  return objects.begin() + static_cast<ptrdiff_t>(place);
}

// Adds to the query of `target`, unless `value` is empty.
void AddParameter(std::string& target, const char* name, const std::string& value) {
  if (value.empty()) return;
  target += target.find('?') == std::string::npos ? '?' : '&';
  target.append(name).append(1, '=').append(UrlEncode(value));
}

// Of a field selector's value.
std::string EscapeField(const std::string& value) {
  std::string escaped;
  for (const char c : value) {
    if (c == ',' || c == '=' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

}  // namespace

std::string UrlEncode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += Format("%%%02X", byte);
  }
  return out;
}

bool Selection::operator==(const Selection& other) const {
  return resource.GroupResource() == other.resource.GroupResource() && ns == other.ns &&
         name == other.name && label_selector == other.label_selector &&
         field_selector == other.field_selector;
}

WatchSession::WatchSession(Selection selection, WatchSettings settings)
    : selection_(std::move(selection)),
      settings_(settings),
      backoff_(settings.retry_first, settings.retry_most, settings.seed) {}

WatchStep WatchSession::Start() { return Fetch(); }

WatchStep WatchSession::OnFetched(const ApiAnswer& answer) {
  if (answer.status != 200 || !answer.problem.empty()) return OnRefused(answer);
  Result<Json> json = ParseJson(answer.body);
  if (!json) return Retry(std::move(json).error().With("the API server's answer").text);
  return reading_ == Reading::kList ? OnList(*std::move(json)) : OnObject(*std::move(json));
}

WatchStep WatchSession::OnList(Json list) {
  const std::string next(list["metadata"]["continue"].AsString());
  const std::string version(ResourceVersionOf(list));
  // Go writes [] or null for no items, never nothing: what has none is no list.
  const Json* items = list.Find("items");
  if (items == nullptr || !(items->is_array() || items->is_null())) {
    return Retry("the API server's answer is not a list");
  }
  for (Json& item : list.Take("items").TakeItems()) {
    const Status put = Put(std::move(item), pages_);
    if (!put) return OnUnfit(put.error());
  }
  if (!next.empty()) {
    if (++page_count_ > kMaxPages) return Retry("the API server's list does not end");
    continue_token_ = next;
    return Fetch();
  }
  // Without a resourceVersion there is nothing to watch from.
  if (version.empty()) return Retry("the API server's list has no resourceVersion");
  resource_version_ = version;
  collection_.objects.swap(pages_);
  return OnComplete();
}

WatchStep WatchSession::OnObject(Json object) {
  pages_.clear();
  // An object's own resourceVersion may be too old to watch from. Without one, the watch begins by
  // telling the present state.
  resource_version_.clear();
  const Status put = Put(std::move(object), pages_);
  if (!put) return OnUnfit(put.error());
  collection_.objects.swap(pages_);
  return OnComplete();
}

// An object that cannot be kept.
WatchStep WatchSession::OnUnfit(const Error& error) {
  return error.code == Code::kConfig ? Stop(error) : Retry(error.text);
}

// The collection has just been read whole.
WatchStep WatchSession::OnComplete() {
  ForgetPages();
  denials_ = 0;
  collection_.knowledge = Collection::Knowledge::kKnown;
  ++collection_.revision;
  trouble_.reset();
  if (!watch_allowed_) return Pause(settings_.poll_every, After::kFetch);
  return Watch();
}

WatchStep WatchSession::OnEvent(WatchEvent event) {
  if (event.type == WatchEvent::Type::kError) return OnErrorEvent(event.object);
  const std::string version(ResourceVersionOf(event.object));
  if (version.empty()) {
    return OnMalformed(Error{Code::kRetry, "a watch event has no resourceVersion"});
  }
  if (event.type == WatchEvent::Type::kDeleted) {
    Json::Object& objects = collection_.objects;
    const std::string key = KeyOf(event.object);
    const size_t place = PlaceOf(key, objects);
    if (Has(key, place, objects)) objects.erase(Iterator(place, objects));
  } else if (event.type != WatchEvent::Type::kBookmark) {
    const Status put = Put(std::move(event.object), collection_.objects);
    if (!put) return OnUnfit(put.error());
  }
  if (event.type != WatchEvent::Type::kBookmark) ++collection_.revision;
  resource_version_ = version;
  trouble_.reset();
  watch_worked_ = true;
  watch_denials_ = 0;
  // No reset of the backoff: a watch that tells its events and ends at once must not be opened in a
  // spin. OnWatchEnded resets it, for one that lived.
  return {};
}

WatchStep WatchSession::OnErrorEvent(const Json& status) {
  const auto code = status["code"].AsInt().value_or(0);
  if (code == 410) return Relist();
  return Retry("the watch ended: " + Printable(status["message"].AsString(), 500));
}

WatchStep WatchSession::OnWatchEnded(const ApiAnswer& answer, Instant opened, Instant now) {
  if (answer.status == 403 || answer.status == 405) return OnWatchForbidden(answer);
  // What is wrong with the request can only be the version that it begins from.
  if (answer.status == 400) return Retry(DescribeAnswer(answer));
  if (answer.status != 0 && answer.status != 200) return OnRefused(answer);
  if (now - opened >= kLived) backoff_.Reset();
  if (answer.status != 200 || !answer.problem.empty()) return Retry(DescribeAnswer(answer));
  // The server ends a watch after the time it was asked for, or when it shuts down.
  watch_worked_ = true;
  watch_denials_ = 0;
  // Without list, a watch has no version to begin from: it tells what is there, not what was
  // deleted. Get tells that.
  return AtOnceThenSlower(reading_ == Reading::kObject ? After::kFetch : After::kWatch);
}

WatchStep WatchSession::OnWatchDead() {
  trouble_ = Error{Code::kRetry, "the watch fell silent; reading anew"};
  backoff_.Reset();
  return Relist();
}

WatchStep WatchSession::Refresh() {
  ForgetPages();
  return Fetch();
}

WatchStep WatchSession::OnMalformed(const Error& error) {
  // What the lost events said can only be known by reading everything again.
  return Retry(error.text);
}

WatchStep WatchSession::OnPauseOver() { return after_pause_ == After::kWatch ? Watch() : Fetch(); }

// An answer to a list, get or watch that is not a success.
WatchStep WatchSession::OnRefused(const ApiAnswer& answer) {
  switch (answer.status) {
    case 401:
      if (!settings_.retry_unauthorized) {
        return Stop(Failure(Code::kDenied, "the API server does not accept these credentials (%s)",
                            DescribeAnswer(answer).c_str()));
      }
      return Retry(Format("the API server does not accept the token (%s); reading it again",
                          DescribeAnswer(answer).c_str()));
    case 403:
      return OnForbidden(answer);
    case 404:
      return OnNotFound(answer);
    case 410:
      return Relist();
    default:
      break;
  }
  const bool ours = answer.status >= 300 && answer.status < 500 && answer.status != 408 &&
                    answer.status != 409 && answer.status != 425 && answer.status != 429;
  if (ours && answer.problem.empty()) {
    if (settings_.retry_refused) return Retry(DescribeAnswer(answer), kRefusedPause);
    return Stop({Code::kConfig, DescribeAnswer(answer)});
  }
  return Retry(DescribeAnswer(answer), answer.retry_after.value_or(Duration::zero()));
}

WatchStep WatchSession::OnForbidden(const ApiAnswer& answer) {
  const bool had_the_right = collection_.knowledge == Collection::Knowledge::kKnown;
  if (had_the_right && ++denials_ <= kDenials) return Retry(DescribeAnswer(answer));
  if (reading_ == Reading::kList && !selection_.name.empty()) {
    reading_ = Reading::kObject;
    return Fetch();
  }
  if (settings_.retry_forbidden) {
    reading_ = Reading::kList;
    return Retry(DescribeAnswer(answer));
  }
  // The server's message names user, verb and resource.
  std::string message = Printable(StatusOf(answer)["message"].AsString());
  if (message.empty()) message = DescribeAnswer(answer);
  return Stop({Code::kDenied, std::move(message)});
}

WatchStep WatchSession::OnWatchForbidden(const ApiAnswer& answer) {
  if (watch_worked_ && ++watch_denials_ <= kDenials) return Retry(DescribeAnswer(answer));
  watch_allowed_ = false;
  warnings_.push_back(
      Format("cannot watch %s, polling every %llds instead; grant the verb \"watch\" (%s)",
             selection_.resource.GroupResource().c_str(),
             static_cast<long long>(settings_.poll_every / 1s), DescribeAnswer(answer).c_str()));
  return Pause(settings_.poll_every, After::kFetch);
}

WatchStep WatchSession::OnNotFound(const ApiAnswer& answer) {
  // A collection is never "not found" while its type is served; an object is, and the answer then
  // names it.
  const Json status = StatusOf(answer);
  if (reading_ == Reading::kObject && status["details"]["name"].AsString() == selection_.name) {
    resource_version_.clear();  // as in OnObject
    collection_.objects.clear();
    return OnComplete();
  }
  if (!selection_.resource.fallback_version.empty() && !tried_fallback_) {
    tried_fallback_ = true;
    std::swap(selection_.resource.version, selection_.resource.fallback_version);
    return Relist();
  }
  return OnNotServed();
}

WatchStep WatchSession::OnNotServed() {
  tried_fallback_ = false;
  collection_.knowledge = Collection::Knowledge::kNotServed;
  ++collection_.revision;
  collection_.objects.clear();
  trouble_ = Failure(Code::kNotFound,
                     "the server doesn't have a resource type \"%s\" (yet); is it installed?",
                     selection_.resource.GroupResource().c_str());
  ForgetPages();
  return Pause(backoff_.Spread(settings_.poll_every), After::kFetch);
}

WatchStep WatchSession::Fetch() {
  std::string target = selection_.resource.CollectionPath(selection_.ns);
  if (reading_ == Reading::kObject) {
    target.append(1, '/').append(UrlEncode(selection_.name));
  } else {
    AddSelectors(target);
    if (selection_.name.empty()) AddParameter(target, "limit", std::to_string(kPageSize));
    AddParameter(target, "continue", continue_token_);
  }
  return {WatchStep::Do::kFetch, std::move(target), {}};
}

WatchStep WatchSession::Watch() {
  const Duration length = backoff_.Spread(settings_.watch_for);  // opened together, ended apart
  const auto seconds = std::max<int64_t>(length / 1s, 1);
  std::string target = selection_.resource.CollectionPath(selection_.ns);
  target += "?watch=true&allowWatchBookmarks=true";
  AddParameter(target, "timeoutSeconds", std::to_string(seconds));
  AddSelectors(target);
  AddParameter(target, "resourceVersion", resource_version_);
  return {WatchStep::Do::kWatch, std::move(target), length + settings_.watch_grace};
}

// What was known stays known; only the place to watch from is lost.
WatchStep WatchSession::Relist() {
  resource_version_.clear();
  ForgetPages();
  return AtOnceThenSlower(After::kFetch);
}

// For what is no failure by itself, but must not spin when it repeats without progress.
WatchStep WatchSession::AtOnceThenSlower(After after) {
  after_pause_ = after;
  const bool at_once = backoff_.attempt() == 0;
  const Duration pause = backoff_.Next();
  return at_once ? OnPauseOver() : Pause(pause, after);
}

// After a failure everything is read anew: cheap for one name, and it says at once whether all is
// well again, where a watch that is taken up may stay silent for long.
WatchStep WatchSession::Retry(std::string text, Duration at_least) {
  trouble_ = Error{Code::kRetry, std::move(text)};
  ForgetPages();
  Duration pause = backoff_.Next();
  if (at_least > Duration::zero()) pause = std::max(pause, backoff_.Spread(at_least));
  return Pause(pause, After::kFetch);
}

// A list is read whole or not at all.
void WatchSession::ForgetPages() {
  pages_.clear();
  page_count_ = 0;
  continue_token_.clear();
}

WatchStep WatchSession::Pause(Duration length, After after) {
  after_pause_ = after;
  return {WatchStep::Do::kPause, "", length};
}

WatchStep WatchSession::Stop(Error trouble) {
  trouble_ = std::move(trouble);
  return {WatchStep::Do::kStop, "", {}};
}

Status WatchSession::Put(Json object, Json::Object& objects) const {
  const std::string_view name = object["metadata"]["name"].AsString();
  if (name.empty()) return Error{Code::kRetry, "the API server sent an object without a name"};
  // The selector is the server's to apply; one that ignores it must not be believed.
  if (!selection_.name.empty() && name != selection_.name) return {};
  std::string key = KeyOf(object);
  const size_t place = PlaceOf(key, objects);
  if (!Has(key, place, objects)) {
    if (objects.size() >= kMaxObjects) {
      return Failure(Code::kConfig, "more than %zu %s match; narrow the selector", kMaxObjects,
                     selection_.resource.GroupResource().c_str());
    }
    objects.insert(Iterator(place, objects), Json::Member());
    objects[place].key = std::move(key);
  }
  objects[place].value = std::move(object);
  return {};
}

void WatchSession::AddSelectors(std::string& target) const {
  const std::string& name = selection_.name;
  AddParameter(target, "fieldSelector",
               name.empty() ? selection_.field_selector : "metadata.name=" + EscapeField(name));
  AddParameter(target, "labelSelector", selection_.label_selector);
}

}  // namespace certlatch
