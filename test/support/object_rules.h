// What an API server does to an object before it stores it: fields of its own, defaults, and which
// parts a request may change.
// Pure, but for the clock and a counter for uids. The store adds the resourceVersion.
#pragma once

#include <string>
#include <string_view>

#include "domain/json.h"
#include "test/support/api_resource.h"

namespace certlatch::test {

enum class Part {
  kAll,     // a test's own hand: everything at once
  kMain,    // the resource itself; its status, where that is a subresource, stays
  kStatus,  // only the status
};

// The object as it is first stored. With Part::kMain without its status.
Json NewObject(const ApiResource& resource, std::string_view ns, const Json& object, Part part);

// What becomes of `old` when `next` is written over it.
Json UpdatedObject(const ApiResource& resource, const Json& old, const Json& next, Part part);

// Marked for deletion, which its finalizers hold up.
Json TerminatingObject(const Json& object);
bool IsGone(const Json& object);  // marked, and no finalizer is left

std::string Timestamp();  // now, as in metadata.creationTimestamp

}  // namespace certlatch::test
