// new_york.hpp — the venue's local time: clock and activity ids speak New York, with its offset.
//
// Pure but for the system's time zone database, read once at construction. Not for several threads.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/time.hpp"
#include "tools/venue_sim/us_calendar.hpp"

namespace sluice::sim {

class NewYork {
 public:
  // Throws Error(kResource) when the machine has no time zone database.
  NewYork();

  // "2026-11-20T05:41:00.123456789-05:00", the fraction without trailing zeros.
  [[nodiscard]] std::string rfc3339(WallNanos at);
  // "20190524113406977": local time down to the millisecond, the head of an activity's id.
  [[nodiscard]] std::string id_prefix(WallNanos at);
  // "2024-08-08"
  [[nodiscard]] std::string date(WallNanos at);

  // One trading day's hours, as moments: pre-market, regular session, post-market.
  struct TradingDay {
    CivilDay day;
    WallNanos pre_open;    // 04:00
    WallNanos open;        // 09:30
    WallNanos close;       // 16:00, or 13:00
    WallNanos post_close;  // four hours later
  };
  [[nodiscard]] TradingDay trading_day(CivilDay day);
  // The one whose post-market is not over at `at`.
  [[nodiscard]] TradingDay trading_day_at(WallNanos at);
  // The local moment `seconds` after midnight of `day`.
  [[nodiscard]] WallNanos moment(CivilDay day, std::int64_t seconds);
  [[nodiscard]] CivilDay local_day(WallNanos at);

  // The equity market's regular session around `at`.
  struct Session {
    bool is_open;
    WallNanos next_open;   // strictly later than `at`
    WallNanos next_close;  // strictly later than `at`
  };
  [[nodiscard]] Session session(WallNanos at);

 private:
  [[nodiscard]] std::int64_t offset_s(WallNanos at);
  [[nodiscard]] std::int64_t utc_of_local_ns(std::int64_t local_ns);

  // The offset holds from begin_s up to end_s: asked again only outside.
  std::int64_t begin_s_{0};
  std::int64_t end_s_{0};
  std::int64_t offset_s_{0};
};

}  // namespace sluice::sim
