#include "cli/connection_flags.h"

#include "base/text.h"
#include "cli/kubeconfig.h"
#include "cli/proxy.h"

namespace certlatch {
namespace {

constexpr Duration kRequestTimeout = 30s;  // kubectl's 0 means none; ours, the usual one

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
  const bool certificate =
      !options.client_certificate.empty() || !options.client_certificate_data.empty();
  const bool key = !options.client_key.empty() || !options.client_key_data.empty();
  if (certificate != key) {
    return "--client-certificate and --client-key need each other";
  }
  if (options.insecure_skip_tls_verify && !options.certificate_authority.empty()) {
    return "--certificate-authority and --insecure-skip-tls-verify contradict each other";
  }
  if (options.as.empty() && !(options.as_uid.empty() && options.as_groups.empty())) {
    return "requesting uid, groups or user-extra for  without impersonating a user";
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
  const bool own_identity = !options.token.empty() || !options.client_certificate.empty() ||
                            !options.client_certificate_data.empty();
  if (options.token_file.empty() && !own_identity) options.token_file = dir + "/token";
  if (options.certificate_authority.empty() && options.certificate_authority_data.empty() &&
      !options.insecure_skip_tls_verify) {
    options.certificate_authority = dir + "/ca.crt";
  }
}

// Which file: the flag's, else the variable's, else kubectl's own. Where --server names another
// server, only the flag's: a token is not sent where nobody said that it belongs.
std::string KubeconfigPath(const Surroundings& surroundings, const Parsed& parsed, bool in_pod) {
  const Environment& environment = surroundings.environment;
  if (!parsed.given.kubeconfig.empty()) return parsed.given.kubeconfig;
  if (!parsed.command.connection.server.empty()) return "";
  std::string path(ValueOf(environment, "KUBECONFIG"));
  const std::string_view home = ValueOf(environment, "HOME");
  const bool kubectl = parsed.command.wait.as_kubectl || surroundings.in_script;
  if (path.empty() && kubectl && !in_pod && !home.empty()) {
    path.assign(home).append("/.kube/config");
  }
  return path;
}

[[gnu::noinline]] Status CompleteKubeconfig(const Surroundings& surroundings, Parsed& parsed,
                                            bool in_pod) {
  Given& given = parsed.given;
  const std::string path = KubeconfigPath(surroundings, parsed, in_pod);
  if (path.empty() || surroundings.read_file == nullptr) {
    if (given.context.empty()) return {};
    return Refuse("--context \"%s\" is of a kubeconfig: give --kubeconfig",
                  Printable(given.context, 100).c_str());
  }
  Result<std::string> text = surroundings.read_file(path);
  if (!text) {
    const bool absent = text.error().code == Code::kNotFound;
    if (absent && given.kubeconfig.empty() && given.context.empty()) return {};  // as kubectl
    if (!absent) return Refuse("%s", Printable(text.error().text).c_str());
    return Refuse("stat %s: no such file or directory", Printable(path, 300).c_str());
  }
  std::string ns;
  Status used = UseKubeconfig(*text, path, given.context, parsed.command.connection, ns);
  if (given.ns.empty()) given.ns = ns;
  return used;
}

Status CompleteServer(const Surroundings& surroundings, Parsed& parsed) {
  ConnectionOptions& options = parsed.command.connection;
  const std::string cluster = UrlOfCluster(surroundings.environment);
  Status kubeconfig = CompleteKubeconfig(surroundings, parsed, !cluster.empty());
  if (!kubeconfig) return kubeconfig;
  if (options.server.empty()) options.server = cluster;
  if (const char* wrong = WhatIsWrong(options)) return Refuse("%s", wrong);
  if (options.request_timeout == Duration::zero()) options.request_timeout = kRequestTimeout;
  options.in_cluster = options.server == cluster;
  if (options.in_cluster) {
    UseServiceAccount(options);
    return {};
  }
  const char* const proxy =
      parsed.given.no_proxy ? "" : ProxyVariableFor(options.server, surroundings.environment);
  if (*proxy == '\0') return {};
  return Refuse(
      "the environment variable %s asks for a proxy, which certlatch cannot use; give --no-proxy "
      "to "
      "connect directly",
      proxy);
}

Status CompleteNamespace(const Surroundings& surroundings, const std::string& given,
                         std::string& ns) {
  ns = given;
  if (ns.empty()) ns = ValueOf(surroundings.environment, "POD_NAMESPACE");
  if (ns.empty()) ns = surroundings.service_account_namespace;
  if (ns.empty()) ns = "default";
  if (IsObjectName(ns)) return {};
  return Refuse("--namespace \"%s\": no namespace name", Printable(ns, 100).c_str());
}

}  // namespace

Status SetToken(void* place, std::string_view value) {
  *static_cast<Secret*>(place) = Secret(std::string(value));
  return {};
}

Status SetHeaderText(void* place, std::string_view value) {
  if (value.empty() || Printable(value, value.size()) != value) {
    return Refuse("cannot stand in an HTTP header");
  }
  return SetText(place, value);
}

Status AddHeaderText(void* place, std::string_view value) {
  auto* const all = static_cast<std::vector<std::string>*>(place);
  return SetHeaderText(&all->emplace_back(), value);
}

Status SetRequestTimeout(void* place, std::string_view value) {
  const auto seconds = ParseUint(value, 1'000'000'000);
  if (!seconds) return SetDuration(place, value);
  *static_cast<Duration*>(place) = std::chrono::seconds(*seconds);
  return {};
}

Status SetLogFormat(void* place, std::string_view value) {
  static_assert(sizeof(LogFormat) == sizeof(int));
  return SetChoice(place, value, "text|logfmt|json", "text, logfmt or json");
}

Status CompleteConnection(const Surroundings& surroundings, Parsed& parsed, WatchSettings& watch,
                          std::string& ns) {
  Status server = CompleteServer(surroundings, parsed);
  if (!server) return server;
  const ConnectionOptions& options = parsed.command.connection;
  watch.retry_unauthorized = !options.token_file.empty() || !options.client_certificate.empty();
  return CompleteNamespace(surroundings, parsed.given.ns, ns);
}

}  // namespace certlatch
