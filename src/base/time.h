// The units of time. Duration is a length, Instant a point on the monotonic clock (deadlines,
// backoff), WallTime a point on the calendar (certificates). The types keep them apart.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

namespace certlatch {

using Duration = std::chrono::nanoseconds;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""h;

// CLOCK_MONOTONIC, counted from an arbitrary start.
struct MonotonicClock {
  using duration = Duration;
  using rep = Duration::rep;
  using period = Duration::period;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;  // NOLINT(readability-identifier-naming): std's name
};
using Instant = MonotonicClock::time_point;

// Seconds since 1970-01-01T00:00:00Z. 64 bits: certificates reach the year 9999.
using WallTime = std::chrono::sys_seconds;

// The same with nanoseconds: what file systems and the kernel's process table tell.
using PreciseTime = std::chrono::sys_time<Duration>;

constexpr Instant kNever = Instant::max();

// `at` plus `length`, or kNever where that is past the clock's end.
constexpr Instant SaturatingAdd(Instant at, Duration length) {
  return length > kNever - at ? kNever : at + length;
}

}  // namespace certlatch
