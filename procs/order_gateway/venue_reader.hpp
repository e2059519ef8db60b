// VenueReader: what is read from the venue beside orders: account, activities, positions, open
// orders.
//
// Thread contract: the network thread. One read is outstanding at a time; a read that fails is
// named in status and comes again with the next round, never by itself. Rounds:
//  * every `account_poll`: new activities, then the account. Fees arrive this way.
//  * an audit, when the core asks: open orders, activities with an overlap, positions, account, and
//  then
//    AuditEnd, which says whether all of it was read.
#pragma once

#include <deque>
#include <functional>
#include <string>

#include "common/net/http_pool.hpp"
#include "common/runtime/stage.hpp"
#include "common/trading/venue_events.hpp"
#include "common/venue/alpaca/rest.hpp"

namespace sluice {

class VenueReader {
 public:
  struct Callbacks {
    std::function<void(const VenueEvent&)> event;
    std::function<void(ExitCode, const std::string&)> give_up;
    std::function<void(const std::string&)> trouble;
    std::function<void()> request_made;
  };

  VenueReader(net::HttpPool& pool, venue::alpaca::RestDecoder& decoder, const VenueConfig& venue,
              std::int64_t poll_every_ns, Callbacks callbacks);

  void want_audit() noexcept { audit_wanted_ = true; }
  void poll(MonoNanos now, WallNanos wall);

  [[nodiscard]] bool ever_answered() const noexcept { return ever_answered_; }
  [[nodiscard]] std::uint64_t failures() const noexcept { return failures_; }

 private:
  enum class Read : std::uint8_t { kOpenOrders, kActivities, kPositions, kAccount };

  void begin_round(bool audit, MonoNanos now, WallNanos wall);
  void next(MonoNanos now);
  [[nodiscard]] std::size_t target_of(Read read, std::span<char> out) const;
  void on_answer(Read read, MonoNanos requested, const net::HttpAnswer& answer);
  [[nodiscard]] bool take(Read read, MonoNanos requested, const net::HttpAnswer& answer);
  [[nodiscard]] bool take_open_orders(const net::HttpAnswer& answer);
  [[nodiscard]] bool take_activities(const net::HttpAnswer& answer);
  [[nodiscard]] bool take_positions(MonoNanos requested, const net::HttpAnswer& answer);
  [[nodiscard]] bool take_account(MonoNanos requested, const net::HttpAnswer& answer);
  void tell_activity(const venue::alpaca::Activity& activity, MonoNanos receive_ns);

  net::HttpPool& pool_;
  venue::alpaca::RestDecoder& decoder_;
  const VenueConfig& venue_;
  std::int64_t poll_every_ns_;
  Callbacks callbacks_;

  std::deque<Read>
      round_;  // what is left of the round; at most four reads and the pages behind them
  bool in_round_{false};
  bool audit_{false};
  bool complete_{true};
  bool outstanding_{false};
  bool audit_wanted_{false};
  MonoNanos round_requested_{};
  MonoNanos last_round_{};
  WallNanos activities_after_{};  // lower bound of this round's activities
  std::string page_token_;        // within a round
  std::string last_activity_;     // the newest one of all rounds
  bool ever_answered_{false};
  std::uint64_t failures_{0};
};

}  // namespace sluice
