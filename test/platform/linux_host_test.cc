#include "platform/linux_host.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "base/unique_fd.h"
#include "test/platform/loop_fixture.h"
#include "test/support/files.h"

namespace certlatch {
namespace {

struct Pipe {
  Pipe() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    in = UniqueFd(ends[0]);
    out = UniqueFd(ends[1]);
  }
  void Fill() const {
    fcntl(out.get(), F_SETFL, O_NONBLOCK);
    const std::string page(4096, 'x');
    while (write(out.get(), page.data(), page.size()) > 0) {
    }
    fcntl(out.get(), F_SETFL, 0);  // as the standard streams are
  }
  std::string Read() const {
    std::string text(1 << 20, '\0');
    const ssize_t count = read(in.get(), text.data(), text.size());
    text.resize(static_cast<size_t>(std::max<ssize_t>(count, 0)));
    return text;
  }
  UniqueFd in;
  UniqueFd out;
};

using LinuxHostTest = EventLoopTest;

TEST_F(LinuxHostTest, WritesALineWithItsBreak) {
  const Pipe pipe;
  EXPECT_TRUE(WriteLine(pipe.out.get(), "hello"));
  EXPECT_EQ(pipe.Read(), "hello\n");
  EXPECT_TRUE(WriteLine(pipe.out.get(), ""));
  EXPECT_EQ(pipe.Read(), "\n");
}

TEST_F(LinuxHostTest, WritesALineLongerThanAPage) {
  const Pipe pipe;
  const std::string line(50'000, 'y');
  EXPECT_TRUE(WriteLine(pipe.out.get(), line));
  EXPECT_EQ(pipe.Read(), line + "\n");
}

TEST_F(LinuxHostTest, DropsALineThatNobodyReads) {
  const Pipe pipe;
  pipe.Fill();
  EXPECT_FALSE(WriteLine(pipe.out.get(), "lost"));
  pipe.Read();
  EXPECT_TRUE(WriteLine(pipe.out.get(), "heard"));
  EXPECT_EQ(pipe.Read(), "heard\n");
}

TEST_F(LinuxHostTest, DropsALineThatFitsOnlyInPart) {
  const Pipe pipe;
  EXPECT_FALSE(WriteLine(pipe.out.get(), std::string(1 << 20, 'y')));
}

TEST_F(LinuxHostTest, AClosedReaderDoesNotKillUs) {
  Pipe pipe;
  pipe.in.Reset();
  EXPECT_FALSE(WriteLine(pipe.out.get(), "lost"));
}

TEST_F(LinuxHostTest, AClosedStreamIsNoTrouble) { EXPECT_FALSE(WriteLine(-1, "lost")); }

// 600 lines would take a minute if each waited for a reader.
TEST_F(LinuxHostTest, OnlyTheFirstLineOfABurstWaitsForAReader) {
  const Pipe pipe;
  pipe.Fill();
  ConnectionOptions connection;
  connection.server = "http://127.0.0.1:1";
  auto host = LinuxHost::Create(*loop_, std::move(connection), {});
  ASSERT_TRUE(host) << host.error().text;
  const UniqueFd saved(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
  dup2(pipe.out.get(), STDERR_FILENO);
  const Instant start = Loop::Now();
  for (int i = 0; i < 600; ++i) (*host)->Log({LogLevel::kInfo, "waiting", "a line", {}});
  const Duration took = Loop::Now() - start;
  pipe.Read();
  (*host)->Log({LogLevel::kInfo, "waiting", "heard again", {}});
  dup2(saved.get(), STDERR_FILENO);
  EXPECT_LT(took, 30s);
  EXPECT_EQ(pipe.Read(), "heard again\n");
}

}  // namespace
}  // namespace certlatch
