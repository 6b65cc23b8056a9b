// ParseCommandLine turns argv and the environment into a Command, or into the lines that say what
// is wrong with them. Pure: files and clocks are not touched; what main found out about the machine
// comes in as values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/options.h"
#include "base/result.h"
#include "cli/environment.h"

namespace certlatch {

// Where the kubelet mounts a pod's credentials (the Kubernetes documentation names the path).
constexpr const char* kServiceAccountDir = "/var/run/secrets/kubernetes.io/serviceaccount";

// Where the kubelet takes a container's last words from, unless its spec says otherwise.
constexpr const char* kTerminationLog = "/dev/termination-log";

struct Surroundings {
  Environment environment;
  std::string service_account_namespace;  // of the mounted file; "" outside of a pod
  // Of a kubeconfig, the one file that only the command line names. kNotFound: there is none.
  Result<std::string> (*read_file)(const std::string& path) = nullptr;
  std::string version;       // what `certlatch version` prints
  std::string version_json;  // the same with -o json
  bool rights_only = false;  // nothing is run: the pod need not be known
  bool in_script = false;    // for what a script calls kubectl
};

// `program` is argv[0]: as "kubectl" we are `kubectl wait`, as "sh" or "bash" its `-c`. The error's
// text is complete, of one or two lines ("error: …"); how it is to be told stands in `command` as
// far as that was understood.
Status ParseCommandLine(std::string_view program, const std::vector<std::string_view>& arguments,
                        const Surroundings& surroundings, Command& command);

}  // namespace certlatch
