// WatchDecoder turns the body of a watch, in any pieces, into events.
// Owns at most kMaxWatchLine bytes of an unfinished line; a longer line is an error, not growth.
// Pure: the caller feeds bytes and owns retry. After an error the decoder is of no further use.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/json.h"

namespace certlatch {

// Objects of up to 4 MiB (etcd's default limit for a request is 1.5 MiB) and their envelope.
constexpr size_t kMaxWatchLine = (4 << 20) + 4096;

struct WatchEvent {
  enum class Type { kAdded, kModified, kDeleted, kBookmark, kError };
  Type type;
  Json object;  // for kError a Status
};

class WatchDecoder {
 public:
  // The events that `bytes` complete, in order. Error (kRetry): malformed or oversized line; what
  // was complete before it is lost with it, so the caller reads anew.
  Result<std::vector<WatchEvent>> Feed(std::string_view bytes);

  // At the end of the body: an error when it stopped within a line.
  Status Finish() const;

 private:
  std::string unfinished_;
};

}  // namespace certlatch
