// The flags of every mode: who we are at the API server, how to reach it, what to say where. What
// they leave open comes from the pod. Pure.
#pragma once

#include "cli/mode.h"

namespace certlatch {

Status SetToken(void* place, std::string_view value);
Status SetHeaderText(void* place, std::string_view value);  // what may stand in a header
Status AddHeaderText(void* place, std::string_view value);
Status SetRequestTimeout(void* place, std::string_view value);  // also seconds without a unit
Status SetLogFormat(void* place, std::string_view value);

inline constexpr Flag kConnectionFlags[] = {
    {"namespace", "NAME", "of targets that do not name theirs", SetText, CERTLATCH_GIVEN(ns), 'n'},
    {"server", "URL", "the API server; default: the pod's own cluster", SetText,
     CERTLATCH_COMMAND(connection.server), 's'},
    {"token", "TOKEN", "prefer --token-file: arguments are visible to others", SetToken,
     CERTLATCH_COMMAND(connection.token)},
    {"token-file", "FILE", "read for each request, since tokens rotate", SetText,
     CERTLATCH_COMMAND(connection.token_file)},
    {"certificate-authority", "FILE", "whom to trust as the API server", SetText,
     CERTLATCH_COMMAND(connection.certificate_authority)},
    {"client-certificate", "FILE", "who we are, instead of a token", SetText,
     CERTLATCH_COMMAND(connection.client_certificate)},
    {"client-key", "FILE", "its private key", SetText, CERTLATCH_COMMAND(connection.client_key)},
    {"as", "USER", "act as USER, where RBAC lets us impersonate", SetHeaderText,
     CERTLATCH_COMMAND(connection.as)},
    {"as-group", "GROUP", "and as a member of GROUP", AddHeaderText,
     CERTLATCH_COMMAND(connection.as_groups)},
    {"as-uid", "UID", "and with this UID", SetHeaderText, CERTLATCH_COMMAND(connection.as_uid)},
    {"tls-server-name", "NAME", "verify the API server's certificate for NAME", SetText,
     CERTLATCH_COMMAND(connection.tls_server_name)},
    {"insecure-skip-tls-verify", "", "trust whoever answers", SetSwitch,
     CERTLATCH_COMMAND(connection.insecure_skip_tls_verify)},
    {"kubeconfig", "FILE", "all of these, as JSON; default: $KUBECONFIG", SetFilled,
     CERTLATCH_GIVEN(kubeconfig)},
    {"context", "NAME", "of the kubeconfig; default: its current one", SetText,
     CERTLATCH_GIVEN(context)},
    {"request-timeout", "DURATION", "of one request; default 30s", SetRequestTimeout,
     CERTLATCH_COMMAND(connection.request_timeout)},
    {"no-proxy", "", "connect directly though a proxy is configured", SetSwitch,
     CERTLATCH_GIVEN(no_proxy)},
    {"log-format", "FORMAT", "text, logfmt or json", SetLogFormat,
     CERTLATCH_COMMAND(output.format)},
    {"v", "N", "1 and more: tell of each request", SetCount, CERTLATCH_COMMAND(output.verbosity),
     'v'},
    {"termination-log", "FILE", "gets the last words on failure", SetText,
     CERTLATCH_COMMAND(output.termination_log)},
    {"help", "", "this text", SetSwitch, CERTLATCH_GIVEN(help), 'h'},
};

// How to reach the API server (command.connection), how its watches go and the command's namespace.
// Errors name the flag or the variable.
Status CompleteConnection(const Surroundings& surroundings, Parsed& parsed, WatchSettings& watch,
                          std::string& ns);

}  // namespace certlatch
