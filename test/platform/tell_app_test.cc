#include "platform/tell_app.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "test/platform/http_fixture.h"
#include "test/support/child.h"
#include "test/support/files.h"

namespace certlatch {
namespace {

using test::RunInChild;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr int kHandled = 42;  // how an app ends that handled the signal

void Handle42() {
  std::signal(SIGHUP, [](int) { _exit(kHandled); });
}

TellOptions SignalTo(const std::string& name, const std::string& pid_file = "") {
  TellOptions options;
  options.signal.number = SIGHUP;
  options.signal.process = name;
  options.signal.pid_file = pid_file;
  options.signal.first_signal_after = 0s;
  return options;
}

// With a loop of its own, for a child of the test.
std::string TellOnce(const TellOptions& options) {
  auto loop = Loop::Create();
  if (!loop) return loop.error().text;
  auto http = HttpClient::Create(**loop);
  if (!http) return http.error().text;
  AppTeller teller(**loop, **http, options);
  TellOutcome outcome;
  const Handle handle = teller.Tell(ReloadMethod::kSignal, {}, [&](const TellOutcome& told) {
    outcome = told;
    (*loop)->Stop();
  });
  (*loop)->Run();
  return std::to_string(static_cast<int>(outcome.result)) + " " + outcome.reason;
}

class TellAppTest : public HttpClientTest {
 protected:
  void TearDown() override {
    for (const pid_t child : children_) {
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
    }
    teller_.reset();
    HttpClientTest::TearDown();
  }

  // An app that the PID file names.
  pid_t App(const std::function<void()>& prepare) {
    children_.push_back(test::StartChild(prepare));
    WritePid(children_.back());
    return children_.back();
  }
  void WritePid(pid_t pid) { ASSERT_TRUE(test::WriteFile(pid_file_, std::to_string(pid) + "\n")); }
  static int EndOf(pid_t child) {
    int status = 0;
    waitpid(child, &status, 0);
    return status;
  }
  bool IsAlive(pid_t child) { return waitpid(child, nullptr, WNOHANG) == 0; }

  void Use(TellOptions options) {
    options_ = std::move(options);
    teller_ = std::make_unique<AppTeller>(*loop_, *http_, options_);
  }
  TellOutcome Tell(ReloadMethod method = ReloadMethod::kSignal,
                   std::optional<Instant> answered = {}) {
    std::optional<TellOutcome> outcome;
    const Handle handle = teller_->Tell(method, answered, [&](const TellOutcome& told) {
      outcome = told;
      loop_->Stop();
    });
    EXPECT_FALSE(outcome) << "from within the call";
    EXPECT_TRUE(Run());
    return outcome.value_or(TellOutcome{ReloadResult::kOther, "none", {}});
  }
  std::string Called(pid_t pid) { return "process " + std::to_string(pid) + " "; }

