#include "domain/loop_probe.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "domain/http_method.h"
#include "domain/jsonpath.h"
#include "domain/target.h"

namespace certlatch {
namespace {

using Words = std::vector<ShellWord>;

// \5: how to reach the API server.
constexpr const char* kKubectlOptions =
    "n:namespace o:output l:selector A-all-namespaces \1:field-selector \2-no-headers "
    "\3-ignore-not-found \4:request-timeout s:server \5:token \5:token-file "
    "\5:certificate-authority \5:client-certificate \5:client-key \5:tls-server-name "
    "\5-insecure-skip-tls-verify";
constexpr const char* kNcOptions = "z- v- n- 4- 6- w:wait";
constexpr const char* kPostgresOptions = "h:host p:port U:username d:dbname t:timeout q-quiet";
constexpr const char* kCurlOptions =
    "s-silent S-show-error f-fail L-location k-insecure I-head o:output w:write-out m:max-time "
    "v-verbose \1:connect-timeout X:request 4-ipv4 6-ipv6 \1:retry \1:retry-delay "
    "\1-retry-connrefused \2:url f-fail-with-body \1:retry-max-time";
constexpr const char* kWgetOptions =
    "q-quiet \1-spider O:output-document T:timeout t:tries \2-no-check-certificate "
    "S-server-response \3-no-verbose";
constexpr const char* kHostOptions = "W:";  // of `host`; nslookup and getent have none

// The commands; nslookup and the others look up a name.
enum { kKubectl, kNc, kNcat = kNc + 2, kPgIsReady, kCurl, kWget, kLookUp };
constexpr const char* kCommands =
    "kubectl nc netcat ncat pg_isready curl wget nslookup getent host";

class ProbeReader {
 public:
  ProbeReader(const Words& words, ShellReading& reading, ScriptTests& tests)
      : words_(words),
        reading_(reading),
        tests_(tests),
        command_(BaseName(words[0].text)),
        probe_(Add()) {}

  bool Read() {
    const int command = WordIn(command_, kCommands);
    if (command < 0) return reading_.Cannot(command_);
    if (command == kKubectl) return Kubectl();
    probe_.kind = LoopProbe::Kind::kReach;
    probe_.reachable = std::make_unique<Reachable>();
    return command <= kNcat        ? Nc()
           : command == kPgIsReady ? PgIsReady()
           : command == kCurl      ? Curl()
           : command == kWget      ? Wget()
                                   : LookUp(command);
  }

 private:
  // Of the form: cannot do "COMMAND WHAT".
  bool Refuse(std::string_view what) {
    return reading_.Fail("cannot do \"%s %s\"", command_, what);
  }

  LoopProbe& Add() {
    tests_.push_back(std::make_unique<ScriptTest>());
    return tests_.back()->probe;
  }

  // --- kubectl ---

  // The first word that is no option, from `at` on; some of those have values of their own.
  size_t Verb(size_t at) const {
    while (at < words_.size()) {
      const std::string_view word = words_[at].text;
      if (WordIn(word, "-n --namespace -s --server --token") >= 0) {
        ++at;
      } else if (!word.starts_with('-')) {
        break;
      }
      ++at;
    }
    return at;
  }

  bool Kubectl() {
    const size_t at = Verb(1);
    const std::string_view verb = at < words_.size() ? words_[at].text : "";
    if (verb == "get") return Get();
    const bool status =
        verb == "rollout" && at + 1 < words_.size() && words_[at + 1].text == "status";
    if (verb != "wait" && !status) return Refuse(verb);
    probe_.kind = LoopProbe::Kind::kWait;
    probe_.own_rules = status;
    std::vector<std::string_view>& arguments = probe_.arguments;
    // It waits for ever, unless told otherwise; ours is the later one.
    if (status) arguments = {"wait", "--timeout=-1s"};
    for (size_t i = 1; i < words_.size(); ++i) {
      if (!status || i < at || i > at + 1) arguments.push_back(words_[i].text);
    }
    return true;
  }

  bool BadKubectl(const Error& error) {
    return reading_.Fail("cannot do this kubectl command: %s", error.text);
  }

