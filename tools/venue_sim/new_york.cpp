#include "tools/venue_sim/new_york.hpp"

#include <date/tz.h>

#include <chrono>
#include <exception>

#include "common/base/error.hpp"

namespace sluice::sim {
namespace {

constexpr std::int64_t kDayNs = 86'400 * kNanosPerSecond;
constexpr std::int64_t kHourS = 3'600;
constexpr std::int64_t kPreOpenS = 4 * kHourS;
constexpr std::int64_t kOpenS = 9 * kHourS + kHourS / 2;
constexpr std::int64_t kCloseS = 16 * kHourS;
constexpr std::int64_t kEarlyCloseS = 13 * kHourS;
constexpr std::int64_t kPostMarketS = 4 * kHourS;

constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) noexcept {
  return a / b - (a % b < 0 ? 1 : 0);
}

const date::time_zone& zone() {
  try {
    static const date::time_zone* const found = date::locate_zone("America/New_York");
    return *found;
  } catch (const std::exception& failure) {
    throw Error(ExitCode::kResource, std::string("time zone America/New_York: ") + failure.what() +
                                         "; install the package tzdata");
  }
}

std::string two(std::int64_t value) {
  return {static_cast<char>('0' + value / 10), static_cast<char>('0' + value % 10)};
}

}  // namespace

NewYork::NewYork() {
  static_cast<void>(zone());
}

std::int64_t NewYork::offset_s(WallNanos at) {
  const std::int64_t second = floor_div(at.ns, kNanosPerSecond);
  if (second < begin_s_ || second >= end_s_) {
    const auto info = zone().get_info(date::sys_seconds{std::chrono::seconds{second}});
    begin_s_ = info.begin.time_since_epoch().count();
    end_s_ = info.end.time_since_epoch().count();
    offset_s_ = info.offset.count();
  }
  return offset_s_;
}

std::int64_t NewYork::utc_of_local_ns(std::int64_t local_ns) {
  // Two steps settle the offset except inside the hour of a change, which is at night.
  const std::int64_t guess = local_ns - offset_s({local_ns}) * kNanosPerSecond;
  return local_ns - offset_s({guess}) * kNanosPerSecond;
}

std::string NewYork::rfc3339(WallNanos at) {
  const std::int64_t offset = offset_s(at);
  char chars[kMaxRfc3339Chars];
  const std::size_t length = format_rfc3339({at.ns + offset * kNanosPerSecond}, chars);
  const std::int64_t minutes = (offset < 0 ? -offset : offset) / 60;
  return std::string(chars, length - 1) + (offset < 0 ? '-' : '+') + two(minutes / 60) + ':' +
         two(minutes % 60);
}

std::string NewYork::id_prefix(WallNanos at) {
  const std::int64_t local = at.ns + offset_s(at) * kNanosPerSecond;
  char chars[kMaxRfc3339Chars];
  // A whole second plus one nanosecond prints nine fraction digits for sure.
  const std::size_t length =
      format_rfc3339({floor_div(local, kNanosPerMilli) * kNanosPerMilli + 1}, chars);
  std::string digits;
  for (std::size_t i = 0; i < length && digits.size() < 17; ++i) {
    if (chars[i] >= '0' && chars[i] <= '9') {
      digits.push_back(chars[i]);
    }
  }
  return digits;
}

std::string NewYork::date(WallNanos at) {
  return rfc3339(at).substr(0, 10);
}

CivilDay NewYork::local_day(WallNanos at) {
  return {floor_div(at.ns + offset_s(at) * kNanosPerSecond, kDayNs)};
}

WallNanos NewYork::moment(CivilDay day, std::int64_t seconds) {
  return {utc_of_local_ns(day.days * kDayNs + seconds * kNanosPerSecond)};
}

NewYork::TradingDay NewYork::trading_day(CivilDay day) {
  const std::int64_t close_s = closes_early(day) ? kEarlyCloseS : kCloseS;
  return {day, moment(day, kPreOpenS), moment(day, kOpenS), moment(day, close_s),
          moment(day, close_s + kPostMarketS)};
}

NewYork::TradingDay NewYork::trading_day_at(WallNanos at) {
  const CivilDay today = local_day(at);
  if (is_trading_day(today)) {
    const TradingDay hours = trading_day(today);
    if (at < hours.post_close) {
      return hours;
    }
  }
  return trading_day(next_trading_day(today));
}

NewYork::Session NewYork::session(WallNanos at) {
  const TradingDay hours = trading_day_at(at);
  const TradingDay next = trading_day(next_trading_day(hours.day));
  return {.is_open = hours.open <= at && at<hours.close, .next_open = hours.open> at ? hours.open
                                                                                     : next.open,
          .next_close = hours.close > at ? hours.close : next.close};
}

}  // namespace sluice::sim
