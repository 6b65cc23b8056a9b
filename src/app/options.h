// What a command line asks for, as plain values: cli/ fills them in, main hands them out.
#pragma once

#include <string>
#include <vector>

#include "app/check.h"
#include "app/explain.h"
#include "app/publish.h"
#include "app/shell_run.h"
#include "app/sidecar.h"
#include "app/wait.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/time.h"

namespace certlatch {

// How to reach the API server and who we are there.
struct ConnectionOptions {
  // "https://10.96.0.1:443"; http only on loopback, or without credentials. "": none is needed.
  std::string server;
  bool in_cluster = false;
  Secret token;                       // given on the command line; else from token_file
  std::string token_file;             // "": none. Read for every request, since it rotates
  std::string certificate_authority;  // file; "": the system's. Read for every request likewise
  std::string client_certificate;     // file; "": none
  std::string client_key;
  // What a kubeconfig holds instead of such files, as PEM; "": nothing.
  std::string certificate_authority_data;
  std::string client_certificate_data;
  Secret client_key_data;
  std::string as;  // whom to impersonate; "": nobody
  std::vector<std::string> as_groups;
  std::string as_uid;
  std::string tls_server_name;  // "": the server's own host name
  bool insecure_skip_tls_verify = false;
  Duration request_timeout = 30s;  // of one request that is not a watch
};

struct OutputOptions {
  LogFormat format = LogFormat::kText;
  int verbosity = 0;
  std::string termination_log;  // written on failure if it exists already
};

struct Command {
  enum class Kind {
    kWait,
    kSidecar,
    kPublish,
    kShell,
    kInstall,  // the program into the directory `text`
    kCheck,
    kExplain,
    kPrint,  // `text` to standard output, nothing else
  };
  Kind kind = Kind::kPrint;
  std::string text;
  OutputOptions output;
  ConnectionOptions connection;
  WaitOptions wait;
  SidecarOptions sidecar;
  PublishOptions publish;
  CheckOptions check;
  ExplainOptions explain;
  ShellOptions shell;
};

}  // namespace certlatch
