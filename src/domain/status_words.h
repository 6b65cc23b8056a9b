// What the status of an object says: its conditions, and what keeps a pod from being ready.
// Pure; any JSON may come in, and each text is one bounded printable line. Whether it is of the
// object's latest generation is the caller's to ask.
#pragma once

#include <string>
#include <string_view>

#include "domain/json.h"

namespace certlatch {

// Of exactly this type; null: none.
const Json& FindCondition(const Json& object, std::string_view type);
bool HasStatus(const Json& object, std::string_view type, std::string_view status);

// Whether the condition is of an earlier generation than the object.
bool IsStale(const Json& object, const Json& condition);

// " (REASON): MESSAGE" of a condition, or of what else has these two; "" if it has neither.
std::string Because(const Json& condition);

// Why the pod is not ready; for one that is not.
std::string DescribePod(const Json& pod);

}  // namespace certlatch
