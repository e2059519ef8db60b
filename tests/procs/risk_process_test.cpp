// sluice-risk killed at any moment: every intent is decided, and none twice.
//
// Method: the test lays out the demo instance and plays feed, strategy and gateway; risk is the
// real binary, killed while intents stream in. It releases a batch only at its end, so nearly every
// kill leaves a batch of which a part was decided. Each intent must then be found once on the order
// ring or once as a refusal among the verdicts. What is reserved is counted by how many more orders
// risk approves: [risk] max_open_orders of the demo, 16, less those.

#include <gtest/gtest.h>
#include <signal.h>

#include <map>
#include <random>

#include "common/messages/control.hpp"
#include "common/messages/execution.hpp"
#include "common/messages/intent.hpp"
#include "common/messages/market_event.hpp"
#include "common/runtime/metrics.hpp"
#include "common/runtime/process.hpp"
#include "shm/ring.hpp"
#include "shm/ring_probe.hpp"
#include "shm/stage_page.hpp"
#include "tests/procs/instance_fixture.hpp"

namespace sluice::test {
namespace {

const std::string kProgram = std::string(SLUICE_BIN_DIR) + "/sluice-risk";

class RiskProcess : public InstanceTest {
 protected:
  void SetUp() override {
    lay_out({});
    for (const std::string& role :
         {feed_role("crypto"), strategy_role("momentum"), std::string(kGatewayRole)})
      play(role);
    marks_.emplace(*instance_, ring::marks("crypto"));
    intents_.emplace(*instance_, ring::intent("momentum"));
    verdicts_.emplace(*instance_, ring::verdict("momentum"));
    orders_.emplace(*instance_, ring::kOrder);
    executions_.emplace(*instance_, ring::kExecutionRisk);
    page_.emplace(*instance_, strategy_role("momentum"), kStrategyMetrics);
    page_->set_incarnation(1);
    Intent session;
    session.id = {.incarnation = 1, .strategy = 0, .reserved = 0, .sequence = 0};
    session.kind = IntentKind::kSession;
    ASSERT_TRUE(intents_->try_push(session));
  }
  void TearDown() override {
    risk_ = Child{};
    marks_.reset();
    intents_.reset();
    verdicts_.reset();
    orders_.reset();
    executions_.reset();
    page_.reset();
    InstanceTest::TearDown();
  }

