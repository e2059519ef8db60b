// us_calendar.hpp — the days on which US equities trade, and when they close early.
//
// Pure: computed by NYSE's Rule 7.2 and the days its board added, no table of dates but for the
// closures nobody could compute. Right for 2013 to 2027; beyond that the rules go on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::sim {

// Days since 1970-01-01, of the proleptic Gregorian calendar, without a time zone.
struct CivilDay {
  std::int64_t days{0};
  friend constexpr auto operator<=>(const CivilDay&, const CivilDay&) = default;
};

struct YearMonthDay {
  int year;
  int month;  // 1 … 12
  int day;
};

[[nodiscard]] CivilDay civil_day(YearMonthDay date) noexcept;
[[nodiscard]] YearMonthDay year_month_day(CivilDay day) noexcept;
[[nodiscard]] int weekday(CivilDay day) noexcept;  // 0 = Monday
// "2026-11-20"; nothing for anything else.
[[nodiscard]] std::optional<CivilDay> parse_day(std::string_view text);
[[nodiscard]] std::string to_string(CivilDay day);

// Neither a weekend nor a holiday.
[[nodiscard]] bool is_trading_day(CivilDay day) noexcept;
// 13:00 instead of 16:00.
[[nodiscard]] bool closes_early(CivilDay day) noexcept;
// The first trading day after `day`.
[[nodiscard]] CivilDay next_trading_day(CivilDay day) noexcept;

}  // namespace sluice::sim
