#include "platform/tell_app.h"

#include <algorithm>
#include <memory>
#include <string>

#include "base/text.h"
#include "domain/signal_guard.h"
#include "platform/command.h"
#include "platform/file.h"
#include "platform/http_call.h"

namespace certlatch {
namespace {

constexpr Duration kTick = 10ms;        // of the kernel's process start times
constexpr Duration kSecondLook = 50ms;  // C libraries block signals for microseconds

ReloadResult ResultOf(Code code) {
  switch (code) {
    case Code::kNotFound:
    case Code::kRetry:  // a PID file that is not there or holds none
      return ReloadResult::kNotFound;
    case Code::kConfig:
      return ReloadResult::kAmbiguous;
    case Code::kDenied:
      return ReloadResult::kDenied;
    case Code::kBug:
      break;
  }
  return ReloadResult::kOther;
}

TellOutcome Failed(const Error& error) { return {ResultOf(error.code), error.text, {}}; }

// Gives what `run` gives, and not from within the call that asked; asks it again where it gives
// none.
class LaterCall : public Cancellable {
 public:
  LaterCall(Loop& loop, Function<std::optional<TellOutcome>()> run,
            Function<void(const TellOutcome&)> then)
      : loop_(loop), run_(std::move(run)), then_(std::move(then)) {}

  void Start(Duration wait) {
    timer_ = loop_.After(wait, [this] {
      const std::optional<TellOutcome> outcome = run_();
      if (!outcome) return Start(kSecondLook);
      const auto then = std::move(then_);
      then(*outcome);  // last: may destroy this
    });
  }

 private:
  Loop& loop_;
  Function<std::optional<TellOutcome>()> run_;
  Function<void(const TellOutcome&)> then_;
  Handle timer_;
};

}  // namespace

Result<Process> AppTeller::Find() const {
  const SignalMethod& signal = options_.signal;
  return signal.pid_file.empty() ? Process::FindByName(signal.process)
                                 : Process::FromPidFile(signal.pid_file, signal.process);
}

// One process has one start, to the nanosecond: it is read off two clocks, once. The search by name
// looks at all processes there are, and is not repeated for one that still runs.
std::optional<Instant> AppTeller::FindApp() {
  if (!options_.Uses(ReloadMethod::kSignal)) return std::nullopt;
  if (app_ && options_.signal.pid_file.empty() && app_->Look()) return app_started_;
  Result<Process> process = Find();
  if (!process) {
    app_.reset();
    return std::nullopt;
  }
  if (!app_ || IdentityOf(*app_) != IdentityOf(*process)) {
    app_started_ = Loop::Now() - process->Age();
  }
  app_ = *std::move(process);
  return app_started_;
}

// Found anew each time: the app may have been started again.
std::optional<TellOutcome> AppTeller::Signal(std::optional<Instant> answered, Identity& held) {
  const auto process = Find();
  if (!process) return Failed(process.error());
  const auto masks = process->Look();
  if (!masks) return Failed(masks.error());
  const Identity identity = IdentityOf(*process);
  SignalFacts facts;
  facts.signal = options_.signal.number;
  facts.masks = *masks;
  facts.age = std::max<Duration>(process->Age() - kTick, Duration::zero());
  facts.first_signal_after = options_.signal.first_signal_after;
  facts.answered = answered && *answered > Loop::Now() - facts.age;
  facts.signalled = signalled_ == identity;
  facts.was_held = held == identity;
  const SignalVerdict verdict = MaySignal(facts);
  TellOutcome outcome;
  switch (verdict.kind) {
    case SignalVerdict::Kind::kLookAgain:
      held = identity;
      return std::nullopt;
    case SignalVerdict::Kind::kSend: {
      const Status sent = process->Signal(facts.signal);
      if (!sent) return Failed(sent.error());
      signalled_ = identity;
      return outcome;
    }
    case SignalVerdict::Kind::kDefer:
      outcome.result = ReloadResult::kDeferred;
      break;
    case SignalVerdict::Kind::kRefuse:
      outcome.result = ReloadResult::kOther;
      break;
  }
  outcome.reason = Format("process %d %s", int{identity.pid}, verdict.reason.c_str());
  outcome.retry_in = verdict.retry_in;
  return outcome;
}

TellOutcome AppTeller::Touch() const {
  const Status touched = TouchFile(options_.touch);
  return touched ? TellOutcome() : Failed(Error(touched.error()).With("--touch"));
}

Handle AppTeller::Tell(ReloadMethod method, std::optional<Instant> answered,
                       Function<void(const TellOutcome&)> then) {
  Function<std::optional<TellOutcome>()> run;
  switch (method) {
    case ReloadMethod::kHttp:
      return CallApp(loop_, http_, options_.http, std::move(then));
    case ReloadMethod::kExec:
      return RunCommand(loop_, options_.exec, std::move(then));
    case ReloadMethod::kSignal:
      run = [this, answered, held = Identity()]() mutable { return Signal(answered, held); };
      break;
    case ReloadMethod::kTouch:
      run = [this] { return std::optional(Touch()); };
      break;
  }
  auto call = std::make_unique<LaterCall>(loop_, std::move(run), std::move(then));
  call->Start(Duration::zero());
  return call;
}

}  // namespace certlatch
