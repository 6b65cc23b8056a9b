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
constexpr uint64_t kMaxVerbosity = 10;
constexpr uint64_t kMaxReady = 100000;

constexpr std::string_view kUsage =
    "certlatch holds a pod until what it needs is real.\n"
    "\n"
    "Usage:\n"
    "  certlatch wait TARGET... [flags]   wait until all targets are met\n"
    "  certlatch version                  what this is\n"
    "  certlatch MODE --help              the flags of a mode\n"
    "\n"
    "Under the name \"kubectl\" it is `kubectl wait`.\n";

constexpr std::string_view kWaitUsage =
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

constexpr std::string_view kWaitExamples =
    "\n"
    "Exit status: 0 met; 1 not met in time, refused or interrupted; 3 cannot be met any more.\n"
    "\n"
    "Examples:\n"
    "  certlatch wait certificate/web secret/web-tls --timeout=5m\n"
    "  certlatch wait deployment/api --for=condition=Available --timeout=2m\n";

Error Refusal(std::string text) { return Error{Code::kConfig, std::move(text)}; }

std::string_view Get(const Surroundings& surroundings, std::string_view name) {
  const auto found = surroundings.environment.find(name);
  return found == surroundings.environment.end() ? std::string_view()
                                                 : std::string_view(found->second);
}

// --- setters: how a flag's value becomes an option ---

std::function<Status(std::string_view)> Into(std::string& option) {
  return [&option](std::string_view value) -> Status {
    option = std::string(value);
    return {};
  };
}

std::function<Status(std::string_view)> Into(bool& option) {
  return [&option](std::string_view value) -> Status {
    option = value == "true";
    return {};
  };
}

std::function<Status(std::string_view)> Into(Duration& option) {
  return [&option](std::string_view value) -> Status {
    const Result<Duration> duration = ParseDuration(value);
    if (!duration) return duration.error();
    option = *duration;
    return {};
  };
}

