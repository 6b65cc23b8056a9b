#include "cli/command_line.h"

#include <algorithm>
#include <utility>

#include "base/duration.h"
#include "base/text.h"
#include "cli/flags.h"
#include "cli/proxy.h"
#include "domain/goal.h"
#include "domain/target.h"

namespace certlatch {
namespace {

constexpr Duration kWeek = 24h * 7;        // kubectl: a negative timeout means a week
constexpr Duration kDefaultWithFor = 30s;  // kubectl's
constexpr Duration kDefaultWithoutFor = 180s;
constexpr Duration kNotGiven = Duration::min();

constexpr const char* kUsage =
    "certlatch holds a pod until what it needs is real.\n"
    "\n"
    "Usage:\n"
    "  certlatch wait TARGET... [flags]   wait until all targets are met\n"
    "  certlatch version                  what this is\n"
    "  certlatch MODE --help              the flags of a mode\n"
    "\n"
    "Under the name \"kubectl\" it is `kubectl wait`.\n";

constexpr const char* kWaitUsage =
    "Wait until all targets are met; say why while they are not.\n"
    "\n"
    "Usage:\n"
    "  certlatch wait TYPE/NAME[:PORT][@NAMESPACE]... [flags]\n"
    "\n"
    "Without --for a target is met when it is ready: a certificate issued for its current spec, a\n"
    "TLS secret whose key belongs to its certificate, endpoints or a service with a ready "
    "address,\n"
    "a job complete; of other kinds the condition Ready, else Available.\n"
    "\n"
    "Flags:\n";

constexpr const char* kWaitExamples =
    "\n"
    "Exit status: 0 met; 1 not met in time, refused or interrupted; 3 cannot be met any more.\n"
    "\n"
    "Examples:\n"
    "  certlatch wait certificate/web secret/web-tls --timeout=5m\n"
    "  certlatch wait deployment/api --for=condition=Available --timeout=2m\n";

Error Refusal(std::string text) { return Error{Code::kConfig, std::move(text)}; }

// --- the modes' flags ---

// What the flags of a command line say, before it is understood together.
struct Parsed {
  Command& command;
  std::vector<std::string> fors;
  Duration timeout;
  std::string ns;
  std::string output;
  bool no_proxy;
  bool help;
};

Status SetToken(void* place, std::string_view value) {
  *static_cast<Secret*>(place) = Secret(std::string(value));
  return {};
}

Status SetLogFormat(void* place, std::string_view value) {
  static constexpr const char* kFormats[] = {"text", "logfmt", "json"};  // in LogFormat's order
  for (int i = 0; i < 3; ++i) {
    if (value != kFormats[i]) continue;
    *static_cast<LogFormat*>(place) = static_cast<LogFormat>(i);
    return {};
  }
  return Failure(Code::kConfig, "must be text, logfmt or json");
}

#define CERTLATCH_PLACE(member) \
  ([](void* parsed) -> void* { return &static_cast<Parsed*>(parsed)->member; })

constexpr Flag kWaitFlags[] = {
    {"for", 0, "GOAL", "ready, create, delete, condition=T[=V], jsonpath=P[=V]", AddText,
     CERTLATCH_PLACE(fors)},
    {"timeout", 0, "DURATION", "default 3m, with --for 30s; 0: look once", SetDuration,
     CERTLATCH_PLACE(timeout)},
    {"wait-for-existence", 0, "", "=false: an absent object is an error", SetSwitch,
     CERTLATCH_PLACE(command.wait.wait_for_existence)},
    {"min-ready", 0, "N", "addresses or endpoints that make a service ready", SetPositive,
     CERTLATCH_PLACE(command.wait.readiness.min_ready)},
    {"min-validity", 0, "DURATION", "how long a certificate must still be valid", SetDuration,
     CERTLATCH_PLACE(command.wait.readiness.min_validity)},
    {"retry-forbidden", 0, "", "wait for missing rights instead of failing", SetSwitch,
     CERTLATCH_PLACE(command.wait.watch.retry_forbidden)},
    {"output", 'o', "name", "print names only", SetText, CERTLATCH_PLACE(output)},
    {"namespace", 'n', "NAME", "of targets that do not name theirs", SetText, CERTLATCH_PLACE(ns)},
    {"server", 's', "URL", "the API server; default: the pod's own cluster", SetText,
     CERTLATCH_PLACE(command.connection.server)},
    {"token", 0, "TOKEN", "prefer --token-file: arguments are visible to others", SetToken,
     CERTLATCH_PLACE(command.connection.token)},
    {"token-file", 0, "FILE", "read for each request, since tokens rotate", SetText,
     CERTLATCH_PLACE(command.connection.token_file)},
    {"certificate-authority", 0, "FILE", "whom to trust as the API server", SetText,
     CERTLATCH_PLACE(command.connection.certificate_authority)},
    {"client-certificate", 0, "FILE", "who we are, instead of a token", SetText,
     CERTLATCH_PLACE(command.connection.client_certificate)},
    {"client-key", 0, "FILE", "its private key", SetText,
     CERTLATCH_PLACE(command.connection.client_key)},
    {"tls-server-name", 0, "NAME", "verify the API server's certificate for NAME", SetText,
     CERTLATCH_PLACE(command.connection.tls_server_name)},
    {"insecure-skip-tls-verify", 0, "", "trust whoever answers", SetSwitch,
     CERTLATCH_PLACE(command.connection.insecure_skip_tls_verify)},
    {"request-timeout", 0, "DURATION", "of one request; default 30s", SetDuration,
     CERTLATCH_PLACE(command.connection.request_timeout)},
    {"no-proxy", 0, "", "connect directly though a proxy is configured", SetSwitch,
     CERTLATCH_PLACE(no_proxy)},
    {"log-format", 0, "FORMAT", "text, logfmt or json", SetLogFormat,
     CERTLATCH_PLACE(command.output.format)},
    {"v", 'v', "N", "1 and more: tell of each request", SetCount,
     CERTLATCH_PLACE(command.output.verbosity)},
    {"termination-log", 0, "FILE", "gets the last words on failure", SetText,
     CERTLATCH_PLACE(command.output.termination_log)},
    {"help", 'h', "", "this text", SetSwitch, CERTLATCH_PLACE(help)},
};

#undef CERTLATCH_PLACE

// --- what the flags mean together ---

std::string UrlOfCluster(const Environment& environment) {
  const std::string host(ValueOf(environment, "KUBERNETES_SERVICE_HOST"));
  const std::string port(ValueOf(environment, "KUBERNETES_SERVICE_PORT"));
  if (host.empty() || port.empty()) return "";
  const bool ipv6 = host.find(':') != std::string::npos;
  return Format(ipv6 ? "https://[%s]:%s" : "https://%s:%s", host.c_str(), port.c_str());
}

// nullptr: nothing.
const char* WhatIsWrong(const ConnectionOptions& options) {
  if (!options.token.empty() && !options.token_file.empty()) {
    return "--token and --token-file contradict each other";
  }
  if (options.client_certificate.empty() != options.client_key.empty()) {
    return "--client-certificate and --client-key need each other";
  }
  if (options.insecure_skip_tls_verify && !options.certificate_authority.empty()) {
    return "--certificate-authority and --insecure-skip-tls-verify contradict each other";
  }
  if (options.request_timeout < Duration::zero()) return "--request-timeout cannot be negative";
  if (options.server.empty()) {
    return "no API server: this is no pod (KUBERNETES_SERVICE_HOST is not set); give --server";
  }
  return nullptr;
}

// The mounted token is for the pod's own cluster only.
void UseServiceAccount(ConnectionOptions& options) {
  const std::string dir(kServiceAccountDir);
  const bool own_identity = !options.token.empty() || !options.client_certificate.empty();
  if (options.token_file.empty() && !own_identity) options.token_file = dir + "/token";
  if (options.certificate_authority.empty() && !options.insecure_skip_tls_verify) {
    options.certificate_authority = dir + "/ca.crt";
  }
}

Status CompleteConnection(const Surroundings& surroundings, Parsed& parsed) {
  ConnectionOptions& options = parsed.command.connection;
  const std::string cluster = UrlOfCluster(surroundings.environment);
  if (options.server.empty()) options.server = cluster;
  if (const char* wrong = WhatIsWrong(options)) return Refusal(wrong);
  if (options.request_timeout == Duration::zero()) {
    options.request_timeout = ConnectionOptions().request_timeout;
  }
  options.in_cluster = options.server == cluster;
  if (options.in_cluster) {
    UseServiceAccount(options);
    return {};
  }
  const char* const proxy =
      parsed.no_proxy ? "" : ProxyVariableFor(options.server, surroundings.environment);
  if (*proxy == '\0') return {};
  return Refusal(
      Format("the environment variable %s asks for a proxy, which certlatch cannot use; give "
             "--no-proxy to connect directly",
             proxy));
}

Status CompleteNamespace(const Surroundings& surroundings, const std::string& given,
                         std::string& ns) {
  ns = given;
  if (ns.empty()) ns = ValueOf(surroundings.environment, "POD_NAMESPACE");
  if (ns.empty()) ns = surroundings.service_account_namespace;
  if (ns.empty()) ns = "default";
  if (IsObjectName(ns)) return {};
  return Refusal(Format("--namespace \"%s\": no namespace name", Printable(ns, 100).c_str()));
}

// kubectl's texts on JSONPath do not say which flag they are about.
Error NameGoal(Error error, std::string_view text) {
  const std::string shown = Printable(text, 200);
  if (error.text.find(shown) != std::string::npos) return error;
  return std::move(error).With("--for=" + shown);
}

Status CompleteGoals(const Parsed& parsed, WaitOptions& wait) {
  if (wait.as_kubectl && parsed.fors.empty()) return Refusal("unrecognized condition: \"\"");
  for (const std::string& text : parsed.fors) {
    Result<Goal> goal = ParseGoal(text, wait.as_kubectl);
    if (!goal) return wait.as_kubectl ? goal.error() : NameGoal(goal.error(), text);
    wait.goals.push_back(*std::move(goal));
  }
  wait.timeout = parsed.timeout;
  if (wait.timeout == kNotGiven) {
    wait.timeout = parsed.fors.empty() ? kDefaultWithoutFor : kDefaultWithFor;
  }
  if (wait.timeout < Duration::zero()) wait.timeout = kWeek;
  if (wait.readiness.min_validity < Duration::zero()) {
    return Refusal("--min-validity cannot be negative");
  }
  return {};
}

Status CompleteWait(const std::vector<std::string_view>& arguments,
                    const Surroundings& surroundings, Parsed& parsed) {
  WaitOptions& wait = parsed.command.wait;
  Status goals = CompleteGoals(parsed, wait);
  if (!goals) return goals;
  wait.name_only = parsed.output == "name";
  if (!parsed.output.empty() && !wait.name_only) {
    return Refusal(
        Format("--output knows only \"name\", not \"%s\"", Printable(parsed.output, 100).c_str()));
  }
  Result<std::vector<TargetName>> targets = ParseTargets(arguments);
  if (!targets) return std::move(targets).error();
  if (targets->size() > kMaxTargets) {
    return Refusal(Format("more than %zu targets", kMaxTargets));
  }
  wait.targets = *std::move(targets);
  Status connection = CompleteConnection(surroundings, parsed);
  if (!connection) return connection;
  const ConnectionOptions& options = parsed.command.connection;
  wait.watch.retry_unauthorized =
      !options.token_file.empty() || !options.client_certificate.empty();
  return CompleteNamespace(surroundings, parsed.ns, wait.ns);
}

Status Print(std::string text, Command& command) {
  command.kind = Command::Kind::kPrint;
  command.text = std::move(text);
  return {};
}

Error NoSuchVerb(std::string_view verb) {
  return Refusal(
      Format("error: this is certlatch under the name kubectl: it can \"wait\", not \"%s\"",
             Printable(verb, 100).c_str()));
}

Error BadFlag(const Error& error, bool as_kubectl) {
  return Refusal(Format(as_kubectl ? "Error: %s\nSee 'kubectl wait --help' for usage."
                                   : "error: %s (see 'certlatch wait --help')",
                        error.text.c_str()));
}

// kubectl's verb may stand anywhere among its flags; ours has been taken off already.
Status ParseWait(const std::vector<std::string_view>& arguments, const Surroundings& surroundings,
                 Command& command) {
  const bool as_kubectl = command.wait.as_kubectl;
  command.kind = Command::Kind::kWait;
  Parsed parsed{command, {}, kNotGiven, "", "", false, false};
  auto positional = ReadFlags(arguments, kWaitFlags, &parsed);
  if (!positional) return BadFlag(positional.error(), as_kubectl);
  if (parsed.help) {
    return Print(Format("%s%s%s", kWaitUsage, DescribeFlags(kWaitFlags).c_str(), kWaitExamples),
                 command);
  }
  if (as_kubectl) {
    const std::string_view verb = positional->empty() ? "" : positional->front();
    if (verb != "wait") return NoSuchVerb(verb);
    positional->erase(positional->begin());
  }
  const Status complete = CompleteWait(*positional, surroundings, parsed);
  if (!complete) return Error(complete.error()).With("error");
  return {};
}

}  // namespace

Status ParseCommandLine(std::string_view program, const std::vector<std::string_view>& arguments,
                        const Surroundings& surroundings, Command& command) {
  command.output.termination_log = kTerminationLog;
  const std::string_view mode = arguments.empty() ? "" : arguments[0];
  if (BaseName(program) == "kubectl") {
    // Another verb's flags would be refused one by one: the verb is what is wrong.
    if (!mode.starts_with('-') && mode != "wait") return NoSuchVerb(mode);
    command.wait.as_kubectl = true;
    return ParseWait(arguments, surroundings, command);
  }
  if (arguments.empty()) return Refusal("error: no mode given (see 'certlatch --help')");
  if (mode == "--help" || mode == "-h" || mode == "help") return Print(kUsage, command);
  if (mode == "version" || mode == "--version") return Print(surroundings.version, command);
  if (mode != "wait") {
    return Refusal(Format("error: unknown mode \"%s\" (see 'certlatch --help')",
                          Printable(mode, 100).c_str()));
  }
  return ParseWait({arguments.begin() + 1, arguments.end()}, surroundings, command);
}

}  // namespace certlatch
