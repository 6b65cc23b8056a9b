#include "domain/loop_probe.h"

#include "base/text.h"
#include "domain/http_method.h"

namespace certlatch {
namespace {

using Words = std::vector<std::string>;

// An option without a short form has a control character for it.
constexpr ShellOption kKubectlOptions[] = {
    {'n', true, "namespace"},          {'o', true, "output"},           {'l', true, "selector"},
    {'A', false, "all-namespaces"},    {'\1', true, "field-selector"},  {'\2', false, "no-headers"},
    {'\3', false, "ignore-not-found"}, {'\4', true, "request-timeout"},
};

constexpr ShellOption kNcOptions[] = {{'z', false, nullptr}, {'v', false, nullptr},
                                      {'n', false, nullptr}, {'4', false, nullptr},
                                      {'6', false, nullptr}, {'w', true, "wait"}};

constexpr ShellOption kPostgresOptions[] = {{'h', true, "host"},     {'p', true, "port"},
                                            {'U', true, "username"}, {'d', true, "dbname"},
                                            {'t', true, "timeout"},  {'q', false, "quiet"}};

constexpr ShellOption kCurlOptions[] = {
    {'s', false, "silent"},
    {'S', false, "show-error"},
    {'f', false, "fail"},
    {'L', false, "location"},
    {'k', false, "insecure"},
    {'I', false, "head"},
    {'o', true, "output"},
    {'w', true, "write-out"},
    {'m', true, "max-time"},
    {'v', false, "verbose"},
    {'\1', true, "connect-timeout"},
    {'X', true, "request"},
    {'4', false, "ipv4"},
    {'6', false, "ipv6"},
    {'\2', true, "retry"},
    {'\3', true, "retry-delay"},
    {'\5', false, "retry-connrefused"},
    {'\7', true, "url"},
    {'\4', false, "fail-with-body"},
    {'\6', true, "retry-max-time"},
};

constexpr ShellOption kWgetOptions[] = {
    {'q', false, "quiet"},
    {'\1', false, "spider"},
    {'O', true, "output-document"},
    {'T', true, "timeout"},
    {'t', true, "tries"},
    {'\2', false, "no-check-certificate"},
    {'S', false, "server-response"},
    {'\3', false, "no-verbose"},
};

const ShellOption* FindOption(const ShellOption* options, size_t count, std::string_view name,
                              char id) {
  for (size_t i = 0; i < count; ++i) {
    const ShellOption& option = options[i];
    const bool is_it =
        name.empty() ? id > ' ' && option.id == id : option.name != nullptr && name == option.name;
    if (is_it) return &option;
  }
  return nullptr;
}

class OptionReader {
 public:
  OptionReader(const Words& words, const ShellOption* options, size_t count, GivenOptions& given)
      : words_(words), options_(options), count_(count), given_(given) {}

  Status Read() {
    for (at_ = 1; at_ < words_.size(); ++at_) {
      const std::string_view word = words_[at_];
      if (word.size() < 2 || word[0] != '-') {
        given_.others.emplace_back(word);
        continue;
      }
      if (word == "--") continue;
      Status status = word[1] == '-' ? Long(word.substr(2)) : Short(word.substr(1));
      if (!status) return status;
    }
    return {};
  }

 private:
  Error Refuse(std::string_view option) const {
    return CannotDo(
        Format("%s %s", Printable(BaseName(words_[0]), 40).c_str(), Printable(option, 40).c_str()));
  }

  Status Long(std::string_view word) {
    const size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const ShellOption* option = name.empty() ? nullptr : FindOption(options_, count_, name, 0);
    const bool has_value = equals != std::string_view::npos;
    if (option == nullptr) return Refuse(Format("--%.*s", Length(name), name.data()));
    if (!has_value) return Add(*option, "", false);
    const std::string_view value = word.substr(equals + 1);
    if (option->takes_value) return Add(*option, value, true);
    return value == "true" ? Add(*option, "", true) : Status(Refuse(words_[at_]));
  }

