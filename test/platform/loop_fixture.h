// EventLoopTest gives each test a Loop of its own and leaves the process as it was: signal mask and
// dispositions, no pending signals, no child, no descriptor more than before.
// Servers and other threads of a test must begin after SetUp, so that they inherit the signal mask.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <csignal>
#include <memory>

#include "platform/loop.h"

namespace certlatch {

size_t OpenDescriptors();  // of this process

class EventLoopTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // Until somebody stops the loop; false: nobody did for so long that ctest would soon end it all.
  bool Run();
  // Runs what is due now, and what that makes due at once.
  void RunDue();
  // A child that ends with `status`, or (-1) that waits to be killed.
  static pid_t StartChild(int status);
  static bool HasChildren();

  std::unique_ptr<Loop> loop_;

 private:
  sigset_t mask_{};
  struct sigaction on_pipe_ {};
  struct sigaction on_child_ {};
  size_t descriptors_ = 0;
};

}  // namespace certlatch
