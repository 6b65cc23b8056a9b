// Goal is what one --for (or its absence) asks of a target; Judge tells whether an object meets it.
// Pure. Conditions follow kubectl's rules; readiness per kind is readiness.h's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "base/time.h"
#include "domain/json.h"
#include "domain/wait_jsonpath.h"

namespace certlatch {

// What is to be said of a target at one moment.
struct Verdict {
  enum class State {
    kMet,
    kUnmet,
    kImpossible,  // waiting cannot help any more
    kInvalid,     // the goal cannot be asked of this object
  };
  State state = State::kUnmet;
  std::string reason;               // for people, without the target's name; "" when met
  std::optional<WallTime> recheck;  // the same objects may be judged otherwise from then on

  static Verdict Met() { return {State::kMet, "", {}}; }
  // The reason as for printf: see Format() in text.h.
  [[gnu::format(printf, 1, 2)]] static Verdict Unmet(const char* pattern, ...);
  [[gnu::format(printf, 2, 3)]] static Verdict Of(State state, const char* pattern, ...);
};

struct ReadyGoal {};   // what users of that kind mean by ready
struct CreateGoal {};  // it exists
struct DeleteGoal {};  // it does not exist
struct ConditionGoal {
  std::string type;
  std::string status = "true";
};

using Goal = std::variant<ReadyGoal, CreateGoal, DeleteGoal, ConditionGoal, JsonPathWait>;

// The value of one --for. `ready` is accepted as a goal of its own unless `kubectl_only`.
// Errors have kubectl's words.
Result<Goal> ParseGoal(std::string_view text, bool kubectl_only);

// What stands behind "TYPE/NAME=": ready, create or delete, else a condition T[=V].
Goal GoalOfTarget(std::string_view text);

// status.conditions[type], compared ignoring case; the status is stale (unmet) while the
// condition's, else the status's, observedGeneration is lower than metadata.generation.
Verdict JudgeCondition(const Json& object, std::string_view type, std::string_view status = "true");

// Whether a reason may show what the object holds.
enum class Disclosure { kAll, kNoValues };

// A goal on one object; nullptr: it does not exist. Not for ReadyGoal.
Verdict JudgeObject(const Json* object, const Goal& goal, Disclosure disclosure);

}  // namespace certlatch
