// Any bytes as the script of `sh -c`: a plan that holds together, or one line that says why not,
// the same each time. A NUL ends the script; what follows is what every command prints.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.h"
#include "domain/shell_loop.h"

namespace certlatch {
namespace {

void Require(bool truth) {
  if (!truth) std::abort();
}

void CheckTest(const LoopTest& test, std::string_view printed) {
  const LoopProbe& probe = test.probe;
  for (const TargetName& target : probe.targets) {
    Require(IsObjectName(target.name) && (target.ns.empty() || IsObjectName(target.ns)));
  }
  if (probe.kind == LoopProbe::Kind::kGet) {
    Require(probe.targets.empty() != probe.list_type.empty());
    Require((probe.printed == LoopProbe::Printed::kJsonPath) == probe.path.has_value());
  }
  if (probe.kind == LoopProbe::Kind::kWait) Require(!probe.arguments.empty());
  if (probe.kind == LoopProbe::Kind::kHttp) Require(probe.url.starts_with("http"));
  const bool socket =
      probe.kind == LoopProbe::Kind::kTcp || probe.kind == LoopProbe::Kind::kPostgres;
  if (socket) Require(probe.endpoint.port > 0 && !probe.endpoint.host.empty());
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
  Require(plan.steps.size() <= kMaxLoopSteps);
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const LoopStep& step = plan.steps[i];
    Require(step.pause >= Duration::zero());
    const bool waits = step.kind == LoopStep::Kind::kUntil;
    const bool runs = step.kind == LoopStep::Kind::kKubectl;
    Require(waits ? !step.tests.empty() : step.tests.size() == (runs ? 1U : 0U));
    if (runs) Require(step.if_failed > i && step.if_failed <= plan.steps.size());
    for (const LoopTest& test : step.tests) CheckTest(test, printed);
    for (const LoopStep& say : step.says) Require(say.kind == LoopStep::Kind::kSay);
  }
}

}  // namespace
}  // namespace certlatch

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace certlatch;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view script = input.substr(0, input.find('\0'));
  const std::string_view printed =
      script.size() == size ? std::string_view() : input.substr(script.size() + 1);
  const Result<LoopPlan> plan = ParseShellLoop(script, {"DB_HOST=db", "NS=prod", "ODD=a b*"});
  const Result<LoopPlan> again = ParseShellLoop(script, {"DB_HOST=db", "NS=prod", "ODD=a b*"});
  Require(plan.has_value() == again.has_value());
  if (plan) {
    CheckPlan(*plan, printed);
    return 0;
  }
  const std::string& text = plan.error().text;
  Require(!text.empty() && text == again.error().text);
  Require(Printable(text, text.size()) == text);  // one line
  return 0;
}