  const test::TempDir directory_;
  const std::string pid_file_ = directory_.File("pid");
  const std::string name_ = "tell" + std::to_string(getpid());
  std::vector<pid_t> children_;
  TellOptions options_;
  std::unique_ptr<AppTeller> teller_;
};

// --- signals ---

TEST_F(TellAppTest, SignalsAnAppThatHandlesIt) {
  const pid_t app = App(Handle42);
  Use(SignalTo("", pid_file_));
  ASSERT_EQ(Tell().reason, "");
  EXPECT_EQ(WEXITSTATUS(EndOf(app)), kHandled);
  children_.clear();
  const TellOutcome outcome = Tell();
  EXPECT_EQ(outcome.result, ReloadResult::kNotFound) << outcome.reason;
}

TEST_F(TellAppTest, SignalsAnAppThatReadsItFromASignalfd) {
  const pid_t app = App([] {
    sigset_t hangup;
    sigemptyset(&hangup);
    sigaddset(&hangup, SIGHUP);
    sigprocmask(SIG_BLOCK, &hangup, nullptr);
    if (fork() == 0) {  // so that the parent can be prepared and yet wait
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      while (true) pause();
    }
  });
  Use(SignalTo("", pid_file_));
  EXPECT_EQ(Tell().reason, "");
  EXPECT_TRUE(IsAlive(app));
  const auto pending = test::ReadFile("/proc/" + std::to_string(app) + "/status");
  ASSERT_TRUE(pending);
  EXPECT_EQ(ProcField(*pending, "ShdPnd"), "0000000000000001");
}

TEST_F(TellAppTest, NeverSignalsAnAppThatItWouldKill) {
  const pid_t app = App([] {});
  Use(SignalTo("", pid_file_));
  const TellOutcome outcome = Tell();
  EXPECT_EQ(outcome.result, ReloadResult::kDeferred);
  EXPECT_EQ(outcome.reason, Called(app) + "has no handler for SIGHUP yet: it could end by it");
  EXPECT_TRUE(IsAlive(app));
}

TEST_F(TellAppTest, SaysThatAnAppIgnoresIt) {
  const pid_t app = App([] { std::signal(SIGHUP, SIG_IGN); });
  Use(SignalTo("", pid_file_));
  const TellOutcome outcome = Tell();
  EXPECT_EQ(outcome.result, ReloadResult::kOther);
  EXPECT_EQ(outcome.reason, Called(app) + "ignores SIGHUP");
}

TEST_F(TellAppTest, TheFirstSignalWaitsUntilTheAppHasAnsweredSinceItsStart) {
  const Instant before = Loop::Now();
  const pid_t app = App([] { std::signal(SIGHUP, [](int) {}); });
  TellOptions options = SignalTo("", pid_file_);
  options.signal.first_signal_after = 1h;
  Use(options);
  for (const std::optional<Instant> answered : {std::optional<Instant>(), std::optional(before)}) {
    const TellOutcome outcome = Tell(ReloadMethod::kSignal, answered);
    EXPECT_EQ(outcome.result, ReloadResult::kDeferred);
    EXPECT_THAT(outcome.reason, StartsWith(Called(app) + "is younger than 1h0m0s"));
    EXPECT_GT(outcome.retry_in, 0s);
    EXPECT_LE(outcome.retry_in, 1h + 10ms);
  }
  // Its start is known to 10 ms.
  while (Tell(ReloadMethod::kSignal, Loop::Now()).result == ReloadResult::kDeferred) {
  }
  EXPECT_EQ(Tell().reason, "") << "it has lived through one";
  EXPECT_TRUE(IsAlive(app));
  const pid_t next = App([] { std::signal(SIGHUP, [](int) {}); });
  const TellOutcome outcome = Tell();
  EXPECT_EQ(outcome.result, ReloadResult::kDeferred) << "another process";
  EXPECT_THAT(outcome.reason, StartsWith(Called(next)));
}

TEST_F(TellAppTest, AProcessYoungerThanThePidFileIsNeverSignalled) {
  const pid_t app = App([] {});
  const timespec old[2] = {{std::time(nullptr) - 10, 0}, {std::time(nullptr) - 10, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, pid_file_.c_str(), old, 0), 0);
  Use(SignalTo("", pid_file_));
  const TellOutcome outcome = Tell();
  EXPECT_EQ(outcome.result, ReloadResult::kNotFound);
  EXPECT_THAT(outcome.reason, HasSubstr("another process has its PID now"));
  EXPECT_FALSE(teller_->FindApp());
  EXPECT_TRUE(IsAlive(app));
}

TEST_F(TellAppTest, AZombieAndAMissingFileAreNotFound) {
  const pid_t app = App(Handle42);
  Use(SignalTo("", pid_file_));
  kill(app, SIGKILL);
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(app), &info, WEXITED | WNOWAIT);
  EXPECT_EQ(Tell().result, ReloadResult::kNotFound);
  unlink(pid_file_.c_str());
  const TellOutcome outcome = Tell();
  EXPECT_EQ(outcome.result, ReloadResult::kNotFound);
  EXPECT_EQ(outcome.reason, pid_file_ + ": No such file or directory");
}

TEST_F(TellAppTest, DestroyingTheHandleSignalsNobody) {
  const pid_t app = App(Handle42);
  Use(SignalTo("", pid_file_));
  {
    const Handle handle = teller_->Tell(ReloadMethod::kSignal, {}, [](auto&) { FAIL(); });
  }
  RunDue();
  EXPECT_TRUE(IsAlive(app));
}

TEST_F(TellAppTest, TellsWhenTheAppStartedByTheMonotonicClock) {
  const Instant before = Loop::Now();
  App([] {});
  const Instant after = Loop::Now();
  Use(SignalTo("", pid_file_));
  const auto started = teller_->FindApp();
  ASSERT_TRUE(started);
  EXPECT_GE(*started, before - 11ms);
  EXPECT_LE(*started, after);
  // Equal to the nanosecond at every look, else the same app would be told again and again.
  for (int i = 0; i < 100; ++i) ASSERT_EQ(teller_->FindApp(), started);
  Use(SignalTo(name_));
  EXPECT_FALSE(teller_->FindApp());
  Use({});
  EXPECT_FALSE(teller_->FindApp());
}

TEST_F(TellAppTest, TwoMastersAreAmbiguousAndNeitherIsSignalled) {
  const auto prepare = [&] {
    prctl(PR_SET_NAME, name_.c_str());
    Handle42();
  };
  const pid_t one = App(prepare);
  const pid_t other = App(prepare);
  // By a sibling of theirs: a process's own children never count.
  const std::string told = RunInChild([&] { return TellOnce(SignalTo(name_)); });
  EXPECT_THAT(told, StartsWith(std::to_string(static_cast<int>(ReloadResult::kAmbiguous)) +
                               " several processes named " + name_ + ": "));
  EXPECT_TRUE(IsAlive(one));
  EXPECT_TRUE(IsAlive(other));
}

TEST_F(TellAppTest, AnotherUsersAppIsDeniedWithTheUserToBe) {
  const pid_t app = App([] {
    if (setuid(1234) != 0) _exit(1);
    Handle42();
  });
  ASSERT_EQ(chmod(directory_.path().c_str(), 0755), 0);
  ASSERT_EQ(chmod(pid_file_.c_str(), 0644), 0);
  EXPECT_IN_CHILD([&]() -> std::string {
    if (setuid(65532) != 0) return "skip: cannot become another user";
    const std::string told = TellOnce(SignalTo("", pid_file_));
    const std::string denied = std::to_string(static_cast<int>(ReloadResult::kDenied)) + " ";
    const bool right =
        told.starts_with(denied) &&
        told.find("set runAsUser: 1234, the app's (certlatch has 65532)") != std::string::npos;
    return right ? "" : told;
  });
  EXPECT_TRUE(IsAlive(app));
}

// --- apps that start again and again ---

// What a supervisor of an app has seen of it.
struct Lives {
  int handled = 0;
  int killed = 0;
};

Duration MonotonicNow() { return Loop::Now().time_since_epoch(); }

// An app that has its handler late.
void LateApp(int life) {
  if (life % 2 == 0) usleep(static_cast<useconds_t>(life % 8) * 500);
  Handle42();
}

Duration born;  // the app's, or somewhat before that
// Until then an app like Go's has its runtime's handler for all, which passes on to the default.
constexpr Duration kGoReady = 20ms;
constexpr Duration kGoGrace = 30ms;

void GoApp(int /*life*/) {
  for (int number = 1; number <= SIGSYS; ++number) {
    if (number == SIGCHLD) continue;
    std::signal(number, [](int its_number) {
      if (MonotonicNow() - born >= kGoReady) _exit(kHandled);
      std::signal(its_number, SIG_DFL);
      raise(its_number);
    });
  }
}

// Starts the app again whenever it has ended.
Lives Supervise(const std::string& name, const std::string& pid_file, int lives, void (*app)(int)) {
  Lives seen;
  for (int life = 0; life < lives; ++life) {
    born = MonotonicNow();
    const pid_t child = fork();
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      prctl(PR_SET_NAME, name.c_str());
      sigset_t none;
      sigemptyset(&none);
      app(life);
      while (true) sigsuspend(&none);
    }
    if (!test::WriteFile(pid_file, std::to_string(child))) break;
    int status = 0;
    waitpid(child, &status, 0);
    const bool handled = WIFEXITED(status) && WEXITSTATUS(status) == kHandled;
    ++(handled ? seen.handled : seen.killed);
  }
  return seen;
}