  [[gnu::noinline]] bool Get() {
    probe_.printed = LoopProbe::Printed::kTable;
    std::vector<std::string_view> names;
    OptionReader options(words_, kKubectlOptions, reading_);
    char letter = 0;
    std::string_view value;
    bool selects = false;
    while (options.Next(letter, value)) {
      // kubectl takes "-n=default", too.
      if (letter != 0 && value.starts_with('=')) value.remove_prefix(1);
      selects = selects || letter == 'l' || letter == 'A' || letter == '\1';
      switch (letter) {
        case 0:
          names.push_back(value);
          break;
        case 'n':
          probe_.ns = value;
          break;
        case 'l':
          probe_.selector = value;
          break;
        case '\1':
          probe_.field_selector = value;
          break;
        case 'A':
          probe_.all_namespaces = true;
          break;
        case '\3':
          probe_.ignore_not_found = true;
          break;
        case 'o':
          if (!Output(value)) return false;
          break;
        case 's':
        case '\5':
          Connection(options.name(), value);
          break;
        default:
          break;
      }
    }
    if (!options.fine()) return false;
    if (!probe_.ns.empty() && !IsObjectName(probe_.ns)) return Refuse("-n");
    if (names.size() < 2) return Refuse("get");
    names.erase(names.begin());
    return Objects(names, selects);
  }

  void Connection(std::string_view name, std::string_view value) {
    probe_.arguments.push_back(reading_.Keep(
        Format("--%.*s=%.*s", Length(name), name.data(), Length(value), value.data())));
  }

  // -o: what is printed.
  bool Output(std::string_view output) {
    constexpr std::string_view kJsonPath = "jsonpath=";
    probe_.printed = output == "name"   ? LoopProbe::Printed::kName
                     : output == "wide" ? LoopProbe::Printed::kTable
                                        : LoopProbe::Printed::kOther;
    if (!output.starts_with(kJsonPath)) return true;
    probe_.printed = LoopProbe::Printed::kJsonPath;
    probe_.path = output.substr(kJsonPath.size());
    const Result<JsonPath> path = JsonPath::Parse(probe_.path);
    return path || BadKubectl(path.error());
  }

  [[gnu::noinline]] bool Objects(const std::vector<std::string_view>& names, bool selects) {
    const bool list = names.size() == 1 && names[0].find('/') == std::string_view::npos;
    if (list) {
      probe_.type = names[0];
      if (!IsDottedName(probe_.type)) return reading_.Cannot("kubectl get ", probe_.type);
      return true;
    }
    if (selects) return Refuse("get with a name and a selector");
    const Result<std::vector<TargetName>> targets = ParseTargets(names);
    if (!targets) return BadKubectl(targets.error());
    const bool several = targets->size() > 1;
    if (several && probe_.printed == LoopProbe::Printed::kJsonPath) {
      return Refuse("get -o jsonpath of several objects");
    }
    for (const TargetName& target : *targets) {
      // Those are ours, not kubectl's.
      if (!target.ns.empty() || !target.port.empty()) return reading_.Cannot(target.text);
      LoopProbe& probe = probe_.name.empty() ? probe_ : Add();
      probe.printed = probe_.printed;
      probe.ns = probe_.ns;
      probe.path = probe_.path;
      probe.ignore_not_found = probe_.ignore_not_found;
      if (&probe != &probe_) probe.arguments = probe_.arguments;
      probe.type = reading_.Keep(target.type);
      probe.name = reading_.Keep(target.name);
    }
    return true;
  }

  // --- servers ---

  [[gnu::noinline]] bool SetEndpoint(Reachable::Kind kind, std::string_view host,
                                     std::string_view port) {
    const bool v6 = host.find(':') != std::string_view::npos;
    const std::string text = Format(v6 ? "[%.*s]:%.*s" : "%.*s:%.*s", Length(host), host.data(),
                                    Length(port), port.data());
    Reachable& reachable = *probe_.reachable;
    reachable.kind = kind;
    const char* problem = ReadEndpoint(text, reachable.endpoint);
    reachable.text =
        Format("%s://%s", kind == Reachable::Kind::kTcp ? "tcp" : "postgres", text.c_str());
    return problem == nullptr ||
           reading_.Fail("cannot do \"%s\" of \"%s\": %s", command_, text, problem);
  }

  [[gnu::noinline]] bool Nc() {
    OptionReader options(words_, kNcOptions, reading_);
    char letter = 0;
    std::string_view value;
    std::string_view words[2];
    size_t count = 0;
    bool only_looks = false;
    while (options.Next(letter, value)) {
      if (letter == 0 && count++ < 2) words[count - 1] = value;
      only_looks = only_looks || letter == 'z';
    }
    if (!options.fine()) return false;
    if (!only_looks) return Refuse("without -z");
    if (count != 2) return Refuse("without HOST PORT");
    return SetEndpoint(Reachable::Kind::kTcp, words[0], words[1]);
  }

