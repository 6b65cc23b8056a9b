// A dry run is the target dry-run:FILE[=denied:TEXT]: an object that the API server is asked to
// create without keeping it, which takes it through the whole admission chain. Met when it is let
// in; with "=denied:", when admission denies it with a message that contains TEXT. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "domain/api_answer.h"
#include "domain/target.h"

namespace certlatch {

bool IsDryRun(std::string_view text);

// What the text of such a target says. Views into it.
struct DryRunText {
  std::string_view file;
  bool denied = false;  // a denial is expected
  std::string_view denial;
};
DryRunText ReadDryRunText(std::string_view text);

// Completes `target`, of which the text is known, by what is in its file: type, name, namespace and
// the object itself. Errors (kConfig) name the file.
Status ReadDryRunObject(std::string_view manifest, TargetName& target);

struct DryRunOutcome {
  enum class State {
    kMet,
    kUnmet,
    kImpossible,  // a webhook refuses dry runs as such
    kInvalid,     // the object is, or the request
    kForbidden,   // to us, by RBAC
    kUnknown,     // no answer about the object
  };
  State state = State::kUnknown;
  std::string reason;  // one printable line; "" when met
};
// `answer` to a POST of the object with dryRun=All.
DryRunOutcome JudgeDryRun(const ApiAnswer& answer, const DryRunText& expected);

}  // namespace certlatch
