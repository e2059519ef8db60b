// A small instance for the tests of shm-top: real records, boards and metric tables in a layout of
// its own, written by this process or by children that die.
#pragma once

#include <unistd.h>

#include <memory>
#include <string>

#include "common/messages/control.hpp"
#include "common/messages/rows.hpp"
#include "common/messages/tap.hpp"
#include "common/runtime/metrics.hpp"
#include "common/runtime/topology.hpp"
#include "shm/ring_probe.hpp"
#include "shm/stage_page.hpp"
#include "tests/shm/shm_fixture.hpp"
#include "tools/shm_top/collector.hpp"

namespace sluice::top::test {

using shm::test::Child;
using shm::test::eventually;

inline MarketEvent quote_event(MonoNanos receive_ns, std::int64_t bid = 61'723'990'000'000) {
  MarketEvent event;
  event.instrument = 0;
  event.receive_ns = receive_ns;
  event.set_body(MarketKind::kQuote, Quote{.bid_px = Price{bid},
                                           .bid_qty = Qty{891'740'000},
                                           .ask_px = Price{bid + 10'000'000},
                                           .ask_qty = Qty{3'066'060'000}});
  return event;
}

class World : public shm::test::ShmTest {
 protected:
  static constexpr std::uint32_t kSlots = 64;

  void SetUp() override {
    ShmTest::SetUp();
    create();
  }

  void create() {
    create_layout_alone();
    write_symbols();
  }

  // As it stands for a moment, until `sluicectl` has written the symbols as well.
  void create_layout_alone() {
    using shm::RingPolicy;
    shm::Layout layout;
    layout.dir = dir();
    layout.instance = "world";
    layout.build_id = 1;
    layout.pages = {{"feed.x", &kFeedMetrics},
                    {"strategy.s", &kStrategyMetrics},
                    {"risk", &kRiskMetrics},
                    {"gateway", &kGatewayMetrics}};
    layout.rings = {
        shm::ring_spec<MarketEvent>("md.x.s", kSlots, RingPolicy::kConflate, "feed.x",
                                    "strategy.s"),
        shm::ring_spec<Intent>("intent.s", kSlots, RingPolicy::kRefuse, "strategy.s", "risk"),
        shm::ring_spec<Intent>("order", kSlots, RingPolicy::kRefuse, "risk", "gateway"),
        shm::ring_spec<Verdict>("verdict.s", kSlots, RingPolicy::kReserved, "risk", "strategy.s"),
        shm::ring_spec<Execution>("exec.s", kSlots, RingPolicy::kConflate, "gateway", "strategy.s"),
        shm::ring_spec<Cancel>("cancel.s", kSlots, RingPolicy::kRefuse, "strategy.s", "gateway"),
        shm::ring_spec<Tap>("exec.persistence", kSlots, RingPolicy::kLossless, "gateway",
                            "persistence"),
        shm::ring_spec<Tap>("tap.risk", kSlots, RingPolicy::kCountedGap, "risk", "persistence"),
        shm::ring_spec<Command>("cmd.risk", kSlots, RingPolicy::kRefuse, "operator", "risk")};
    layout.boards = {shm::board_spec<InstrumentRow>("instruments", 2, "operator"),
                     shm::board_spec<QuoteRow>("quotes.x", 2, "feed.x"),
                     shm::board_spec<OrderRow>("orders", 8, "gateway"),
                     shm::board_spec<PositionRow>("positions", 6, "gateway"),
                     shm::board_spec<AccountRow>("account", 1, "gateway"),
                     shm::board_spec<LimitRow>("limits", 4, "risk")};
    create_layout(layout, true);
  }

  void write_symbols() {
    const shm::RoleLock operating = role("operator");
    const shm::Instance instance = attach();
    shm::BoardWriter<InstrumentRow> instruments(instance, "instruments");
    InstrumentRow row;
    row.symbol = {'B', 'T', 'C', '/', 'U', 'S', 'D'};
    instruments.store(0, row);
    row.symbol = {'E', 'T', 'H', '/', 'U', 'S', 'D'};
    row.index = 1;
    instruments.store(1, row);
  }

  // A process that is stage `name`: takes its role, writes a live page, runs `work`, and then waits
  // to be killed. Returns when `work` is done.
  template <class Work>
  [[nodiscard]] std::unique_ptr<Child> stage(const std::string& name,
                                             const shm::MetricTable& metrics, Work work) const {
    auto child = std::make_unique<Child>([this, &metrics, name, work] {
      const shm::RoleLock holding = role(name);
      const shm::Instance instance = attach();
      shm::StagePage page(instance, name, metrics);
      work(instance, page);
      page.set_state(shm::StageState::kLive);
      for (;;)
        pause();
      return 0;
    });
    const shm::StageView view(dir(), name);
    EXPECT_TRUE(eventually(
        [&] { return view.pid() == child->pid() && view.state() == shm::StageState::kLive; }));
    return child;
  }
};

// With a collector that stays, for what it makes of one sample after another.
class Collecting : public World {
 protected:
  // Two samples whatever the time between: rates and spreads are taken over what there is.
  [[nodiscard]] Snapshot collect_twice() {
    static_cast<void>(collector().collect());
    return collector().collect();
  }
  [[nodiscard]] Collector& collector() {
    if (!collector_)
      collector_ = std::make_unique<Collector>(dir());
    return *collector_;
  }

 private:
  std::unique_ptr<Collector> collector_;
};

// The limit of that name; fails the test when there is none.
[[nodiscard]] inline LimitFacts limit_of(const Snapshot& s, const std::string& what,
                                         const std::string& name) {
  for (const LimitFacts& l : s.limits) {
    if (l.what == what && l.limit == name)
      return l;
  }
  ADD_FAILURE() << what << " has no limit " << name;
  return {};
}

// The one of that name; fails the test when there is none.
template <class Facts>
[[nodiscard]] const Facts& named(const std::vector<Facts>& all, const std::string& name) {
  static const Facts kNone{};
  for (const Facts& facts : all) {
    if (facts.name == name)
      return facts;
  }
  ADD_FAILURE() << name << " is not in the snapshot";
  return kNone;
}

}  // namespace sluice::top::test