  void start() {
    quote();
    risk_ = Child::start(kProgram, {"--config", config_file()}, temp_ / "log");
  }
  void quote() {
    MarketEvent event;
    event.source = 0;
    event.instrument = 0;
    event.receive_ns = instance_->now();
    event.set_body(MarketKind::kQuote,
                   Quote{Price{59'990 * kScale}, Qty{kScale}, Price{60'000 * kScale}, Qty{kScale}});
    static_cast<void>(marks_->try_push(event));
  }
  // A small bid; every third is off the lot and will be refused.
  bool send() { return send(sent_ % 3 == 0 ? 1 : 0, 1); }
  bool send(std::int64_t off_the_lot, std::uint32_t incarnation) {
    Intent intent;
    intent.id = {.incarnation = incarnation, .strategy = 0, .reserved = 0, .sequence = sent_ + 1};
    intent.kind = IntentKind::kNew;
    intent.side = Side::kBuy;
    intent.type = OrderType::kLimit;
    intent.tif = TimeInForce::kDay;
    intent.requested = Qty{kScale / 1'000 + off_the_lot};
    intent.limit = Price{59'990 * kScale};
    intent.decided_ns = instance_->now();
    intent.deadline_ns = MonoNanos{intent.decided_ns.ns + 50'000'000'000};
    if (!intents_->try_push(intent))
      return false;
    ++sent_;
    return true;
  }
  // As the gateway: takes orders and ends each at once, so that risk has room for the next.
  void take_orders(std::size_t most) {
    orders_->drain(
        [&](const Intent& order) {
          ++decided_[order.id.sequence].orders;
          Execution e;
          e.n = event_before_all_of(1) + ++n_;
          e.kind = ExecutionKind::kRejected;
          e.state = OrderState::kRejected;
          e.intent = order.id;
          e.instrument = order.instrument;
          e.side = order.side;
          e.requested = order.requested;
          e.approved = order.approved;
          ends_.push_back(e);
        },
        most);
    while (!ends_.empty() && executions_->try_push(ends_.front()))
      ends_.erase(ends_.begin());
  }
  void take_verdicts() {
    verdicts_->drain(
        [&](const Verdict& verdict) {
          if (verdict.decision == Decision::kRefused)
            ++decided_[verdict.intent.sequence].refusals;
        },
        1'000);
  }
  // How many of `count` bids that are sent now are approved; the orders are left in the ring.
  [[nodiscard]] std::uint64_t approved_of(std::uint64_t count) {
    const shm::RingProbe orders(*instance_, ring::kOrder);
    const shm::RingProbe verdicts(*instance_, ring::verdict("momentum"));
    const std::uint64_t before = orders.tail();
    const std::uint64_t decided = before + verdicts.tail();
    for (std::uint64_t i = 0; i < count; ++i)
      EXPECT_TRUE(eventually([&] { return send(0, 1); }));
    EXPECT_TRUE(eventually([&] {
      quote();
      return orders.tail() + verdicts.tail() == decided + count;
    })) << log();
    return orders.tail() - before;
  }
  // Whether risk has published what it decided of a batch that it has not released.
  [[nodiscard]] bool left_a_batch() const {
    const shm::RingProbe intents(*instance_, ring::intent("momentum"));
    const shm::RingProbe orders(*instance_, ring::kOrder);
    const shm::RingProbe verdicts(*instance_, ring::verdict("momentum"));
    std::uint64_t last = 0;
    if (Intent order; orders.read(orders.tail() - 1, order))
      last = order.id.sequence;
    if (Verdict verdict; verdicts.read(verdicts.tail() - 1, verdict))
      last = std::max(last, verdict.intent.sequence);
    return last >= intents.cursor();  // the session was at position 0, intent i is at i
  }
  [[nodiscard]] std::string log() const { return text_of(temp_ / "log"); }

  struct Decided {
    int orders{0};
    int refusals{0};
  };

  std::optional<shm::StagePage> page_;
  std::optional<shm::RingProducer<MarketEvent>> marks_;
  std::optional<shm::RingProducer<Intent>> intents_;
  std::optional<shm::RingConsumer<Verdict>> verdicts_;
  std::optional<shm::RingConsumer<Intent>> orders_;
  std::optional<shm::RingProducer<Execution>> executions_;
  std::vector<Execution> ends_;
  std::map<std::uint64_t, Decided> decided_;
  std::uint64_t sent_{0};
  std::uint64_t n_{0};
  Child risk_;
};

TEST_F(RiskProcess, AKillAtAnyMomentLeavesEveryIntentDecidedOnce) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  constexpr int kWanted = 6;  // kills inside a batch
  int left = 0;
  for (int round = 0; round < 200 && left < kWanted; ++round) {
    start();
    const std::uint64_t until = decided_.size() + 50 + random() % 100;
    ASSERT_TRUE(eventually([&] {
      quote();
      for (int i = 0; i < 100 && send(); ++i) {
      }
      take_orders(random() % 32);
      take_verdicts();
      return decided_.size() >= until;
    })) << log();
    for (int i = 0; i < 1'000 && send(); ++i) {  // so that it is at work
    }
    for (std::uint64_t pauses = random() % 3'000; pauses != 0; --pauses)
      __builtin_ia32_pause();
    risk_.signal(SIGKILL);
    ASSERT_TRUE(risk_.reap(30'000));
    ASSERT_EQ(risk_.status().signal, SIGKILL) << log();
    left += left_a_batch() ? 1 : 0;
  }
  EXPECT_EQ(left, kWanted) << "too few kills left a batch: this tests nothing";
  start();
  ASSERT_TRUE(eventually([&] {
    quote();
    take_orders(1'000);
    take_verdicts();
    return decided_.size() == sent_ && ends_.empty();
  })) << decided_.size()
      << " of " << sent_ << "\n"
      << log();
  const shm::StageView page(config_.shm_dir, kRiskRole);
  EXPECT_EQ(page.counter(RiskMetric::kMalformed), 0U);
  std::uint64_t orders = 0;
  for (const auto& [sequence, decided] : decided_) {
    ASSERT_EQ(decided.orders + decided.refusals, 1)
        << "intent " << sequence << ": " << decided.orders << " orders, " << decided.refusals
        << " refusals";
    orders += static_cast<std::uint64_t>(decided.orders);
  }
  EXPECT_GT(orders, 20U);
  EXPECT_EQ(approved_of(20), 16U) << "reservations that nobody holds take the room";
}

TEST_F(RiskProcess, OrdersThatWaitInTheRingStayReservedForTheNextRisk) {
  start();
  EXPECT_EQ(approved_of(10), 10U);
  risk_.signal(SIGKILL);
  ASSERT_TRUE(risk_.reap(30'000));
  start();
  EXPECT_EQ(approved_of(10), 6U);
  // Ended at last, they make room again.
  ASSERT_TRUE(eventually([&] {
    take_orders(100);
    return orders_->empty() && ends_.empty();
  }));
  ASSERT_TRUE(eventually([&] { return executions_->free_slots() == executions_->capacity(); }));
  EXPECT_EQ(approved_of(20), 16U);
}

TEST_F(RiskProcess, AnIncarnationThatTheStrategyNeverHadIsForgottenWithTheRiskThatBelievedIt) {
  start();
  ASSERT_TRUE(send(0, 0xffff'ffff));
  ASSERT_TRUE(eventually([&] {
    quote();
    take_orders(1);
    take_verdicts();
    return decided_.size() == sent_ && ends_.empty();
  })) << log();
  EXPECT_EQ(approved_of(1), 0U) << "older than what was believed";
  risk_.signal(SIGKILL);
  ASSERT_TRUE(risk_.reap(30'000));
  start();
  EXPECT_EQ(approved_of(1), 1U);
}

}  // namespace
}  // namespace sluice::test
