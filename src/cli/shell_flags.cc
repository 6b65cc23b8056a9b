// `sh -c SCRIPT`, for scripts that wait.

#include <utility>

#include "base/text.h"
#include "cli/connection_flags.h"

namespace certlatch {
namespace {

Status CompleteGet(Parsed& parsed, const Surroundings& surroundings) {
  WaitOptions& wait = parsed.command.wait;
  return CompleteConnection(surroundings, parsed, wait.watch, wait.ns);
}

// The flags of `kubectl get` that lead to the API server; the others are the loop's.
constexpr ModeSyntax kGetMode = {"get", Command::Kind::kWait, "", "", {}, 0, 0, 0, CompleteGet};

// The shell's own options become a `set` before the script.
Status ReadOptions(const std::vector<std::string_view>& arguments, std::string& set,
                   std::string_view& script) {
  size_t at = 0;
  bool commands = false;
  for (; at < arguments.size() && arguments[at].size() > 1; ++at) {
    const std::string_view word = arguments[at];
    if (word[0] != '-' && word[0] != '+') break;
    for (const char letter : word.substr(1)) {
      if (letter == 'c') commands = true;
      if (letter == 'c' || letter == 'l') continue;  // a login shell reads files that are not there
      set += Format(" %c%c", word[0], letter);
      if (letter != 'o' || at + 1 == arguments.size()) continue;
      const std::string_view name = arguments[++at];
      set += Format(" %.*s", ConsistsOf(name, "") ? Length(name) : 0, name.data());
    }
  }
  if (!commands || at == arguments.size()) {
    return Refuse("error: this is certlatch under a shell's name: it can do -c SCRIPT, no more");
  }
  script = arguments[at];
  return {};
}

// The same server, trusted and asked in the same name.
bool SameConnection(const ConnectionOptions& a, const ConnectionOptions& b) {
  constexpr std::string ConnectionOptions::*kTexts[] = {
      &ConnectionOptions::server,
      &ConnectionOptions::token_file,
      &ConnectionOptions::certificate_authority,
      &ConnectionOptions::client_certificate,
      &ConnectionOptions::client_key,
      &ConnectionOptions::certificate_authority_data,
      &ConnectionOptions::client_certificate_data,
      &ConnectionOptions::as,
      &ConnectionOptions::as_uid,
      &ConnectionOptions::tls_server_name,
  };
  for (const auto text : kTexts) {
    if (a.*text != b.*text) return false;
  }
  return a.token.Reveal() == b.token.Reveal() &&
         a.client_key_data.Reveal() == b.client_key_data.Reveal() && a.as_groups == b.as_groups &&
         a.insecure_skip_tls_verify == b.insecure_skip_tls_verify;
}

// The options of one kubectl command, through those of `command`. There is one connection for all.
[[gnu::noinline]] Status ReadKubectl(const LoopProbe& probe, const Surroundings& surroundings,
                                     Command& command, WaitOptions& wait) {
  std::vector<std::string_view> arguments = probe.arguments;
  const bool get = probe.kind == LoopProbe::Kind::kGet;
  std::string ns;
  if (get && !probe.ns.empty()) {
    ns = Format("--namespace=%.*s", Length(probe.ns), probe.ns.data());
    arguments.push_back(ns);
  }
  if (probe.own_rules) arguments.erase(arguments.begin());
  const ConnectionOptions before = std::exchange(command.connection, {});
  std::swap(command.wait, wait);
  command.wait.as_kubectl = !get && !probe.own_rules;
  Status status = ParseMode(get ? kGetMode : kWaitMode, arguments, surroundings, command);
  std::swap(command.wait, wait);
  if (!status) return status;
  const bool one = before.server.empty() || SameConnection(before, command.connection);
  if (one && command.kind == Command::Kind::kWait) return {};
  return Refuse(
      "error: sh -c: cannot do \"kubectl\" with --help, or with different --server, "
      "--token, ... in one script");
}

}  // namespace

[[gnu::noinline]] Status ParseShell(const std::vector<std::string_view>& arguments,
                                    const Surroundings& surroundings, Command& command) {
  std::string set;
  std::string_view script;
  Status status = ReadOptions(arguments, set, script);
  if (!status) return status;
  std::string whole(script);
  if (!set.empty()) whole = Format("set%s\n%s", set.c_str(), whole.c_str());
  // What scripts get by `cat` of the mounted file.
  const std::string ns =
      Format("%s/namespace=%s", kServiceAccountDir, surroundings.service_account_namespace.c_str());
  Surroundings within = surroundings;
  within.in_script = true;
  if (!surroundings.service_account_namespace.empty()) within.environment.push_back(ns);
  ShellOptions& shell = command.shell;
  status = ParseShellLoop(whole, within.environment, shell.plan);
  if (!status) return std::move(status).error().With("error: sh -c");
  for (const auto& test : shell.plan.tests) {
    shell.kubectl.push_back(nullptr);
    if (test->probe.kind == LoopProbe::Kind::kReach) continue;
    shell.kubectl.back() = std::make_unique<WaitOptions>();
    status = ReadKubectl(test->probe, within, command, *shell.kubectl.back());
    if (!status) return status;
  }
  command.kind = Command::Kind::kShell;
  return {};
}

}  // namespace certlatch
