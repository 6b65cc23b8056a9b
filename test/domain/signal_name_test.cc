#include "domain/signal_name.h"

#include <gtest/gtest.h>

#include <csignal>

namespace certlatch {
namespace {

TEST(SignalName, NamesWhatTheSystemNames) {
  for (const auto& [number, name] : {std::pair{SIGHUP, "SIGHUP"},
                                     {SIGKILL, "SIGKILL"},
                                     {SIGUSR1, "SIGUSR1"},
                                     {SIGSEGV, "SIGSEGV"},
                                     {SIGUSR2, "SIGUSR2"},
                                     {SIGTERM, "SIGTERM"},
                                     {SIGCHLD, "SIGCHLD"},
                                     {SIGWINCH, "SIGWINCH"},
                                     {SIGSYS, "SIGSYS"}}) {
    EXPECT_EQ(SignalName(number), name);
    EXPECT_EQ(ParseSignalName(name), number);
    EXPECT_EQ(ParseSignalName(name + 3), number);
  }
  EXPECT_EQ(SignalName(0), "signal 0");
  EXPECT_EQ(SignalName(34), "signal 34");
}

TEST(SignalName, ReadsNumbersAndLowerCaseAndNothingElse) {
  EXPECT_EQ(ParseSignalName("hup"), SIGHUP);
  EXPECT_EQ(ParseSignalName("SigUsr2"), SIGUSR2);
  EXPECT_EQ(ParseSignalName("1"), 1);
  EXPECT_EQ(ParseSignalName("64"), 64);
  for (const char* text :
       {"", "SIG", "0", "65", "-1", "HU", "HUPP", " HUP", "HUP INT", "SIGSIGHUP"}) {
    EXPECT_EQ(ParseSignalName(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace certlatch
