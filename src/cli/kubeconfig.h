// UseKubeconfig completes what the flags leave open of a connection by one context of a kubeconfig
// in JSON. Pure; only what is static: servers, tokens, certificates, in files or within. What it
// holds of keys and tokens is wiped, but for what ends up in the options.
#pragma once

#include <string>

#include "app/options.h"
#include "base/result.h"

namespace certlatch {

// `text` is the content of `file`, beside which it names other files; `context` "": the current
// one. `ns` gets the context's namespace, "": none. Errors (kConfig) name the file and show nothing
// secret.
Status UseKubeconfig(std::string& text, const std::string& file, const std::string& context,
                     ConnectionOptions& options, std::string& ns);

}  // namespace certlatch