  // "sfo" and what follows.
  Status Short(std::string_view letters) {
    for (size_t i = 0; i < letters.size(); ++i) {
      const ShellOption* option = FindOption(options_, count_, "", letters[i]);
      if (option == nullptr) return Refuse(Format("-%c", letters[i]));
      if (option->takes_value) return Add(*option, letters.substr(i + 1), i + 1 < letters.size());
      Status status = Add(*option, "", true);
      if (!status) return status;
    }
    return {};
  }

  Status Add(const ShellOption& option, std::string_view value, bool given) {
    if (option.takes_value && !given) {
      if (at_ + 1 == words_.size()) return Refuse(words_[at_]);
      value = words_[++at_];
    }
    given_.options.push_back({option.id, std::string(value)});
    return {};
  }

  const Words& words_;
  const ShellOption* options_;
  size_t count_;
  size_t at_ = 0;
  GivenOptions& given_;
};

Error OfKubectl(const Error& error) {
  return Failure(Code::kConfig, "cannot do this kubectl command: %s",
                 Printable(error.text, 300).c_str());
}

// -o: what is printed.
Status ReadOutput(std::string_view output, LoopProbe& probe) {
  constexpr std::string_view kJsonPath = "jsonpath=";
  probe.printed = LoopProbe::Printed::kOther;
  if (output == "name") probe.printed = LoopProbe::Printed::kName;
  if (output == "wide") probe.printed = LoopProbe::Printed::kTable;
  if (!output.starts_with(kJsonPath)) return {};
  Result<JsonPath> path = JsonPath::Parse(output.substr(kJsonPath.size()));
  if (!path) return OfKubectl(path.error());
  probe.path = *std::move(path);
  probe.printed = LoopProbe::Printed::kJsonPath;
  return {};
}

Status ReadObjects(const std::vector<std::string>& positional, LoopProbe& probe) {
  const std::vector<std::string_view> names(positional.begin() + 1, positional.end());
  if (names.size() == 1 && names[0].find('/') == std::string_view::npos) {
    if (!IsDottedName(names[0])) return CannotDo(Format("kubectl get %s", positional[1].c_str()));
    probe.list_type = names[0];
    return {};
  }
  Result<std::vector<TargetName>> targets = ParseTargets(names);
  if (!targets) return OfKubectl(targets.error());
  for (TargetName& target : *targets) {
    // Those are ours, not kubectl's.
    if (!target.ns.empty() || !target.port.empty()) return CannotDo(target.text);
    target.ns = probe.ns;
  }
  probe.targets = *std::move(targets);
  return {};
}

Status ReadGet(const Words& words, LoopProbe& probe) {
  GivenOptions given;
  Status status = ReadShellOptions(words, kKubectlOptions, given);
  if (!status) return status;
  probe.printed = LoopProbe::Printed::kTable;
  for (GivenOption& option : given.options) {
    // kubectl takes "-n=default", too.
    std::string_view value = option.value;
    if (value.starts_with('=')) value.remove_prefix(1);
    if (option.id == 'n') probe.ns = value;
    if (option.id == 'l') probe.selector = value;
    if (option.id == '\1') probe.field_selector = value;
    if (option.id == 'A') probe.all_namespaces = true;
    if (option.id == '\3') probe.ignore_not_found = true;
    if (option.id == 'o') status = ReadOutput(value, probe);
    if (!status) return status;
  }
  if (!probe.ns.empty() && !IsObjectName(probe.ns)) return CannotDo("kubectl -n");
  if (given.others.size() < 2) return CannotDo("kubectl get");
  status = ReadObjects(given.others, probe);
  if (!status) return status;
  const bool selects =
      !probe.selector.empty() || !probe.field_selector.empty() || probe.all_namespaces;
  if (selects && !probe.targets.empty()) return CannotDo("kubectl get with a name and a selector");
  return {};
}

// The first word that is no option; the global ones before it have values of their own.
std::string_view VerbOf(const Words& words) {
  for (size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "-n" || words[i] == "--namespace") {
      ++i;
    } else if (!words[i].starts_with('-')) {
      return words[i];
    }
  }
  return "";
}

// What `kubectl wait` waits for, for advice alone: the command line is judged where it is run.
void ReadWaitTargets(LoopProbe& probe) {
  std::vector<std::string_view> names;
  const Words& words = probe.arguments;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    const bool ns = word == "-n" || word == "--namespace";
    if (ns && i + 1 < words.size()) probe.ns = words[i + 1];
    if (word.starts_with("--namespace=")) probe.ns = word.substr(12);
    if (ns || word == "--for" || word == "--timeout" || word == "-l" || word == "--selector") {
      ++i;
    } else if (!word.starts_with('-') && word != "wait") {
      names.push_back(word);
    }
  }
  Result<std::vector<TargetName>> targets = ParseTargets(names);
  if (!targets || (!probe.ns.empty() && !IsObjectName(probe.ns))) return;
  for (TargetName& target : *targets) {
    if (target.ns.empty()) target.ns = probe.ns;
  }
  probe.targets = *std::move(targets);
}

