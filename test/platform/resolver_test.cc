#include "platform/resolver.h"

#include <gmock/gmock.h>

#include <csignal>
#include <string>
#include <vector>

#include "base/text.h"
#include "test/platform/loop_fixture.h"
#include "test/support/files.h"

namespace certlatch {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using Addresses = Result<std::vector<std::string>>;

class ResolverTest : public EventLoopTest {
 protected:
  Addresses Resolve(const std::string& host, Duration deadline) {
    Addresses answer = Error{Code::kBug, "no answer"};
    Handle look_up = ResolveHost(*loop_, host, deadline, [&](Addresses found) {
      answer = std::move(found);
      look_up.reset();
      loop_->Stop();
    });
    EXPECT_TRUE(Run());
    return answer;
  }

  // Every child that still runs is a look-up that should have ended.
  bool RunUntilChildless() {
    Handle look;
    std::function<void()> check = [&] {
      if (!HasChildren()) return loop_->Stop();
      look = loop_->After(1ms, [&] { check(); });
    };
    check();
    return Run();
  }
};

TEST_F(ResolverTest, FindsLocalhost) {
  const Addresses found = Resolve("localhost", 30s);
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_THAT(*found, Contains(AnyOf("127.0.0.1", "::1")));
  EXPECT_TRUE(RunUntilChildless());
}

TEST_F(ResolverTest, AnUnknownNameFailsWithWords) {
  const Addresses found = Resolve("no such name", 30s);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::kRetry);
  EXPECT_THAT(found.error().text, StartsWith("cannot look up no such name: "));
  EXPECT_THAT(found.error().text, HasSubstr("known"));
  EXPECT_TRUE(RunUntilChildless());
}

TEST_F(ResolverTest, TheDeadlineKillsTheChild) {
  Addresses answer = std::vector<std::string>();
  Handle look_up;
  // A stopped child answers as little as one whose name server is away. It may have answered before
  // it is stopped: then another one is tried.
  for (int i = 0; i < 100 && answer; ++i) {
    look_up = ResolveHost(*loop_, "localhost", 50ms, [&](Addresses found) {
      answer = std::move(found);
      loop_->Stop();
    });
    const std::string children = test::ReadFile("/proc/thread-self/children").value();
    const auto child = ParseUint(Trim(Split(Trim(children), ' ').back()));
    ASSERT_TRUE(child);
    kill(static_cast<pid_t>(*child), SIGSTOP);
    ASSERT_TRUE(Run());
  }
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().text, "cannot look up localhost: no answer within 50ms");
  EXPECT_TRUE(RunUntilChildless()) << "though its handle is still there";
}

TEST_F(ResolverTest, CancellingKillsTheChildAndNoAnswerComes) {
  Handle look_up = ResolveHost(*loop_, "localhost", 1h, [](const Addresses&) { FAIL(); });
  EXPECT_TRUE(HasChildren());
  look_up.reset();
  EXPECT_TRUE(RunUntilChildless());
}

TEST_F(ResolverTest, ManyLookUpsAtOnceAllAnswer) {
  constexpr size_t kLookUps = 20;
  std::vector<Handle> look_ups;
  size_t answers = 0;
  for (size_t i = 0; i < kLookUps; ++i) {
    look_ups.push_back(ResolveHost(*loop_, "localhost", 50s, [&](const Addresses& found) {
      EXPECT_TRUE(found);
      if (++answers == kLookUps) loop_->Stop();
    }));
  }
  EXPECT_TRUE(Run());
  look_ups.clear();
  EXPECT_TRUE(RunUntilChildless());
}

TEST(IsIpAddress, TellsAddressesFromNames) {
  for (const char* address : {"127.0.0.1", "10.96.0.1", "::1", "fd00::a:1", "::ffff:10.0.0.1"}) {
    EXPECT_TRUE(IsIpAddress(address)) << address;
  }
  for (const char* name : {"", "localhost", "127.1", "1.2.3.4.", "[::1]", "1.2.3.256", "::1%lo"}) {
    EXPECT_FALSE(IsIpAddress(name)) << name;
  }
}

}  // namespace
}  // namespace certlatch
