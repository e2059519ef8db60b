// What a strategy, a feed or a gateway that lost its mind puts into its rings: any bytes as
// intents, cancels, market events, executions. Risk and the gateway's core must refuse or use them;
// none may crash, overflow, index past an end or raise a limit. Records are mostly well-formed with
// a few spoilt fields, so that they get past the first check.
#include <algorithm>
#include <cstdint>
#include <memory>

#include "tests/fuzz/input.hpp"
#include "tests/trading/risk_fixture.hpp"

namespace sluice::testing {
namespace {

using sluice::fuzz::FuzzInput;
using sluice::fuzz::require;

constexpr std::uint16_t kStrategies = 2;
constexpr std::size_t kMostRecords = 64;

// Overwrites some of the record's words.
template <class Record>
void spoil(Record& record, FuzzInput& input) {
  static_assert(sizeof(Record) % 8 == 0);
  for (std::size_t turns = input.below(4); turns != 0; --turns) {
    const std::size_t at = 8 * input.below(sizeof(Record) / 8);
    std::uint64_t word = 0;
    auto* const bytes = reinterpret_cast<std::uint8_t*>(&record) + at;
    std::memcpy(&word, bytes, 8);
    word = input.number(word, static_cast<std::uint64_t>(kStart));
    std::memcpy(bytes, &word, 8);
  }
}

class HostileRecords {
 public:
  HostileRecords() : risk_(risk_rules(), gateway_.table, 1) {
    for (std::uint16_t s = 0; s < kStrategies; ++s)
      risk_.on_session(s, 1);
  }

  void run(FuzzInput& input) {
    for (std::size_t i = 0; i < kMostRecords && !input.done(); ++i) {
      const auto strategy = static_cast<std::uint16_t>(input.below(kStrategies));
      switch (input.below(6)) {
        case 0:
          market(input);
          break;
        case 1:
          cancel(input, strategy);
          break;
        case 2:
          executions(input);
          break;
        case 3:
          gateway_.tick(static_cast<std::int64_t>(input.below(1000)) * kMs);
          break;
        case 4:
          order(input, strategy);
          break;
        default:
          intent(input, strategy);
      }
      check();
    }
  }

 private:
  Intent some_intent(FuzzInput& input, std::uint16_t strategy) {
    Intent intent =
        gateway_.intent(input.below(2) == 0 ? Side::kBuy : Side::kSell, "0.5", "60000", strategy);
    if (input.below(4) == 0 && last_.id.incarnation != 0) {
      intent.kind = IntentKind::kReplace;
      intent.replaces = last_.id;
    }
    spoil(intent, input);
    return intent;
  }
  void intent(FuzzInput& input, std::uint16_t strategy) {
    Intent intent = some_intent(input, strategy);
    const Intent asked = intent;
    const RiskDecision decision =
        risk_.on_intent(intent, strategy, input.below(8) != 0, gateway_.now);
    if (decision.decision != Decision::kApproved && decision.decision != Decision::kResized)
      return;
    last_ = intent;
    require(intent.id.strategy == strategy, "approved an intent of somebody else's");
    require(intent.instrument < 3, "approved an instrument that does not exist");
    require(intent.approved.raw > 0 && intent.approved <= asked.requested,
            "approved nothing, or more than was asked for");
    require(intent.approved <= qty("8"), "approved beyond the limits");
    gateway_.core.on_intent(intent, gateway_.context());
  }
  // Straight to the gateway, as a broken risk would.
  void order(FuzzInput& input, std::uint16_t strategy) {
    gateway_.core.on_intent(some_intent(input, strategy), gateway_.context());
  }
  void cancel(FuzzInput& input, std::uint16_t strategy) {
    Cancel cancel;
    cancel.order = last_.id;
    cancel.strategy = strategy;
    spoil(cancel, input);
    gateway_.core.on_cancel(cancel, strategy, gateway_.now);
  }
  void market(FuzzInput& input) {
    MarketEvent event;
    event.instrument = kBtc;
    event.receive_ns = gateway_.now;
    event.set_body(MarketKind::kQuote, Quote{px("59990"), qty("1"), px("60000"), qty("1")});
    spoil(event, input);
    risk_.on_market(event);
  }
  // What the gateway told, on its way to risk; sometimes spoilt.
  void executions(FuzzInput& input) {
    for (Execution execution : gateway_.out.executions) {
      if (input.below(4) == 0)
        spoil(execution, input);
      risk_.on_execution(execution);
    }
    gateway_.out.executions.clear();
  }
  void check() {
    require(risk_.open_orders() <= 4 + 16, "more reservations than rows");
    static_cast<void>(risk_.publish_head(gateway_.now));
    for (std::uint16_t s = 0; s < kStrategies; ++s) {
      static_cast<void>(risk_.strategy_row(s));
      for (std::uint32_t i = 0; i < 3; ++i)
        require(
            risk_.reserved(s, i, Side::kBuy).raw >= 0 && risk_.reserved(s, i, Side::kSell).raw >= 0,
            "a negative reservation");
    }
    for (std::uint32_t i = 0; i < 3; ++i)
      static_cast<void>(risk_.instrument_row(i));
  }

  Gateway gateway_;
  RiskCore risk_;
  Intent last_{};
};

}  // namespace
}  // namespace sluice::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sluice::fuzz::FuzzInput input(data, size);
  std::make_unique<sluice::testing::HostileRecords>()->run(input);
  return 0;
}