  [[gnu::noinline]] bool PgIsReady() {
    OptionReader options(words_, kPostgresOptions, reading_);
    std::string_view host;
    std::string_view port = "5432";
    reading_.Find("PGHOST", host);
    reading_.Find("PGPORT", port);
    char letter = 0;
    std::string_view value;
    while (options.Next(letter, value)) {
      if (letter == 0) return Refuse("with other arguments");
      if (letter == 'h') host = value;
      if (letter == 'p') port = value;
    }
    if (!options.fine()) return false;
    if (host.empty() || host[0] == '/') return Refuse("on a Unix socket");
    return SetEndpoint(Reachable::Kind::kPostgres, host, port);
  }

  // Both take a URL without scheme. Credentials are not shown.
  [[gnu::noinline]] bool SetUrl(std::string_view url, int urls) {
    if (urls != 1) return Refuse("without one URL");
    const bool has_scheme = url.find("://") != std::string_view::npos;
    const std::string request =
        Format("GET %s%.*s", has_scheme ? "" : "http://", Length(url), url.data());
    const Result<HttpMethod> method = ParseHttpMethod(request);
    if (!method || !method->unix_socket.empty() || method->host.empty()) {
      const bool secret = url.find('@') != std::string_view::npos;
      return Refuse(secret ? "with credentials" : url);
    }
    Reachable& reachable = *probe_.reachable;
    reachable.kind = Reachable::Kind::kHttp;
    reachable.url = method->url;
    reachable.text = Printable(reachable.url.substr(0, reachable.url.find('?')), 300);
    return true;
  }

  [[gnu::noinline]] bool Curl() {
    Reachable& reachable = *probe_.reachable;
    reachable.statuses = "1xx,2xx,3xx,4xx,5xx";
    bool drops_body = false;
    bool prints_status = false;
    int urls = 0;
    std::string_view url;
    OptionReader options(words_, kCurlOptions, reading_);
    char letter = 0;
    std::string_view value;
    while (options.Next(letter, value)) {
      switch (letter) {
        case 0:
        case '\2':
          url = value;
          ++urls;
          break;
        case 'f':
          reachable.statuses = "2xx,3xx";
          break;
        case 'L':
          reachable.follow = true;
          break;
        case 'k':
          reachable.insecure = true;
          break;
        case 'X':
          if (value != "GET" && value != "HEAD") return Refuse("-X");
          if (value == "GET") break;
          [[fallthrough]];
        case 'I':
          reachable.head = true;
          break;
        case 'o':
          drops_body = value == "/dev/null";
          if (!drops_body) return Refuse("-o FILE");
          break;
        case 'w':
          prints_status = WordIn(value, "%{http_code} %{response_code} %{http_code}\\n") >= 0;
          if (!prints_status) return Refuse("-w");
          break;
        default:
          break;
      }
    }
    if (drops_body && prints_status) probe_.printed = LoopProbe::Printed::kHttpStatus;
    return options.fine() && SetUrl(url, urls);
  }

  [[gnu::noinline]] bool Wget() {
    Reachable& reachable = *probe_.reachable;
    reachable.follow = true;
    bool writes_file = true;  // named after the URL
    int urls = 0;
    std::string_view url;
    OptionReader options(words_, kWgetOptions, reading_);
    char letter = 0;
    std::string_view value;
    while (options.Next(letter, value)) {
      if (letter == 0) {
        url = value;
        ++urls;
      }
      if (letter == '\1') reachable.head = true;
      if (letter == '\2') reachable.insecure = true;
      if (letter == 'O' && value != "-" && value != "/dev/null") return Refuse("-O FILE");
      writes_file = writes_file && letter != '\1' && letter != 'O';
    }
    if (!options.fine()) return false;
    if (writes_file) return Refuse("without --spider");
    return SetUrl(url, urls);
  }

  // nslookup NAME, getent hosts NAME, host NAME.
  [[gnu::noinline]] bool LookUp(int command) {
    const bool getent = command == kLookUp + 1;
    OptionReader options(words_, command > kLookUp + 1 ? kHostOptions : "", reading_);
    char letter = 0;
    std::string_view value;
    std::string_view name;
    int count = getent ? -1 : 0;
    while (options.Next(letter, value)) {
      if (letter != 0) continue;
      if (++count == 0 && WordIn(value, "hosts ahosts ahostsv4 ahostsv6") < 0) return Refuse(value);
      name = value;
    }
    if (!options.fine()) return false;
    // A name that ends in a dot is not completed by the resolver.
    if (count != 1 || !IsDottedName(name.substr(0, name.size() - (name.ends_with('.') ? 1 : 0)))) {
      return Refuse("without one NAME");
    }
    Reachable& reachable = *probe_.reachable;
    reachable.kind = Reachable::Kind::kName;
    reachable.endpoint.host = name;
    reachable.text = Format("name %s", reachable.endpoint.host.c_str());
    return true;
  }

