#include "domain/signal_guard.h"

#include "base/duration.h"
#include "base/text.h"
#include "domain/signal_name.h"

namespace certlatch {
namespace {

using Kind = SignalVerdict::Kind;

// How often an app that starts is asked whether it has its handler.
constexpr Duration kHandlerPoll = 1s;

}  // namespace

SignalVerdict MaySignal(const SignalFacts& facts) {
  const std::string name = SignalName(facts.signal);
  const bool young = facts.age < facts.first_signal_after;
  switch (FateOf(facts.signal, facts.masks)) {
    case SignalFate::kIgnored:
      return {Kind::kRefuse, Format("ignores %s", name.c_str()), {}};
    case SignalFate::kDefault:
      if (facts.masks.is_init) {
        return {Kind::kRefuse,
                Format("is PID 1 of its namespace and has no handler for %s: the kernel drops it",
                       name.c_str()),
                {}};
      }
      return {Kind::kDefer, Format("has no handler for %s yet: it could end by it", name.c_str()),
              young ? kHandlerPoll : Duration::zero()};
    case SignalFate::kHandled:
      break;
  }
  // Go's runtime has a handler for every signal from the start, and passes on to the default what
  // the program has not asked for yet.
  if (young && !facts.answered && !facts.signalled) {
    return {Kind::kDefer,
            Format("is younger than %s and has not answered a probe: it may not handle %s yet "
                   "(see --first-signal-after)",
                   FormatDuration(facts.first_signal_after).c_str(), name.c_str()),
            facts.first_signal_after - facts.age};
  }
  // C libraries block all signals for a moment, to start a thread or a child.
  const bool caught = (facts.masks.caught >> (facts.signal - 1) & 1) != 0;
  if (!caught && !facts.was_held) return {Kind::kLookAgain, "", {}};
  return {};
}

}  // namespace certlatch