Status ReadKubectl(const Words& words, LoopProbe& probe) {
  const std::string_view verb = VerbOf(words);
  if (verb == "get") return ReadGet(words, probe);
  if (verb != "wait") {
    return CannotDo(Format("kubectl %s", Printable(verb, 40).c_str()));
  }
  probe.kind = LoopProbe::Kind::kWait;
  probe.arguments.assign(words.begin() + 1, words.end());
  ReadWaitTargets(probe);
  return {};
}

Status SetEndpoint(std::string_view command, std::string_view host, std::string_view port,
                   Endpoint& endpoint) {
  const bool v6 = host.find(':') != std::string_view::npos;
  const char* problem = ReadEndpoint(Format("%s%.*s%s:%.*s", v6 ? "[" : "", Length(host),
                                            host.data(), v6 ? "]" : "", Length(port), port.data()),
                                     endpoint);
  if (problem == nullptr) return {};
  return Failure(Code::kConfig, "cannot do \"%.*s\" of \"%s\": %s", Length(command), command.data(),
                 Printable(endpoint.text, 300).c_str(), problem);
}

Status ReadNc(const Words& words, LoopProbe& probe) {
  GivenOptions given;
  Status status = ReadShellOptions(words, kNcOptions, given);
  if (!status) return status;
  bool only_looks = false;
  for (const GivenOption& option : given.options) only_looks = only_looks || option.id == 'z';
  if (!only_looks) return CannotDo("nc without -z");
  if (given.others.size() != 2) return CannotDo("nc without HOST PORT");
  probe.kind = LoopProbe::Kind::kTcp;
  return SetEndpoint("nc", given.others[0], given.others[1], probe.endpoint);
}

Status ReadPgIsReady(const Words& words, const ShellVariables& variables, LoopProbe& probe) {
  GivenOptions given;
  Status status = ReadShellOptions(words, kPostgresOptions, given);
  if (!status) return status;
  if (!given.others.empty()) return CannotDo("pg_isready with other arguments");
  std::string_view host;
  std::string_view port = "5432";
  variables.Find("PGHOST", host);
  variables.Find("PGPORT", port);
  for (const GivenOption& option : given.options) {
    if (option.id == 'h') host = option.value;
    if (option.id == 'p') port = option.value;
  }
  if (host.empty() || host[0] == '/') return CannotDo("pg_isready on a Unix socket");
  probe.kind = LoopProbe::Kind::kPostgres;
  return SetEndpoint("pg_isready", host, port, probe.endpoint);
}

// Both take a URL without scheme. Credentials are not shown.
Status SetUrl(const std::vector<std::string>& urls, std::string_view command, LoopProbe& probe) {
  probe.kind = LoopProbe::Kind::kHttp;
  if (urls.size() != 1) {
    return CannotDo(Format("%.*s without one URL", Length(command), command.data()));
  }
  const bool has_scheme = urls[0].find("://") != std::string::npos;
  const std::string request = Format("GET %s%s", has_scheme ? "" : "http://", urls[0].c_str());
  const Result<HttpMethod> method = ParseHttpMethod(request);
  if (!method || !method->unix_socket.empty() || method->host.empty()) {
    const bool secret = urls[0].find('@') != std::string::npos;
    return CannotDo(Format("%.*s %s", Length(command), command.data(),
                           secret ? "with credentials" : Printable(urls[0], 60).c_str()));
  }
  probe.url = method->url;
  return {};
}