// Tells an app of its supervisor whenever it can, until that ends.
class Persistent {
 public:
  Persistent(Loop& loop, HttpClient& http, const std::string& name, const std::string& pid_file,
             Duration grace, int lives, void (*app)(int))
      : loop_(loop), options_(Options(name, pid_file, grace)), teller_(loop, http, options_) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return;
    result_ = UniqueFd(ends[0]);
    const UniqueFd out(ends[1]);
    child_ = fork();
    running_ = child_ > 0;
    if (child_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const Lives lived = Supervise(name, pid_file, lives, app);
    _exit(write(out.get(), &lived, sizeof lived) == sizeof lived ? 0 : 1);
  }
  ~Persistent() {
    exit_.reset();
    if (child_ <= 0 || !running_) return;
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }

  void Start(const std::function<void()>& ended) {
    exit_ = loop_.OnChildExit(child_, [this, ended](int) {
      running_ = false;
      ended();
    });
    Next();
  }
  Lives lives() {
    Lives lives;
    EXPECT_EQ(read(result_.get(), &lives, sizeof lives), ssize_t{sizeof lives});
    return lives;
  }

 private:
  static TellOptions Options(const std::string& name, const std::string& pid_file, Duration grace) {
    TellOptions options = SignalTo(name, pid_file);
    options.signal.first_signal_after = grace;
    return options;
  }
  void Next() {
    telling_ = teller_.Tell(ReloadMethod::kSignal, {}, [this](const TellOutcome&) {
      timer_ = loop_.After(5ms, [this] {
        if (running_) Next();
      });
    });
  }

