// Holidays and early closes by rule: known days, and every day of a published calendar where the
// recorded data is at hand.
#include "tools/venue_sim/us_calendar.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace sluice::sim::test {
namespace {

CivilDay day(std::string_view text) {
  return parse_day(text).value();
}

TEST(UsCalendar, HolidaysAreClosedAndTheDaysBesideThemAreNot) {
  for (const char* closed :
       {"2024-01-01", "2024-01-15", "2024-02-19", "2024-03-29", "2024-05-27", "2024-06-19",
        "2024-07-04", "2024-09-02", "2024-11-28", "2024-12-25", "2021-12-24", "2023-01-02",
        "2015-07-03", "2022-06-20", "2018-12-05", "2025-01-09", "2026-04-03"}) {
    EXPECT_FALSE(is_trading_day(day(closed))) << closed;
  }
  for (const char* open : {"2021-12-31", "2021-06-18", "2024-03-28", "2024-10-14", "2024-11-11",
                           "2024-07-05", "2022-01-03"}) {
    EXPECT_TRUE(is_trading_day(day(open))) << open;
  }
}

TEST(UsCalendar, EarlyClosesAreTheDaysBeforeAndTheFridayAfterThanksgiving) {
  for (const char* early : {"2024-07-03", "2024-11-29", "2024-12-24", "2026-11-27", "2019-07-03"}) {
    EXPECT_TRUE(closes_early(day(early))) << early;
  }
  for (const char* full : {"2026-07-02", "2027-12-23", "2022-07-05", "2024-12-23", "2021-07-02"}) {
    EXPECT_FALSE(closes_early(day(full))) << full;
  }
}

TEST(UsCalendar, DaysAreReadAndWrittenExactly) {
  EXPECT_EQ(to_string(day("2024-02-29")), "2024-02-29");
  EXPECT_EQ(to_string(CivilDay{0}), "1970-01-01");
  EXPECT_EQ(weekday(CivilDay{0}), 3) << "a Thursday";
  for (const char* bad : {"2023-02-29", "2024-13-01", "2024-00-10", "2024-1-01", "24-01-01", "",
                          "2024-01-32", "2024/01/01", "2024-0a-01"}) {
    EXPECT_FALSE(parse_day(bad)) << bad;
  }
  EXPECT_EQ(to_string(next_trading_day(day("2024-03-28"))), "2024-04-01");
}

// "12/25/2024" of the published calendar.
CivilDay us_style(const std::string& text) {
  int month = 0;
  int of_month = 0;
  int year = 0;
  EXPECT_EQ(std::sscanf(text.c_str(), "%d/%d/%d", &month, &of_month, &year), 3) << text;
  return civil_day({year, month, of_month});
}

TEST(UsCalendar, AgreesWithThePublishedCalendarFrom2013To2027) {
  const char* root = std::getenv("SLUICE_DATA");
  std::ifstream file(std::string(root == nullptr ? "../shared/data" : root) +
                     "/lean/market-hours/market-hours-database.json");
  if (!file) {
    GTEST_SKIP() << "no recorded data: set SLUICE_DATA";
  }
  const auto entry = nlohmann::json::parse(file)["entries"]["Equity-usa-[*]"];
  std::set<CivilDay> holidays;
  std::set<CivilDay> early;
  for (const auto& text : entry["holidays"]) {
    holidays.insert(us_style(text));
  }
  for (const auto& item : entry["earlyCloses"].items()) {
    early.insert(us_style(item.key()));
  }
  int wrong = 0;
  for (CivilDay d = day("2013-01-01"); d <= day("2027-12-31"); ++d.days) {
    const bool trades = weekday(d) < 5 && holidays.count(d) == 0;
    EXPECT_EQ(is_trading_day(d), trades) << to_string(d);
    EXPECT_EQ(closes_early(d), trades && early.count(d) == 1) << to_string(d);
    wrong += is_trading_day(d) != trades ? 1 : 0;
  }
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace sluice::sim::test
