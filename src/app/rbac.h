// RbacFor is `certlatch rbac`: the least rights with which a command does all it is asked for,
// from its command line alone. What only makes a message better (the chain behind a Certificate
// that is not ready) is not among them, since certlatch goes on without it; but for explain, which
// is there for that.
#pragma once

#include <string>

#include "app/options.h"
#include "base/result.h"

namespace certlatch {

struct RbacOptions {
  std::string account = "default";  // the ServiceAccount of the command's namespace
  std::string name = "certlatch";   // of what is printed
};

// YAML documents. Error (kConfig): a type that only the API server knows.
Result<std::string> RbacFor(const Command& command, const RbacOptions& options);

}  // namespace certlatch
