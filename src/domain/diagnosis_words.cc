#include "domain/diagnosis_words.h"

#include <cstring>

#include "base/text.h"

namespace certlatch {
namespace {

constexpr size_t kMaxNames = 1000;  // of a Certificate that are looked at
constexpr int kMaxShown = 5;

bool IsInName(char c) { return ConsistsOf({&c, 1}, ".-_*:"); }

// As a whole name: "web" is not in "web.prod", but in "web." at the end of a sentence and in
// "web:443".
bool Mentions(std::string_view text, std::string_view name) {
  if (name.empty()) return false;
  for (size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    const std::string_view rest = text.substr(at + name.size());
    const bool begins = at == 0 || !IsInName(text[at - 1]);
    const bool dot = rest.starts_with('.') && (rest.size() == 1 || !IsInName(rest[1]));
    if (begins && (rest.empty() || !IsInName(rest[0]) || rest[0] == ':' || dot)) return true;
  }
  return false;
}

// " (spec.dnsNames[0], spec.commonName)"; "" if `text` tells of none.
std::string WhichNames(const Json& spec, std::string_view text) {
  std::string all;
  int count = 0;
  for (const char* field : {"dnsNames", "ipAddresses", "commonName"}) {
    const Json& names = spec[field];
    for (size_t i = 0; i < kMaxNames && (i == 0 || i < names.items().size()); ++i) {
      const Json& name = names.is_array() ? names[i] : names;
      if (!Mentions(text, name.AsString()) || ++count > kMaxShown) continue;
      all += Format(names.is_array() ? "%sspec.%s[%zu]" : "%sspec.%s", count == 1 ? " (" : ", ",
                    field, i);
    }
  }
  if (count > kMaxShown) all += ", …";
  return all.empty() ? all : all + ')';
}

std::string_view Between(std::string_view text, std::string_view before, std::string_view after) {
  const size_t start = text.find(before);
  if (start == std::string_view::npos) return {};
  text.remove_prefix(start + before.size());
  return text.substr(0, text.find(after));
}

struct Advice {
  const char* words;
  const char* text;
};
constexpr Advice kAdvice[] = {
    {"not allowed by this role",
     "Vault names only the first name that it refuses: compare all names of spec with the role's "
     "allowed_domains, allow_subdomains and allow_bare_domains"},
    {"wrong status code '404'",
     "something else answers for this name: see that its DNS record and the Ingress class lead to "
     "the solver of cert-manager"},
    {"no such host", "the name has no DNS record where this cluster looks it up"},
    {"DNS-01 challenge propagation",
     "the TXT record is not seen yet: see that the solver may write the zone, and that the zone is "
     "delegated to it"},
    {"rateLimited", "the ACME server limits requests: waiting is all that helps"},
};

}  // namespace

std::string Words(std::string_view text, size_t limit) {
  std::string line;
  for (const char c : Trim(text.substr(0, 4 * limit))) {
    const bool space = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (!space || !line.ends_with(' ')) line += space ? ' ' : c;
  }
  return Printable(line, limit);
}

// It may go on after a '}'.
const Json& At(const Json& object, const char* path) {
  return object.At({path, std::strcspn(path, "}")});  // of a pattern, too
}

std::string_view TextAt(const Json& object, const char* path) {
  return At(object, path).AsString();
}

bool Is(const Json& object, const char* path, const char* text) {
  return TextAt(object, path) == text;
}

bool IsTrue(const Json& object, const char* path) {
  return At(object, path).AsBool().value_or(false);
}

std::string Fill(const char* pattern, const Json& object, std::string_view words) {
  std::string text;
  size_t optional = 0;   // where the part in brackets began
  bool missing = false;  // a field of it
  for (const char* c = pattern; *c != '\0'; ++c) {
    if (*c == '[') {
      optional = text.size();
      missing = false;
    } else if (*c == ']') {
      if (missing) text.resize(optional);
    } else if (*c == '{') {
      const size_t before = text.size();
      const Json& field = At(object, ++c);
      text += *c == '$' ? std::string(words)
                        : Words(field.is_number() ? field.NumberText() : field.AsString());
      c += std::strcspn(c, "}");
      missing = missing || text.size() == before;
    } else {
      text += *c;
    }
  }
  return text;
}

// Vault's answer comes as its client prints it: "Error making API request. URL: PUT …/sign/ROLE
// Code: 400. Errors: * WORDS". What helps are the role and the words.
std::string IssuersWords(const Json& spec, const std::string& words) {
  constexpr std::string_view kErrors = " Errors: * ";
  const std::string_view url = Between(words, "URL: ", " Code: ");
  const size_t errors = words.find(kErrors);
  if (errors == std::string::npos || url.find("/sign") == std::string_view::npos) {
    return words + WhichNames(spec, words);
  }
  const std::string_view code = Between(words, " Code: ", ".");
  const std::string_view role = BaseName(url);
  const char* why = words.c_str() + errors + kErrors.size();
  const bool refused = code == "400";
  return Format("Vault role %.*s %s%.*s: %s%s", Length(role), role.data(),
                refused ? "refused" : "answered HTTP ", refused ? 0 : Length(code), code.data(),
                why, WhichNames(spec, why).c_str());
}

const char* AdviceOn(std::string_view words) {
  for (const Advice& advice : kAdvice) {
    if (words.find(advice.words) != std::string_view::npos) return advice.text;
  }
  return nullptr;
}

}  // namespace certlatch
