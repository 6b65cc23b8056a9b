// RunInChild runs a part of a test in a process of its own: what it does to namespaces, limits, uid
// and signals ends with it.
// Blocks until the child has ended; kills it after a minute. Not for use beside a Loop that reaps.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

namespace certlatch::test {

// `body` returns what went wrong, empty: nothing; so does this. A crash is something that went
// wrong. What begins with "skip: " is what the machine does not allow.
std::string RunInChild(const std::function<std::string()>& body);

// A child that is prepared, or is becoming another program, once this returns, and then waits to be
// killed. Aborts where there can be none.
pid_t StartChild(const std::function<void()>& prepare);

// EXPECTs that nothing went wrong, or skips the test, loudly.
#define EXPECT_IN_CHILD(...)                                                            \
  do {                                                                                  \
    const std::string wrong_in_child = ::certlatch::test::RunInChild(__VA_ARGS__);      \
    if (wrong_in_child.starts_with("skip: ")) GTEST_SKIP() << wrong_in_child.substr(6); \
    EXPECT_EQ(wrong_in_child, "");                                                      \
  } while (false)

// For use in the child: empty, or "skip: …". A mount namespace of its own, in which nothing that is
// mounted reaches others; a user namespace in which it is root.
std::string OwnMounts();
std::string OwnUsers();

}  // namespace certlatch::test
