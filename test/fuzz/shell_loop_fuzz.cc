// Any bytes as the script of `sh -c`: a plan that holds together, or one line that says why not,
// the same each time. A NUL ends the script; what follows is what every command prints.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.h"
#include "domain/jsonpath.h"
#include "domain/shell_loop.h"
#include "domain/target.h"

namespace certlatch {
namespace {

void Require(bool truth) {
  if (!truth) std::abort();
}

void CheckTest(const ScriptTest& test, std::string_view printed) {
  const LoopProbe& probe = test.probe;
  if (probe.kind == LoopProbe::Kind::kGet) {
    Require(IsDottedName(probe.type));
    Require(probe.name.empty() || IsObjectName(probe.name));
    Require(probe.ns.empty() || IsObjectName(probe.ns));
    const bool prints = probe.printed == LoopProbe::Printed::kJsonPath;
    Require(!prints || JsonPath::Parse(probe.path).has_value());
  }
  if (probe.kind == LoopProbe::Kind::kWait) Require(!probe.arguments.empty());
  Require((probe.kind == LoopProbe::Kind::kReach) == (probe.reachable != nullptr));
  if (probe.reachable != nullptr) {
    const Reachable& reachable = *probe.reachable;
    using Kind = Reachable::Kind;
    if (reachable.kind == Kind::kHttp) Require(reachable.url.starts_with("http"));
    const bool socket = reachable.kind == Kind::kTcp || reachable.kind == Kind::kPostgres;
    if (socket) Require(reachable.endpoint.port > 0);
    if (socket || reachable.kind == Kind::kName) Require(!reachable.endpoint.host.empty());
    if (reachable.kind == Kind::kFile) Require(!reachable.path.empty());
  }
  // What is looked at is something that the probe can print.
  const bool looks = test.condition.kind != LoopCondition::Kind::kSucceeds;
  Require(!looks || probe.printed > LoopProbe::Printed::kTable);
  LoopCondition opposite = test.condition;
  opposite.negated = !opposite.negated;
  for (const bool succeeded : {true, false}) {
    const bool both =
        Holds(test.condition, succeeded, printed) && Holds(opposite, succeeded, printed);
    Require(!both);
  }
}

void CheckPlan(const LoopPlan& plan, std::string_view printed) {
  Require(plan.steps.size() <= kMaxLoopSteps && plan.text.size() <= kMaxShellText);
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const LoopStep& step = plan.steps[i];
    Require(step.pause >= Duration::zero());
    const bool waits = step.kind == LoopStep::Kind::kUntil;
    const bool runs = step.kind == LoopStep::Kind::kKubectl;
    const size_t tests = step.last_test - step.first_test;
    Require(step.last_test <= plan.tests.size() && (waits ? tests > 0 : tests == (runs ? 1 : 0)));
    if (runs) Require(step.if_failed > i && step.if_failed <= plan.steps.size());
    Require(step.first_say <= step.last_say && step.last_say <= plan.says.size());
  }
  for (const auto& test : plan.tests) CheckTest(*test, printed);
  for (const LoopStep& say : plan.says) Require(say.kind == LoopStep::Kind::kSay);
}

}  // namespace
}  // namespace certlatch

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace certlatch;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view script = input.substr(0, input.find('\0'));
  const std::string_view printed =
      script.size() == size ? std::string_view() : input.substr(script.size() + 1);
  const std::vector<std::string_view> environment = {"DB_HOST=db", "NS=prod", "ODD=a b*",
                                                     "/run/ns=blue"};
  LoopPlan plan;
  LoopPlan other;
  const Status status = ParseShellLoop(script, environment, plan);
  const Status again = ParseShellLoop(script, environment, other);
  Require(status.has_value() == again.has_value());
  if (status) {
    CheckPlan(plan, printed);
    return 0;
  }
  const std::string& text = status.error().text;
  Require(!text.empty() && text == again.error().text);
  Require(Printable(text, text.size()) == text);  // one line
  return 0;
}