Status ReadCurl(const Words& words, LoopProbe& probe) {
  GivenOptions given;
  Status status = ReadShellOptions(words, kCurlOptions, given);
  if (!status) return status;
  probe.any_status = true;
  bool drops_body = false;
  bool prints_status = false;
  for (const GivenOption& option : given.options) {
    const std::string_view value = option.value;
    if (option.id == 'f' || option.id == '\4') probe.any_status = false;
    if (option.id == 'L') probe.follow = true;
    if (option.id == 'k') probe.insecure = true;
    if (option.id == 'I' || (option.id == 'X' && value == "HEAD")) probe.head = true;
    if (option.id == 'X' && value != "GET" && value != "HEAD") return CannotDo("curl -X");
    if (option.id == '\7') given.others.emplace_back(value);
    if (option.id == 'o') drops_body = value == "/dev/null";
    if (option.id == 'o' && !drops_body) return CannotDo("curl -o FILE");
    if (option.id != 'w') continue;
    prints_status =
        value == "%{http_code}" || value == "%{response_code}" || value == "%{http_code}\\n";
    if (!prints_status) return CannotDo("curl -w");
  }
  if (drops_body && prints_status) probe.printed = LoopProbe::Printed::kHttpStatus;
  return SetUrl(given.others, "curl", probe);
}

Status ReadWget(const Words& words, LoopProbe& probe) {
  GivenOptions given;
  Status status = ReadShellOptions(words, kWgetOptions, given);
  if (!status) return status;
  probe.follow = true;
  for (const GivenOption& option : given.options) {
    if (option.id == '\1') probe.head = true;
    if (option.id == '\2') probe.insecure = true;
    const bool file = option.id == 'O' && option.value != "-" && option.value != "/dev/null";
    if (file) return CannotDo("wget -O FILE");
  }
  // Without either it would write a file, named after the URL.
  bool prints = probe.head;
  for (const GivenOption& option : given.options) prints = prints || option.id == 'O';
  if (!prints) return CannotDo("wget without --spider");
  return SetUrl(given.others, "wget", probe);
}

}  // namespace

Status ReadShellOptions(const Words& words, const ShellOption* options, size_t count,
                        GivenOptions& given) {
  return OptionReader(words, options, count, given).Read();
}

Status ReadLoopProbe(const Words& words, const ShellVariables& variables, LoopProbe& probe) {
  const std::string_view command = BaseName(words[0]);
  if (command == "kubectl") return ReadKubectl(words, probe);
  if (command == "nc" || command == "netcat" || command == "ncat") return ReadNc(words, probe);
  if (command == "pg_isready") return ReadPgIsReady(words, variables, probe);
  if (command == "curl") return ReadCurl(words, probe);
  if (command == "wget") return ReadWget(words, probe);
  return CannotDo(command);
}

std::vector<std::string> TargetsOf(const LoopProbe& probe) {
  std::vector<std::string> texts;
  for (const TargetName& target : probe.targets) {
    texts.push_back(Format("%s/%s%s%s", target.type.c_str(), target.name.c_str(),
                           target.ns.empty() ? "" : "@", target.ns.c_str()));
  }
  if (probe.kind == LoopProbe::Kind::kHttp) texts.push_back(probe.url);
  const bool postgres = probe.kind == LoopProbe::Kind::kPostgres;
  if (postgres || probe.kind == LoopProbe::Kind::kTcp) {
    texts.push_back(Format("%s://%s", postgres ? "postgres" : "tcp", probe.endpoint.text.c_str()));
  }
  return texts;
}

}  // namespace certlatch
