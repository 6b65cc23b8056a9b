// `certlatch rbac MODE …`: another mode's command line, read for the rights that it needs.

#include <algorithm>
#include <utility>

#include "app/rbac.h"
#include "base/text.h"
#include "cli/mode.h"
#include "domain/resource.h"
#include "domain/shell_words.h"

namespace certlatch {
namespace {

constexpr const char* kRbacUsage =
    "Print the Role and RoleBinding with just the rights that a command needs.\n"
    "\n"
    "Usage:\n"
    "  certlatch rbac [--service-account NAME] [--name NAME] MODE [arguments of MODE]\n"
    "\n"
    "A ClusterRole is printed only for objects without a namespace. What would only make a "
    "message\n"
    "better is left out: certlatch goes on without it, and says so. explain gets all it reads.\n"
    "\n"
    "Examples:\n"
    "  certlatch rbac wait certificate/web secret/web-tls -n prod | kubectl apply -f -\n"
    "  certlatch rbac --service-account web sidecar --volume /tls --expect lease/web -n prod\n";

constexpr Flag kRbacFlags[] = {
    {"service-account", "NAME", "", SetFilled, CERTLATCH_PLACE(0, RbacOptions, account)},
    {"name", "NAME", "", SetFilled, CERTLATCH_PLACE(0, RbacOptions, name)},
};

// Takes rbac's own flags off `arguments`, up to the mode.
Status ReadRbacFlags(std::vector<std::string_view>& arguments, RbacOptions& options) {
  while (!arguments.empty() && arguments[0].starts_with("--")) {
    // One flag: in one word, or in two, as far as there are any.
    const size_t parts_of_it = arguments[0].find('=') == std::string_view::npos ? 2 : 1;
    const size_t words = std::min(arguments.size(), parts_of_it);
    Positional rest;
    void* const parts[] = {&options};
    const FlagTable tables[] = {kRbacFlags};
    Status read = ReadFlags({arguments.begin(), arguments.begin() + static_cast<ptrdiff_t>(words)},
                            tables, parts, rest);
    if (!read) return read;
    arguments.erase(arguments.begin(), arguments.begin() + static_cast<ptrdiff_t>(words));
  }
  for (const std::string& name : {options.account, options.name}) {
    if (!IsDottedName(name)) return Refuse("\"%s\" is no name", Printable(name, 100).c_str());
  }
  return {};
}

}  // namespace

[[gnu::noinline]] Status ParseRbac(std::vector<std::string_view> arguments,
                                   Surroundings surroundings, Command& command) {
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h") {
    command.kind = Command::Kind::kPrint;
    command.text = kRbacUsage;
    return {};
  }
  RbacOptions options;
  const Status flags = ReadRbacFlags(arguments, options);
  if (!flags) {
    return Refuse("error: %s (see 'certlatch rbac --help')", flags.error().text.c_str());
  }
  // Nobody is asked: any API server will do.
  surroundings.rights_only = true;
  for (const char* known : {"KUBERNETES_SERVICE_HOST=none", "KUBERNETES_SERVICE_PORT=1"}) {
    surroundings.environment.emplace_back(known);
  }
  surroundings.environment.emplace(surroundings.environment.begin(), "KUBECONFIG=");
  // Those modes are names of the program.
  std::string_view program;
  if (!arguments.empty() && WordIn(arguments[0], "kubectl sh bash ash dash") >= 0) {
    program = arguments[0];
    arguments.erase(arguments.begin());
  }
  Status parsed = ParseCommandLine(program, arguments, surroundings, command);
  if (!parsed || command.kind == Command::Kind::kPrint) return parsed;
  Result<std::string> yaml = RbacFor(command, options);
  if (!yaml) return std::move(yaml).error().With("error");
  command.kind = Command::Kind::kPrint;
  command.text = *std::move(yaml);
  return {};
}

}  // namespace certlatch