  const Words& words_;
  ShellReading& reading_;
  ScriptTests& tests_;
  std::string_view command_;
  LoopProbe& probe_;  // the first of the new tests
};

}  // namespace

bool ReadLoopProbe(const Words& words, ShellReading& reading, ScriptTests& tests) {
  const size_t before = tests.size();
  if (ProbeReader(words, reading, tests).Read()) return true;
  while (tests.size() > before) tests.pop_back();
  return false;
}

bool ReadFileProbe(std::string_view path, bool empty_too, ShellReading& reading,
                   ScriptTests& tests) {
  if (!path.starts_with('/')) return reading.Cannot("a relative file name");
  auto reachable = std::make_unique<Reachable>();
  reachable->kind = Reachable::Kind::kFile;
  reachable->path = path;
  reachable->empty_too = empty_too;
  reachable->text = Format("file:%s", Printable(path, 300).c_str());
  tests.push_back(std::make_unique<ScriptTest>());
  tests.back()->probe.kind = LoopProbe::Kind::kReach;
  tests.back()->probe.reachable = std::move(reachable);
  return true;
}

std::string TargetOf(const LoopProbe& probe) {
  if (probe.kind == LoopProbe::Kind::kReach) {
    return probe.reachable->kind == Reachable::Kind::kName ? "" : probe.reachable->text;
  }
  if (!probe.name.empty()) {
    return Format("%.*s/%.*s%s%.*s", Length(probe.type), probe.type.data(), Length(probe.name),
                  probe.name.data(), probe.ns.empty() ? "" : "@", Length(probe.ns),
                  probe.ns.data());
  }
  std::string_view before;
  for (const std::string_view word : probe.arguments) {
    // It may be a flag's value, and that of --token.
    const bool value = before.starts_with('-') && before.find('=') == std::string_view::npos;
    before = word;
    if (!value && !word.starts_with('-') && word.find('/') != std::string_view::npos) {
      return Printable(word, 300);
    }
  }
  return "";
}

bool OptionReader::Find(std::string_view name, char letter) {
  std::string_view rest = table_;
  while (!rest.empty()) {
    const std::string_view option = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(option.size() + 1, rest.size()));
    letter_ = option[0];
    takes_value_ = option[1] == ':';
    name_ = option.substr(2);
    if (name.empty() ? letter > ' ' && letter == letter_ : name == name_) return true;
  }
  return false;
}

bool OptionReader::Refuse(std::string_view option) {
  fine_ = false;
  return reading_.Fail("cannot do \"%s %s\"", BaseName(words_[0].text), option);
}

// The option just found, and its value: given with it, else the next word.
bool OptionReader::Take(bool has_value, char& letter, std::string_view& value) {
  letter = letter_;
  if (has_value) return true;
  value = "true";
  if (!takes_value_) return true;
  if (at_ + 1 == words_.size()) return Refuse(words_[at_].text);
  value = words_[++at_].text;
  return true;
}

bool OptionReader::Next(char& letter, std::string_view& value) {
  while (letters_.empty()) {
    if (++at_ >= words_.size()) return false;
    const std::string_view word = words_[at_].text;
    letter = 0;
    value = word;
    if (word == "--") continue;
    if (word.size() < 2 || word[0] != '-') return true;
    if (word[1] != '-') {
      letters_ = word.substr(1);
      break;
    }
    const size_t equals = std::min(word.find('='), word.size());
    const bool has_value = equals < word.size();
    if (!Find(word.substr(2, equals - 2), 0)) return Refuse(word.substr(0, equals));
    if (has_value) value = word.substr(equals + 1);
    if (has_value && !takes_value_ && value != "true") return Refuse(word);
    return Take(has_value, letter, value);
  }
  // "sfo" and what follows.
  if (!Find("", letters_[0])) {
    const char option[] = {'-', letters_[0]};
    return Refuse({option, 2});
  }
  value = letters_.substr(1);
  letters_ = takes_value_ ? "" : value;
  return Take(takes_value_ && !value.empty(), letter, value);
}

}  // namespace certlatch
