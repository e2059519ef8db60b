#include "procs/feed_handler/publisher.hpp"

#include <algorithm>

#include "common/runtime/topology.hpp"

namespace sluice {
namespace {

// A quote far from the last one is suspect until others confirm it; the gate refuses suspect rows.
constexpr TickLimits kTickLimits{.jump_bps = 1000, .confirm_count = 3};

}  // namespace

MarketPublisher::MarketPublisher(StageShell& shell, const FeedConfig& feed)
    : source_(feed.index),
      board_(shell.instance(), board::quotes(feed.name)),
      rows_(shell.config().instruments.size()),
      ticks_(shell.config().instruments.size()),
      told_(shell.config().instruments.size()),
      snapshots_(rows_, told_),
      incarnation_(shell.incarnation()) {
  const InstanceConfig& config = shell.config();
  const auto add = [&](const std::string& ring, std::vector<std::uint8_t> wants) {
    outlets_.emplace_back(std::make_unique<shm::RingProducer<MarketEvent>>(shell.instance(), ring),
                          snapshots_, std::move(wants));
  };
  for (const StrategyConfig& strategy : config.strategies) {
    if (strategy.feed != feed.index)
      continue;
    std::vector<std::uint8_t> wants(rows_.size(), 0);
    for (const std::uint32_t i : strategy.instruments)
      wants[i] = 1;
    add(ring::market_data(feed.name, strategy.name), std::move(wants));
  }
  add(ring::marks(feed.name), std::vector<std::uint8_t>(rows_.size(), 1));
  if (config.persistence.market_data) {
    const std::string ring = ring::tap(shell.role());
    tap_ = std::make_unique<TapWriter>(shell, ring, persistence_ring_index(config, ring));
  }
  for (std::uint32_t i = 0; i < rows_.size(); ++i) {
    rows_[i].instrument = i;
    rows_[i].source = source_;
  }
}

void MarketPublisher::begin_session(MonoNanos stamp) noexcept {
  MarketEvent event;
  event.source = source_;
  event.instrument = kNoInstrument;
  event.receive_ns = stamp;
  event.set_body(MarketKind::kSession, SessionMark{.incarnation = incarnation_, .reserved = {}});
  for (Outlet& outlet : outlets_)
    outlet.begin_session(event);
  tap(event);
  mark_all_after_gap();
}

void MarketPublisher::publish(const MarketEvent& event) noexcept {
  for (Outlet& outlet : outlets_)
    outlet.prepare(event.instrument);
  update_row(event);
  if (tells_trading(event))
    told_[event.instrument] = event;
  for (Outlet& outlet : outlets_)
    dropped_ += outlet.push(event) ? 0U : 1U;
  tap(event);
}

void MarketPublisher::mark_all_after_gap() noexcept {
  for (Outlet& outlet : outlets_)
    outlet.mark_all_after_gap();
  for (std::uint32_t i = 0; i < rows_.size(); ++i) {
    rows_[i].flags |= kFeedDown;
    board_.store(i, rows_[i]);
  }
}

void MarketPublisher::update_row(const MarketEvent& event) noexcept {
  QuoteRow& row = rows_[event.instrument];
  const RowChange change = apply_to_row(kTickLimits, event, ticks_[event.instrument], row);
  if (change == RowChange::kSuspect)
    ++suspect_;
  if (change != RowChange::kNone)
    board_.store(event.instrument, row);
}

void MarketPublisher::end_turn(MonoNanos now) noexcept {
  for (Outlet& outlet : outlets_)
    outlet.settle();
  stage_tap(now);
  if (tap_ != nullptr) {
    tap_->flush();
    static_cast<void>(tap_->tell_gap(now));  // also when nothing more comes
  }
}

void MarketPublisher::tap(const MarketEvent& event) noexcept {
  if (tap_ == nullptr)
    return;
  batch_[batched_++] = event;
  if (batched_ == batch_.size())
    stage_tap(event.receive_ns);
}

void MarketPublisher::stage_tap(MonoNanos now) noexcept {
  if (batched_ == 0 || tap_ == nullptr)
    return;
  std::fill(batch_.begin() + static_cast<std::ptrdiff_t>(batched_), batch_.end(), MarketEvent{});
  tap_->stage(TapType::kMarketEvents, batch_, now);
  batched_ = 0;
}

}  // namespace sluice
