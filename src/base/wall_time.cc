#include "base/wall_time.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/text.h"

namespace certlatch {
namespace {

namespace chrono = std::chrono;

constexpr WallTime kFirst = chrono::sys_days(chrono::year(0) / 1 / 1);
constexpr WallTime kLast = chrono::sys_days(chrono::year(10000) / 1 / 1) - chrono::seconds(1);

// Takes fixed-width fields off the front of a text; after the first misfit all is a misfit.
class FieldReader {
 public:
  explicit FieldReader(std::string_view text) : rest_(text) {}

  // A field of exactly `digits` digits, at most `max`.
  int Number(size_t digits, uint64_t max) {
    const auto value = ParseUint(rest_.substr(0, digits), max);
    if (rest_.size() < digits || !value.has_value()) return Misfit();
    rest_.remove_prefix(digits);
    return static_cast<int>(*value);
  }

  bool Skip(char expected) {
    if (rest_.empty() || rest_.front() != expected) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void Expect(char expected) {
    if (!Skip(expected)) Misfit();
  }

  // RFC 3339's time-secfrac, which may be missing.
  void SkipFraction() {
    if (!Skip('.')) return;
    const size_t end = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    if (end == 0) Misfit();
    rest_.remove_prefix(end);
  }

  // RFC 3339's time-offset.
  chrono::seconds Offset() {
    if (Skip('Z')) return {};
    const bool east = Skip('+');
    if (!east) Expect('-');
    const chrono::hours hours(Number(2, 23));
    Expect(':');
    const chrono::minutes minutes(Number(2, 59));
    return east ? hours + minutes : -(hours + minutes);
  }

  bool AllFit() const { return fits_ && rest_.empty(); }

 private:
  int Misfit() {
    fits_ = false;
    rest_ = {};
    return 0;
  }

  std::string_view rest_;
  bool fits_ = true;
};

std::optional<WallTime> Parse(std::string_view text) {
  FieldReader reader(text);
  const chrono::year year(reader.Number(4, 9999));
  reader.Expect('-');
  const chrono::month month(static_cast<unsigned>(reader.Number(2, 12)));
  reader.Expect('-');
  const chrono::day day(static_cast<unsigned>(reader.Number(2, 31)));
  reader.Expect('T');
  const chrono::hours hours(reader.Number(2, 23));
  reader.Expect(':');
  const chrono::minutes minutes(reader.Number(2, 59));
  reader.Expect(':');
  const chrono::seconds seconds(reader.Number(2, 59));
  reader.SkipFraction();
  const chrono::seconds offset = reader.Offset();
  const chrono::year_month_day date = year / month / day;
  if (!reader.AllFit() || !date.ok()) return std::nullopt;
  return chrono::sys_days(date) + hours + minutes + seconds - offset;
}

}  // namespace

std::string FormatWallTime(WallTime time) {
  time = std::clamp(time, kFirst, kLast);
  const auto midnight = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date(midnight);
  const chrono::hh_mm_ss clock(time - midnight);
  return Format("%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
}

Result<WallTime> ParseWallTime(std::string_view text) {
  const std::optional<WallTime> time = Parse(text);
  if (time.has_value()) return *time;
  return Failure(Code::kRetry, "not an RFC 3339 time: \"%s\"", Printable(text, 64).c_str());
}

}  // namespace certlatch
