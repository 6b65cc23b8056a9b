// Mode is one `certlatch MODE` at work: started once, it tells its owner once how it ended.
#pragma once

#include <string>
#include <vector>

namespace certlatch {

enum class WaitOutcome { kMet, kNotMet, kImpossible };

struct WaitResult {
  WaitOutcome outcome;
  std::vector<std::string> errors;  // lines for standard error and the termination message
};

class Mode {
 public:
  virtual ~Mode() = default;
  virtual void Start() = 0;
  // "SIGTERM" or "SIGINT" has come: ends at once.
  virtual void Interrupt(const char* signal) = 0;
};

}  // namespace certlatch