  Loop& loop_;
  TellOptions options_;
  AppTeller teller_;
  UniqueFd result_;
  pid_t child_ = 0;
  bool running_ = false;
  Handle exit_;
  Handle telling_;
  Handle timer_;
};

TEST_F(TellAppTest, OfFiveHundredRestartsWithALateHandlerNoneIsKilled) {
  constexpr int kApps = 10;
  constexpr int kLives = 50;
  std::vector<std::unique_ptr<Persistent>> apps;
  for (int i = 0; i < kApps; ++i) {
    const std::string name = name_ + "." + std::to_string(i);
    const bool go = i % 2 == 0;
    apps.push_back(std::make_unique<Persistent>(*loop_, *http_, name, directory_.File(name),
                                                go ? kGoGrace : 0s, kLives, go ? GoApp : LateApp));
  }
  EXPECT_EQ(apps.size() * kLives, 500U);
  int left = kApps;
  for (const auto& app : apps) {
    app->Start([&] {
      if (--left == 0) loop_->Stop();
    });
  }
  ASSERT_TRUE(Run());  // else the lives below would never end
  int handled = 0;
  for (const auto& app : apps) {
    const Lives lives = app->lives();
    EXPECT_EQ(lives.killed, 0);
    handled += lives.handled;
  }
  EXPECT_EQ(handled, kApps * kLives);
}

// --- the other ways ---

TEST_F(TellAppTest, RunsACommandAndTouchesAFile) {
  TellOptions options;
  options.exec.command = {"false"};
  options.touch = directory_.File("config");
  Use(options);
  EXPECT_EQ(Tell(ReloadMethod::kExec).reason, "--exec false: exited with 1");
  TellOutcome outcome = Tell(ReloadMethod::kTouch);
  EXPECT_EQ(outcome.result, ReloadResult::kNotFound);
  EXPECT_EQ(outcome.reason, "--touch: " + options.touch + ": No such file or directory");
  ASSERT_TRUE(test::WriteFile(options.touch, ""));
  EXPECT_EQ(Tell(ReloadMethod::kTouch).reason, "");
}

TEST_F(TellAppTest, CallsOverHttp) {
  TellOptions options;
  options.http.request = "POST http://unix:" + directory_.File("none") + ":/";
  Use(options);
  EXPECT_EQ(Tell(ReloadMethod::kHttp).result, ReloadResult::kConnection);
}

}  // namespace
}  // namespace certlatch
