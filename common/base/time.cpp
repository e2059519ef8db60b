#include "common/base/time.hpp"

#include <time.h>

#include <array>

namespace sluice {
namespace {

constexpr std::int64_t kSecondsPerDay = 86'400;

// Days since 1970-01-01 of a proleptic Gregorian date, and back (H. Hinnant, "chrono-Compatible
// Low-Level Date Algorithms"): years start in March, so the leap day is the last of the year.
constexpr std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) noexcept {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const auto year_of_era = static_cast<unsigned>(year - era * 400);
  const unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + static_cast<std::int64_t>(day_of_era) - 719'468;
}

struct Civil {
  std::int64_t year;
  unsigned month;
  unsigned day;
};

constexpr Civil civil_from_days(std::int64_t days) noexcept {
  days += 719'468;
  const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const auto day_of_era = static_cast<unsigned>(days - era * 146'097);
  const unsigned year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const unsigned day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned shifted_month = (5 * day_of_year + 2) / 153;
  const unsigned month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  return {static_cast<std::int64_t>(year_of_era) + era * 400 + (month <= 2 ? 1 : 0), month,
          day_of_year - (153 * shifted_month + 2) / 5 + 1};
}
static_assert(days_from_civil(1970, 1, 1) == 0 && days_from_civil(2024, 8, 8) == 19'943);

constexpr bool is_leap(unsigned year) noexcept {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

constexpr unsigned days_in_month(unsigned year, unsigned month) noexcept {
  constexpr std::array<unsigned, 12> kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : kDays[month - 1];
}

// Reads the two digits at p; false when one of them is none.
bool read_two(const char* p, unsigned& value) noexcept {
  const unsigned tens = static_cast<unsigned char>(p[0]) - unsigned{'0'};
  const unsigned ones = static_cast<unsigned char>(p[1]) - unsigned{'0'};
  value = tens * 10 + ones;
  return tens <= 9 && ones <= 9;
}

constexpr std::size_t kSecondsChars = 19;  // YYYY-MM-DDThh:mm:ss

// Seconds since the epoch of the first kSecondsChars characters, taken as UTC.
bool read_seconds(const char* p, std::int64_t& seconds) noexcept {
  unsigned century = 0;
  unsigned year = 0;
  unsigned month = 0;
  unsigned day = 0;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  const bool well_formed = read_two(p, century) && read_two(p + 2, year) && p[4] == '-' &&
                           read_two(p + 5, month) && p[7] == '-' && read_two(p + 8, day) &&
                           (p[10] == 'T' || p[10] == 't') && read_two(p + 11, hour) &&
                           p[13] == ':' && read_two(p + 14, minute) && p[16] == ':' &&
                           read_two(p + 17, second);
  if (!well_formed) {
    return false;
  }
  year += century * 100;
  if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour > 23 ||
      minute > 59 || second > 59) {
    return false;
  }
  seconds = days_from_civil(year, month, day) * kSecondsPerDay + std::int64_t{hour} * 3600 +
            std::int64_t{minute} * 60 + std::int64_t{second};
  return true;
}

constexpr std::array<std::int64_t, 10> kPowersOfTen{
    1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000, 1'000'000'000};

// An optional point with 1 to 9 digits at the front of `text`, taken off and given as nanoseconds.
bool take_fraction(std::string_view& text, std::int64_t& nanos) noexcept {
  nanos = 0;
  if (text.empty() || text.front() != '.') {
    return true;
  }
  text.remove_prefix(1);
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
    if (digits == 9) {
      return false;  // a tenth digit
    }
    nanos = nanos * 10 + (text[digits] - '0');
    ++digits;
  }
  nanos *= kPowersOfTen[9 - digits];
  text.remove_prefix(digits);
  return digits != 0;
}

// The offset from UTC, which must be all that is left of `text`.
bool read_offset(std::string_view text, std::int64_t& seconds) noexcept {
  seconds = 0;
  if (text == "Z" || text == "z") {
    return true;
  }
  unsigned hours = 0;
  unsigned minutes = 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':' ||
      !read_two(text.data() + 1, hours) || !read_two(text.data() + 4, minutes)) {
    return false;
  }
  seconds = std::int64_t{hours} * 3600 + std::int64_t{minutes} * 60;
  seconds = text[0] == '-' ? -seconds : seconds;
  return hours <= 23 && minutes <= 59;
}

char* put_number(char* out, std::int64_t value, int digits) noexcept {
  for (int i = digits - 1; i >= 0; --i) {
    out[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return out + digits;
}

}  // namespace

bool parse_rfc3339(std::string_view text, WallNanos& out) noexcept {
  std::int64_t seconds = 0;
  std::int64_t nanos = 0;
  std::int64_t offset = 0;
  if (text.size() <= kSecondsChars || !read_seconds(text.data(), seconds)) {
    return false;
  }
  text.remove_prefix(kSecondsChars);
  if (!take_fraction(text, nanos) || !read_offset(text, offset)) {
    return false;
  }
  seconds -= offset;
  // Before 1970 the product alone may pass the minimum although the sum does not: borrow one second
  // first.
  if (seconds < 0 && nanos > 0) {
    ++seconds;
    nanos -= kNanosPerSecond;
  }
  std::int64_t ns = 0;
  if (__builtin_mul_overflow(seconds, kNanosPerSecond, &ns) ||
      __builtin_add_overflow(ns, nanos, &ns)) {
    return false;
  }
  out.ns = ns;
  return true;
}

std::size_t format_rfc3339(WallNanos time, char* out) noexcept {
  std::int64_t seconds = time.ns / kNanosPerSecond;
  std::int64_t nanos = time.ns % kNanosPerSecond;
  if (nanos < 0) {
    nanos += kNanosPerSecond;
    --seconds;
  }
  std::int64_t days = seconds / kSecondsPerDay;
  std::int64_t second_of_day = seconds % kSecondsPerDay;
  if (second_of_day < 0) {
    second_of_day += kSecondsPerDay;
    --days;
  }
  const Civil date = civil_from_days(days);
  char* p = put_number(out, date.year, 4);
  *p++ = '-';
  p = put_number(p, date.month, 2);
  *p++ = '-';
  p = put_number(p, date.day, 2);
  *p++ = 'T';
  p = put_number(p, second_of_day / 3600, 2);
  *p++ = ':';
  p = put_number(p, second_of_day / 60 % 60, 2);
  *p++ = ':';
  p = put_number(p, second_of_day % 60, 2);
  if (nanos != 0) {
    int digits = 9;
    while (nanos % 10 == 0) {
      nanos /= 10;
      --digits;
    }
    *p++ = '.';
    p = put_number(p, nanos, digits);
  }
  *p++ = 'Z';
  return static_cast<std::size_t>(p - out);
}

std::string to_string(WallNanos time) {
  std::array<char, kMaxRfc3339Chars> text;
  return std::string(text.data(), format_rfc3339(time, text.data()));
}

WallNanos wall_now() noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return {std::int64_t{now.tv_sec} * kNanosPerSecond + now.tv_nsec};
}

}  // namespace sluice
