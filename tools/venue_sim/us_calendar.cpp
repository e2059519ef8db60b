#include "tools/venue_sim/us_calendar.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

namespace sluice::sim {
namespace {

constexpr int kMonday = 0;
constexpr int kThursday = 3;
constexpr int kFriday = 4;
constexpr int kSaturday = 5;
constexpr int kSunday = 6;

constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) noexcept {
  return a / b - (a % b < 0 ? 1 : 0);
}

// The n-th such weekday of a month, n from 1.
CivilDay nth_weekday(int year, int month, int wanted, int n) noexcept {
  const CivilDay first = civil_day({year, month, 1});
  return {first.days + (wanted - weekday(first) + 7) % 7 + std::int64_t{n - 1} * 7};
}

CivilDay last_monday_of_may(int year) noexcept {
  const CivilDay last = civil_day({year, 5, 31});
  return {last.days - (weekday(last) - kMonday + 7) % 7};
}

// Gauss's algorithm in the anonymous Gregorian form (Meeus, Astronomical Algorithms, ch. 8).
CivilDay easter_sunday(int year) noexcept {
  const int a = year % 19;
  const int b = year / 100;
  const int c = year % 100;
  const int h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
  const int l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
  const int m = (a + 11 * h + 22 * l) / 451;
  const int n = h + l - 7 * m + 114;
  return civil_day({year, n / 31, n % 31 + 1});
}

// A holiday of a fixed date: Sunday moves to Monday, Saturday to Friday. New Year's Day on a
// Saturday does not move: the Friday is the last day of the accounting year.
bool observed(CivilDay day, int month, int of_month) noexcept {
  const YearMonthDay date = year_month_day(day);
  const CivilDay holiday = civil_day({date.year, month, of_month});
  const int on = weekday(holiday);
  if (on == kSunday) {
    return day.days == holiday.days + 1;
  }
  if (on == kSaturday) {
    return month != 1 && day.days == holiday.days - 1;
  }
  return day == holiday;
}

// Mourning and storms, 2012 to 2026.
bool closed_once(CivilDay day) noexcept {
  static constexpr std::array<YearMonthDay, 4> kDays{{
      {2012, 10, 29},  // hurricane Sandy
      {2012, 10, 30},
      {2018, 12, 5},  // mourning for G. H. W. Bush
      {2025, 1, 9},   // mourning for J. Carter
  }};
  for (const YearMonthDay& date : kDays) {
    if (civil_day(date) == day) {
      return true;
    }
  }
  return false;
}

bool is_holiday(CivilDay day) noexcept {
  const int year = year_month_day(day).year;
  return observed(day, 1, 1) || day == nth_weekday(year, 1, kMonday, 3) ||
         day == nth_weekday(year, 2, kMonday, 3) || day.days == easter_sunday(year).days - 2 ||
         day == last_monday_of_may(year) || (year >= 2022 && observed(day, 6, 19)) ||
         observed(day, 7, 4) || day == nth_weekday(year, 9, kMonday, 1) ||
         day == nth_weekday(year, 11, kThursday, 4) || observed(day, 12, 25) || closed_once(day);
}

}  // namespace

// Hinnant's days_from_civil and its inverse (chrono-compatible low-level date algorithms, 2013).
CivilDay civil_day(YearMonthDay date) noexcept {
  const std::int64_t y = date.year - (date.month <= 2 ? 1 : 0);
  const std::int64_t era = floor_div(y, 400);
  const std::int64_t of_era = y - era * 400;
  const std::int64_t of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day;
  return {era * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719'469};
}

YearMonthDay year_month_day(CivilDay day) noexcept {
  const std::int64_t z = day.days + 719'468;
  const std::int64_t era = floor_div(z, 146'097);
  const std::int64_t doe = z - era * 146'097;
  const std::int64_t yoe = (doe - doe / 1'460 + doe / 36'524 - doe / 146'096) / 365;
  const std::int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const std::int64_t mp = (5 * doy + 2) / 153;
  const int month = static_cast<int>(mp < 10 ? mp + 3 : mp - 9);
  return {static_cast<int>(yoe + era * 400 + (month <= 2 ? 1 : 0)), month,
          static_cast<int>(doy - (153 * mp + 2) / 5 + 1)};
}

int weekday(CivilDay day) noexcept {
  return static_cast<int>(((day.days + 3) % 7 + 7) % 7);  // 1970-01-01 was a Thursday
}

std::optional<CivilDay> parse_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') {
    return std::nullopt;
  }
  const auto number = [&](std::size_t at, std::size_t digits) {
    int value = -1;
    const char* const end = text.data() + at + digits;
    const auto [stop, error] = std::from_chars(text.data() + at, end, value);
    return error == std::errc{} && stop == end ? value : -1;
  };
  const YearMonthDay date{number(0, 4), number(5, 2), number(8, 2)};
  if (date.year < 1 || date.month < 1 || date.month > 12 || date.day < 1 || date.day > 31) {
    return std::nullopt;
  }
  const CivilDay day = civil_day(date);
  // 31 April becomes 1 May and so is told apart.
  return year_month_day(day).day == date.day ? std::optional(day) : std::nullopt;
}

std::string to_string(CivilDay day) {
  const YearMonthDay date = year_month_day(day);
  const auto digits = [](int value, std::size_t width) {
    std::string text = std::to_string(value);
    return std::string(width - std::min(width, text.size()), '0') + text;
  };
  return digits(date.year, 4) + '-' + digits(date.month, 2) + '-' + digits(date.day, 2);
}

bool is_trading_day(CivilDay day) noexcept {
  return weekday(day) <= kFriday && !is_holiday(day);
}

// The day before Independence Day and Christmas if both are trading days of the week, and the
// Friday after Thanksgiving.
bool closes_early(CivilDay day) noexcept {
  if (!is_trading_day(day)) {
    return false;
  }
  const YearMonthDay date = year_month_day(day);
  const bool july = date.month == 7 && date.day == 3 && weekday(day) <= kThursday;
  const bool christmas = date.month == 12 && date.day == 24;
  return july || christmas || day.days == nth_weekday(date.year, 11, kThursday, 4).days + 1;
}

CivilDay next_trading_day(CivilDay day) noexcept {
  do {
    ++day.days;
  } while (!is_trading_day(day));
  return day;
}

}  // namespace sluice::sim