std::function<Status(std::string_view)> Into(int& option, uint64_t least, uint64_t most) {
  return [&option, least, most](std::string_view value) -> Status {
    const auto number = ParseUint(value, most);
    if (!number || *number < least) {
      return Refusal("not a number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    option = static_cast<int>(*number);
    return {};
  };
}

Status SetLogFormat(std::string_view value, LogFormat& format) {
  if (value == "text") {
    format = LogFormat::kText;
  } else if (value == "logfmt") {
    format = LogFormat::kLogfmt;
  } else if (value == "json") {
    format = LogFormat::kJson;
  } else {
    return Refusal("must be text, logfmt or json");
  }
  return {};
}

// --- the modes' flags ---

// What flags say that can only be understood together.
struct Raw {
  std::vector<std::string> fors;
  bool timeout_given = false;
  std::string ns;
  std::string output;
  bool no_proxy = false;
  bool help = false;
};

void AddConnectionFlags(ConnectionOptions& options, Raw& raw, std::vector<Flag>& flags) {
  flags.push_back({"namespace", 'n', "NAME", "of targets that do not name theirs", Into(raw.ns)});
  flags.push_back({"server", 's', "URL", "the API server; default: the pod's own cluster",
                   Into(options.server)});
  flags.push_back({"token", 0, "TOKEN", "prefer --token-file: arguments are visible to others",
                   [&options](std::string_view value) -> Status {
                     options.token = Secret(std::string(value));
                     return {};
                   }});
  flags.push_back({"token-file", 0, "FILE", "read for each request, since tokens rotate",
                   Into(options.token_file)});
  flags.push_back({"certificate-authority", 0, "FILE", "whom to trust as the API server",
                   Into(options.certificate_authority)});
  flags.push_back({"client-certificate", 0, "FILE", "who we are, instead of a token",
                   Into(options.client_certificate)});
  flags.push_back({"client-key", 0, "FILE", "its private key", Into(options.client_key)});
  flags.push_back({"tls-server-name", 0, "NAME", "verify the API server's certificate for NAME",
                   Into(options.tls_server_name)});
  flags.push_back({"insecure-skip-tls-verify", 0, "", "trust whoever answers",
                   Into(options.insecure_skip_tls_verify)});
  flags.push_back({"request-timeout", 0, "DURATION", "of one request; default 30s",
                   Into(options.request_timeout)});
  flags.push_back(
      {"no-proxy", 0, "", "connect directly though a proxy is configured", Into(raw.no_proxy)});
}

void AddOutputFlags(OutputOptions& options, std::vector<Flag>& flags) {
  flags.push_back(
      {"log-format", 0, "FORMAT", "text, logfmt or json",
       [&options](std::string_view value) { return SetLogFormat(value, options.format); }});
  flags.push_back({"v", 'v', "N", "1 and more: tell of each request",
                   Into(options.verbosity, 0, kMaxVerbosity)});
  flags.push_back({"termination-log", 0, "FILE", "gets the last words on failure",
                   Into(options.termination_log)});
}

std::vector<Flag> WaitFlags(Command& command, Raw& raw) {
  WaitOptions& wait = command.wait;
  std::vector<Flag> flags;
  flags.push_back({"for", 0, "GOAL", "ready, create, delete, condition=T[=V], jsonpath=P[=V]",
                   [&raw](std::string_view value) -> Status {
                     raw.fors.emplace_back(value);
                     return {};
                   }});
  flags.push_back({"timeout", 0, "DURATION", "default 3m, with --for 30s; 0: look once",
                   [&wait, &raw](std::string_view value) {
                     raw.timeout_given = true;
                     return Into(wait.timeout)(value);
                   }});
  flags.push_back({"wait-for-existence", 0, "", "=false: an absent object is an error",
                   Into(wait.wait_for_existence)});
  flags.push_back({"min-ready", 0, "N", "addresses or endpoints that make a service ready",
                   Into(wait.readiness.min_ready, 1, kMaxReady)});
  flags.push_back({"min-validity", 0, "DURATION", "how long a certificate must still be valid",
                   Into(wait.readiness.min_validity)});
  flags.push_back({"retry-forbidden", 0, "", "wait for missing rights instead of failing",
                   Into(wait.watch.retry_forbidden)});
  flags.push_back({"output", 'o', "name", "print names only", Into(raw.output)});
  AddConnectionFlags(command.connection, raw, flags);
  AddOutputFlags(command.output, flags);
  flags.push_back({"help", 'h', "", "this text", Into(raw.help)});
  return flags;
}

// --- what the flags mean together ---

std::string UrlOfCluster(const Surroundings& surroundings) {
  const std::string host(Get(surroundings, "KUBERNETES_SERVICE_HOST"));
  const std::string port(Get(surroundings, "KUBERNETES_SERVICE_PORT"));
  if (host.empty() || port.empty()) return "";
  return "https://" + (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + port;
}

Status CompleteConnection(const Raw& raw, const Surroundings& surroundings,
                          ConnectionOptions& options) {
  if (!options.token.empty() && !options.token_file.empty()) {
    return Refusal("--token and --token-file contradict each other");
  }
  if (options.client_certificate.empty() != options.client_key.empty()) {
    return Refusal("--client-certificate and --client-key need each other");
  }
  if (options.insecure_skip_tls_verify && !options.certificate_authority.empty()) {
    return Refusal("--certificate-authority and --insecure-skip-tls-verify contradict each other");
  }
  if (options.request_timeout < Duration::zero()) {
    return Refusal("--request-timeout cannot be negative");
  }
  if (options.request_timeout == Duration::zero()) {
    options.request_timeout = ConnectionOptions().request_timeout;
  }
  const std::string cluster = UrlOfCluster(surroundings);
  if (options.server.empty()) options.server = cluster;
  if (options.server.empty()) {
    return Refusal(
        "no API server: this is no pod (KUBERNETES_SERVICE_HOST is not set); give "
        "--server");
  }
  options.in_cluster = options.server == cluster;
  if (options.in_cluster) {
    // The mounted token is for this address only.
    const std::string dir(kServiceAccountDir);
    const bool own_identity = !options.token.empty() || !options.client_certificate.empty();
    if (options.token_file.empty() && !own_identity) options.token_file = dir + "/token";
    if (options.certificate_authority.empty() && !options.insecure_skip_tls_verify) {
      options.certificate_authority = dir + "/ca.crt";
    }
    return {};
  }
  const std::string proxy =
      raw.no_proxy ? "" : ProxyVariableFor(options.server, surroundings.environment);
  if (proxy.empty()) return {};
  return Refusal("the environment variable " + proxy +
                 " asks for a proxy, which certlatch cannot "
                 "use; give --no-proxy to connect directly");
}

std::string Namespace(const Raw& raw, const Surroundings& surroundings) {
  if (!raw.ns.empty()) return raw.ns;
  const std::string_view pod = Get(surroundings, "POD_NAMESPACE");
  if (!pod.empty()) return std::string(pod);
  if (!surroundings.service_account_namespace.empty()) {
    return surroundings.service_account_namespace;
  }
  return "default";
}

// kubectl's texts on JSONPath do not say which flag they are about.
Error NameGoal(Error error, std::string_view text) {
  const std::string shown = Printable(text, 200);
  if (error.text.find(shown) != std::string::npos) return error;
  return std::move(error).With("--for=" + shown);
}

Status CompleteWait(const Raw& raw, const std::vector<std::string_view>& arguments,
                    const Surroundings& surroundings, Command& command) {
  WaitOptions& wait = command.wait;
  if (wait.as_kubectl && raw.fors.empty()) return Refusal("unrecognized condition: \"\"");
  for (const std::string& text : raw.fors) {
    Result<Goal> goal = ParseGoal(text, wait.as_kubectl);
    if (!goal) return wait.as_kubectl ? goal.error() : NameGoal(goal.error(), text);
    wait.goals.push_back(*std::move(goal));
  }
  if (!raw.timeout_given) wait.timeout = raw.fors.empty() ? kDefaultWithoutFor : kDefaultWithFor;
  if (wait.timeout < Duration::zero()) wait.timeout = kWeek;
  if (wait.readiness.min_validity < Duration::zero()) {
    return Refusal("--min-validity cannot be negative");
  }
  if (!raw.output.empty() && raw.output != "name") {
    return Refusal("--output knows only \"name\", not \"" + Printable(raw.output, 100) + "\"");
  }
  wait.name_only = raw.output == "name";
  Result<std::vector<TargetName>> targets = ParseTargets(arguments);
  if (!targets) return std::move(targets).error();
  if (targets->size() > kMaxTargets) {
    return Refusal("more than " + std::to_string(kMaxTargets) + " targets");
  }
  wait.targets = *std::move(targets);
  const Status connection = CompleteConnection(raw, surroundings, command.connection);
  if (!connection) return connection.error();
  wait.ns = Namespace(raw, surroundings);
  if (!IsObjectName(wait.ns)) {
    return Refusal("--namespace \"" + Printable(wait.ns, 100) + "\": no namespace name");
  }
  wait.watch.retry_unauthorized =
      !command.connection.token_file.empty() || !command.connection.client_certificate.empty();
  return {};
}

Command Print(std::string text) {
  Command command;
  command.kind = Command::Kind::kPrint;
  command.text = std::move(text);
  return command;
}

Error NoSuchVerb(std::string_view verb) {
  return Refusal("error: this is certlatch under the name kubectl: it can \"wait\", not \"" +
                 Printable(verb, 100) + "\"");
}

Error BadFlag(const Error& error, bool as_kubectl) {
  if (!as_kubectl) return Refusal("error: " + error.text + " (see 'certlatch wait --help')");
  return Refusal("Error: " + error.text + "\nSee 'kubectl wait --help' for usage.");
}

// kubectl's verb may stand anywhere among its flags; ours has been taken off already.
Result<Command> ParseWait(const std::vector<std::string_view>& arguments,
                          const Surroundings& surroundings, bool as_kubectl) {
  Command command;
  command.kind = Command::Kind::kWait;
  command.wait.as_kubectl = as_kubectl;
  command.output.termination_log = kTerminationLog;
  Raw raw;
  const std::vector<Flag> flags = WaitFlags(command, raw);
  auto positional = ReadFlags(arguments, flags);
  if (!positional) return BadFlag(positional.error(), as_kubectl);
  if (raw.help) {
    return Print(std::string(kWaitUsage) + DescribeFlags(flags) + std::string(kWaitExamples));
  }
  if (as_kubectl) {
    const std::string_view verb = positional->empty() ? "" : positional->front();
    if (verb != "wait") return NoSuchVerb(verb);
    positional->erase(positional->begin());
  }
  const Status complete = CompleteWait(raw, *positional, surroundings, command);
  if (!complete) return Refusal("error: " + complete.error().text);
  return command;
}

Result<Command> ParseKubectl(const std::vector<std::string_view>& arguments,
                             const Surroundings& surroundings) {
  // Another verb's flags would be refused one by one: the verb is what is wrong.
  const std::string_view first = arguments.empty() ? "" : arguments[0];
  if (!first.starts_with('-') && first != "wait") return NoSuchVerb(first);
  return ParseWait(arguments, surroundings, /*as_kubectl=*/true);
}

}  // namespace

std::string_view BaseName(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

Result<Command> ParseCommandLine(std::string_view program,
                                 const std::vector<std::string_view>& arguments,
                                 const Surroundings& surroundings) {
  if (BaseName(program) == "kubectl") return ParseKubectl(arguments, surroundings);
  if (arguments.empty()) return Refusal("error: no mode given (see 'certlatch --help')");
  const std::string_view mode = arguments[0];
  if (mode == "--help" || mode == "-h" || mode == "help") return Print(std::string(kUsage));
  if (mode == "version" || mode == "--version") return Print(surroundings.version + "\n");
  if (mode != "wait") {
    return Refusal("error: unknown mode \"" + Printable(mode, 100) + "\" (see 'certlatch --help')");
  }
  return ParseWait({arguments.begin() + 1, arguments.end()}, surroundings, /*as_kubectl=*/false);
}

}  // namespace certlatch
