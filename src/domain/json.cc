#include "domain/json.h"

#include <simdjson.h>

#include "base/text.h"

namespace certlatch {
namespace {

namespace ondemand = simdjson::ondemand;

const Json kNull;
const Json::Array kNoItems;
const Json::Object kNoMembers;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// RFC 8259, section 6. On-Demand leaves a number unread until it is asked for; asking by grammar
// keeps the spelling and costs less code than its float parser.
bool IsJsonNumber(std::string_view text) {
  size_t at = 0;
  auto digits = [&] {
    const size_t start = at;
    while (at < text.size() && IsDigit(text[at])) ++at;
    return at - start;
  };
  if (at < text.size() && text[at] == '-') ++at;
  const bool leading_zero = at < text.size() && text[at] == '0';
  const size_t whole = digits();
  if (whole == 0 || (leading_zero && whole > 1)) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (digits() == 0) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (digits() == 0) return false;
  }
  return at == text.size();
}

std::string_view WithoutTrailingSpace(std::string_view text) {
  const size_t last = text.find_last_not_of(" \t\r\n");
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

// The one walk over On-Demand values: simdjson inlines its parser into every function that calls
// it, so all of the program parses here.
class Walker {
 public:
  // False: see problem().
  bool Walk(ondemand::value value, int depth, Json& out) {
    if (depth > kMaxJsonDepth) return Fail("nested too deeply");
    if (++nodes_ > kMaxJsonNodes) return Fail("too many values");
    ondemand::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return Fail("malformed");
    switch (type) {
      case ondemand::json_type::object:
        return WalkObject(value.get_object(), depth, out);
      case ondemand::json_type::array:
        return WalkArray(value.get_array(), depth, out);
      default:
        return WalkScalar(value, type, out);
    }
  }

  bool WalkObject(simdjson::simdjson_result<ondemand::object> found, int depth, Json& out) {
    ondemand::object object{};
    // NOLINTNEXTLINE(performance-move-const-arg): get() takes rvalues only.
    if (std::move(found).get(object) != simdjson::SUCCESS) return Fail("malformed");
    Json::Object members;
    for (auto entry : object) {
      std::string_view key;
      ondemand::value value{};
      if (entry.unescaped_key().get(key) != simdjson::SUCCESS) return Fail("malformed key");
      members.push_back({std::string(key), Json()});
      if (entry.value().get(value) != simdjson::SUCCESS) return Fail("malformed");
      if (!Walk(value, depth + 1, members.back().value)) return false;
    }
    out = Json(std::move(members));
    return true;
  }

  bool WalkArray(simdjson::simdjson_result<ondemand::array> found, int depth, Json& out) {
    ondemand::array array{};
    // NOLINTNEXTLINE(performance-move-const-arg): get() takes rvalues only.
    if (std::move(found).get(array) != simdjson::SUCCESS) return Fail("malformed");
    Json::Array items;
    for (auto entry : array) {
      ondemand::value value{};
      if (entry.get(value) != simdjson::SUCCESS) return Fail("malformed");
      items.emplace_back();
      if (!Walk(value, depth + 1, items.back())) return false;
    }
    out = Json(std::move(items));
    return true;
  }

  const char* problem() const { return problem_; }

 private:
  bool WalkScalar(ondemand::value& value, ondemand::json_type type, Json& out) {
    bool truth = false;
    std::string_view text;
    switch (type) {
      case ondemand::json_type::string:
        if (value.get_string().get(text) != simdjson::SUCCESS) return Fail("malformed string");
        out = Json(std::string(text));
        return true;
      case ondemand::json_type::number:
        text = WithoutTrailingSpace(value.raw_json_token());
        if (!IsJsonNumber(text)) return Fail("malformed number");
        out = Json(Json::Number{std::string(text)});
        return true;  // left unconsumed: the iteration around it skips it
      case ondemand::json_type::boolean:
        if (value.get_bool().get(truth) != simdjson::SUCCESS) return Fail("malformed literal");
        out = Json(truth);
        return true;
      default:
        if (value.is_null().get(truth) != simdjson::SUCCESS || !truth) {
          return Fail("malformed literal");
        }
        out = Json();
        return true;
    }
  }

  bool Fail(const char* problem) {
    problem_ = problem;
    return false;
  }

  size_t nodes_ = 0;
  const char* problem_ = "";
};

Error Malformed(const char* problem) {
  return Failure(Code::kRetry, "not valid JSON: %s", problem);
}

void Append(const Json& value, std::string& out);

void AppendMembers(const Json::Object& members, std::string& out) {
  char separator = '{';
  for (const Json::Member& member : members) {
    out += separator;
    out += JsonQuote(member.key);
    out += ':';
    Append(member.value, out);
    separator = ',';
  }
  if (members.empty()) out += '{';
  out += '}';
}

void AppendItems(const Json::Array& items, std::string& out) {
  char separator = '[';
  for (const Json& item : items) {
    out += separator;
    Append(item, out);
    separator = ',';
  }
  if (items.empty()) out += '[';
  out += ']';
}

void Append(const Json& value, std::string& out) {
  switch (value.kind()) {
    case Json::Kind::kNull:
      out += "null";
      break;
    case Json::Kind::kBool:
      out += *value.AsBool() ? "true" : "false";
      break;
    case Json::Kind::kNumber:
      out += value.NumberText();
      break;
    case Json::Kind::kString:
      out += JsonQuote(value.AsString());
      break;
    case Json::Kind::kArray:
      AppendItems(value.items(), out);
      break;
    case Json::Kind::kObject:
      AppendMembers(value.members(), out);
      break;
  }
}

}  // namespace

const Json& Json::Null() { return kNull; }

Json::Json(bool value) : value_(value) {}
Json::Json(Number value) : value_(std::move(value)) {}
Json::Json(std::string value) : value_(std::move(value)) {}
Json::Json(Array value) : value_(std::move(value)) {}
Json::Json(Object value) : value_(std::move(value)) {}

const Json& Json::operator[](std::string_view key) const {
  const Json* found = Find(key);
  return found == nullptr ? kNull : *found;
}

const Json& Json::operator[](size_t index) const {
  const Array& all = items();
  return index < all.size() ? all[index] : kNull;
}

const Json& Json::At(std::string_view path) const {
  const Json* field = this;
  while (true) {
    const size_t dot = path.find('.');
    field = &(*field)[path.substr(0, dot)];
    if (dot == std::string_view::npos) return *field;
    path.remove_prefix(dot + 1);
  }
}

const Json* Json::Find(std::string_view key) const {
  const Object& all = members();
  for (auto member = all.rbegin(); member != all.rend(); ++member) {
    if (member->key == key) return &member->value;
  }
  return nullptr;
}

std::string_view Json::AsString() const {
  const auto* text = std::get_if<std::string>(&value_);
  return text == nullptr ? std::string_view() : std::string_view(*text);
}

std::string_view Json::NumberText() const {
  const auto* number = std::get_if<Number>(&value_);
  return number == nullptr ? std::string_view() : std::string_view(number->text);
}

std::optional<int64_t> Json::AsInt() const { return ParseInt(NumberText()); }

std::optional<bool> Json::AsBool() const {
  const auto* truth = std::get_if<bool>(&value_);
  return truth == nullptr ? std::nullopt : std::optional<bool>(*truth);
}

const Json::Array& Json::items() const {
  const auto* array = std::get_if<Array>(&value_);
  return array == nullptr ? kNoItems : *array;
}

const Json::Object& Json::members() const {
  const auto* object = std::get_if<Object>(&value_);
  return object == nullptr ? kNoMembers : *object;
}

Json Json::Take(std::string_view key) {
  const Json* found = Find(key);
  // Find is const for the readers; here the object is ours to change.
  return found == nullptr ? Json() : std::exchange(*const_cast<Json*>(found), Json());
}

Json::Array Json::TakeItems() && {
  auto* array = std::get_if<Array>(&value_);
  return array == nullptr ? Array() : std::move(*array);
}

std::string Json::Dump() const {
  std::string out;
  Append(*this, out);
  return out;
}

Result<Json> ParseJson(std::string_view text) {
  const simdjson::padded_string padded(text);
  ondemand::parser parser;
  ondemand::document document;
  ondemand::json_type type;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS ||
      document.type().get(type) != simdjson::SUCCESS) {
    return Malformed("malformed");
  }
  Walker walker;
  Json root;
  bool good = false;
  if (type == ondemand::json_type::object) {
    good = walker.WalkObject(document.get_object(), 1, root);
  } else if (type == ondemand::json_type::array) {
    good = walker.WalkArray(document.get_array(), 1, root);
  } else {
    return Malformed("neither an object nor an array");
  }
  if (!good) return Malformed(walker.problem());
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
    return Malformed("text after the value");
  }
  return root;
}

std::string JsonQuote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20) {
      out += Format("\\u%04x", byte);
    } else {
      out += c;
    }
  }
  out += '"';
  return out;
}

}  // namespace certlatch
