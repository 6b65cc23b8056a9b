// MaySignal decides whether a process can take a signal now without harm: most signals end a
// process that has no handler for them yet.
// Pure: from what /proc shows, and from what is remembered of this process and no other.
#pragma once

#include <string>

#include "base/time.h"
#include "domain/proc_text.h"

namespace certlatch {

struct SignalFacts {
  int signal = 0;
  SignalMasks masks;
  Duration age{};                 // of the process, at least
  Duration first_signal_after{};  // see SignalMethod
  bool answered = false;          // a probe, since it started
  bool signalled = false;         // by us before: it has lived through it
  bool was_held = false;          // an earlier look found the signal caught or blocked, too
};

struct SignalVerdict {
  enum class Kind {
    kSend,
    kLookAgain,  // in a moment: it may be held for that moment only
    kDefer,      // it may be able to take it later
    kRefuse,     // it would not notice
  };
  Kind kind = Kind::kSend;
  std::string reason;   // why not, to follow "process 41 "
  Duration retry_in{};  // deferred: when to try again; 0: not known
};

SignalVerdict MaySignal(const SignalFacts& facts);

}  // namespace certlatch
