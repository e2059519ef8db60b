// The gateway against a venue that loses, repeats and reorders: whatever happened on the wire, at
// quiescence the books equal a naive ledger, and at no moment could the venue execute more on a
// side than the gateway counts there.
//
// Method: a toy venue executes orders at random and keeps the plainest ledger. What it tells
// travels in three queues (answers, stream, fees); each step takes the head of a random queue, so
// answers and events overtake each other while each queue keeps its order, but for neighbours of
// the stream that are about different orders. Answers get lost (the outcome is then unknown and the
// order may or may not have arrived), events of the stream get lost (an audit brings the
// executions), everything may come twice. The core's requests are answered from the venue's true
// state.
//
// Replaces are asked for at random as well. The venue resolves them a while after it accepted them:
// the old order may have filled or been cancelled by then. Of a replace it refuses it tells once or
// twice, naming one order or both; some it confirms and never has. With every other seed a
// successor's filled_qty carries over what its predecessors traded, with the others it starts at
// zero.
#include <deque>
#include <map>
#include <random>

#include "tests/trading/gateway_fixture.hpp"

namespace sluice::testing {
namespace {

struct ToyOrder {
  OrderSnapshot order;
  std::vector<FillActivity> fills;
  std::int64_t before{0};   // filled by the orders it replaced
  std::int64_t carried{0};  // of that in filled_qty
  [[nodiscard]] std::int64_t own() const { return order.filled.raw - carried; }
  [[nodiscard]] std::int64_t left() const { return order.qty.raw - before - own(); }
};

struct PendingReplace {
  std::uint32_t old{0};
  std::uint32_t next{0};
};

class ToyVenue {
 public:
  ToyVenue(std::uint64_t seed, const GatewayRules& rules)
      : random_(seed), carries_(seed % 2 == 0), g_(rules) {}

  void run(int steps) {
    for (int step = 0; step < steps; ++step) {
      g_.now.ns += 1 + static_cast<std::int64_t>(random_() % (20 * kMs));
      serve();
      g_.release();
      switch (random_() % 12) {
        case 0:
          trade(Side::kBuy);
          break;
        case 1:
          trade(Side::kSell);
          break;
        case 2:
          cancel_some();
          break;
        case 3:
          execute_some();
          break;
        case 4:
          g_.tick(kMs);
          break;
        case 5:
          replace_some();
          break;
        case 6:
          resolve_some();
          break;
        default:
          for (int i = 0; i < 4; ++i) {
            deliver();
          }
          break;
      }
      covers(step);
    }
    settle();
  }
  Gateway& gateway() { return g_; }
  std::int64_t position{0};
  std::int64_t flow{0};
  std::int64_t fees_base{0};
  std::int64_t fees_quote{0};
  std::uint64_t executions{0};
  std::uint64_t lost_answers{0};
  std::uint64_t lost_events{0};
  std::uint64_t replaces{0};
  std::uint64_t rejected_twice{0};
  std::uint64_t false_answers{0};
  std::uint64_t swapped{0};

 private:
  // What the venue could still execute on a side: of an order and its replace on the way only one.
  [[nodiscard]] std::int64_t possible(Side side) const {
    std::int64_t sum = 0;
    for (const auto& [row, o] : orders_) {
      if (o.order.side == side && !is_terminal(o.order.status) &&
          o.order.status != VenueStatus::kAccepted) {
        sum += o.left();
      }
    }
    for (const PendingReplace& p : patches_) {
      const ToyOrder& old = orders_.at(p.old);
      if (old.order.side == side && !is_terminal(old.order.status)) {
        const std::int64_t after = orders_.at(p.next).order.qty.raw - old.before - old.own();
        sum += std::max<std::int64_t>(after - old.left(), 0);
      }
    }
    return sum;
  }
  void covers(int step) const {
    const PositionRow& p = g_.account_position();
    ASSERT_GE(p.bought.raw + p.working_buy.raw, bought_ + possible(Side::kBuy)) << "step " << step;
    ASSERT_GE(p.sold.raw + p.working_sell.raw, sold_ + possible(Side::kSell)) << "step " << step;
  }

  void trade(Side side) {
    std::int64_t size = static_cast<std::int64_t>(random_() % 20 + 1) * dec("0.05");
    if (side == Side::kSell) {
      const std::int64_t free =
          supported_position(g_.account_position()) - g_.account_position().working_sell.raw;
      size = std::min(size, floor_to_lot(g_.table[kBtc], Qty{free}).raw);
    }
    if (size < dec("0.001")) {
      return;
    }
    const bool crosses = random_() % 8 == 0;
    Intent i = g_.intent(side, "1", crosses ? "60000" : side == Side::kBuy ? "59990" : "60010");
    i.requested = i.approved = Qty{size};
    g_.core.on_intent(i, g_.context());
  }

  void cancel_some() {
    if (known_.empty()) {
      return;
    }
    const std::uint32_t row = known_[random_() % known_.size()];
    if (!is_terminal(g_.core.row(row).state)) {
      g_.cancel(row);
    }
  }

  void replace_some() {
    if (known_.empty()) {
      return;
    }
    const std::size_t recent = std::min<std::size_t>(known_.size(), 12);
    std::uint32_t row = kNoRow;
    for (std::size_t back = 1; back <= recent && row == kNoRow; ++back) {
      const std::uint32_t r = known_[known_.size() - back];
      const bool free = g_.core.row(r).replaced_by.is_none();
      row = free && !is_terminal(g_.core.row(r).state) && random_() % 2 == 0 ? r : kNoRow;
    }
    if (row == kNoRow) {
      return;
    }
    const OrderRow& old = g_.core.row(row);
    Intent i = g_.intent(old.side, "1", old.side == Side::kBuy ? "59980" : "60020");
    i.kind = IntentKind::kReplace;
    i.replaces = old.id;
    const std::int64_t filled = old.chain_filled.raw + old.filled.raw;
    i.requested.raw = filled + static_cast<std::int64_t>(random_() % 20 + 1) * dec("0.05");
    i.requested = i.approved = floor_to_lot(g_.table[kBtc], i.requested);
    i.limit.raw += static_cast<std::int64_t>(random_() % 500) * dec("0.01");
    g_.core.on_intent(i, g_.context());
  }

  // PATCH: the successor is accepted, the old order pending; what becomes of it is decided later.
  void patch(std::uint32_t row) {
    const std::uint32_t old = g_.core.find(g_.core.row(row).replaces);
    known_.push_back(row);
    const bool open = orders_.count(old) != 0 && !is_terminal(orders_[old].order.status);
    const bool arrives = random_() % 8 != 0;
    const bool answered = random_() % 8 != 0;
    lost_answers += answered ? 0U : 1U;
    if (open && random_() % 32 == 0) {  // confirmed, and nothing happened
      ++false_answers;
      answers_.push_back(g_.post(row, RequestOutcome::kAccepted));
      return;
    }
    if (!arrives || !open) {
      answers_.push_back(
          g_.post(row, answered ? RequestOutcome::kRefused : RequestOutcome::kUnknown));
      return;
    }
    ToyOrder& o = orders_[row];
    o.order = g_.snapshot(row, VenueStatus::kAccepted);
    orders_[old].order.status = VenueStatus::kPendingReplace;
    PostResult p = g_.post(row, answered ? RequestOutcome::kAccepted : RequestOutcome::kUnknown);
    p.order = o.order;
    answers_.push_back(p);
    patches_.push_back({old, row});
    ++replaces;
  }

  void resolve_some() {
    if (patches_.empty()) {
      return;
    }
    const PendingReplace p = patches_.front();
    patches_.pop_front();
    ToyOrder& old = orders_[p.old];
    ToyOrder& next = orders_[p.next];
    TradeUpdate u;
    const std::int64_t filled = old.before + old.own();
    if (is_terminal(old.order.status) || next.order.qty.raw <= filled || random_() % 8 == 0) {
      next.order.status = VenueStatus::kRejected;
      if (!is_terminal(old.order.status)) {
        old.order.status = live(old);
      }
      const bool twice = random_() % 2 == 0;
      if (twice) {
        ++rejected_twice;
        u.kind = TradeUpdateKind::kRejected;
        u.order = next.order;
        tell(u);
      }
      u.kind = TradeUpdateKind::kReplaceRejected;
      u.order = random_() % 2 == 0 ? old.order : next.order;
      tell(u, twice ? static_cast<std::int64_t>(random_() % 2) : 0);
      return;
    }
    old.order.status = VenueStatus::kReplaced;
    old.order.replaced_by = next.order.venue_order_id;
    u.kind = TradeUpdateKind::kReplaced;
    u.order = old.order;
    tell(u);
    next.before = filled;
    next.carried = carries_ ? filled : 0;
    next.order.filled.raw = next.carried;
    next.order.status = VenueStatus::kNew;
    u.kind = TradeUpdateKind::kNew;
    u.order = next.order;
    tell(u);
  }
  [[nodiscard]] static VenueStatus live(const ToyOrder& o) {
    return o.own() > 0 ? VenueStatus::kPartiallyFilled : VenueStatus::kNew;
  }

  // Answers every request of the core from the true state.
  void serve() {
    const std::vector<Recorder::Request> requests = std::exchange(g_.out.requests, {});
    for (const Recorder::Request& r : requests) {
      if (r.what == "submit") {
        post(r.row);
      }
      if (r.what == "replace") {
        patch(r.row);
      }
      if (r.what == "cancel") {
        remove(r.row);
      }
      if (r.what == "lookup") {
        look_up(r.row, r.by);
      }
      if (r.what == "audit") {
        audit();
      }
    }
  }

  void post(std::uint32_t row) {
    known_.push_back(row);
    const bool arrives = random_() % 10 != 0;
    const bool answered = random_() % 10 != 0;
    if (!arrives && answered) {  // refused
      answers_.push_back(g_.post(row, RequestOutcome::kRefused));
      return;
    }
    // An order that never arrived and got no answer would be Lost for good: the venue then takes it
    // late.
    ToyOrder& o = orders_[row];
    o.order = g_.snapshot(row, VenueStatus::kNew);
    TradeUpdate u;
    u.kind = TradeUpdateKind::kNew;
    u.order = o.order;
    tell(u);
    PostResult p = g_.post(row, answered ? RequestOutcome::kAccepted : RequestOutcome::kUnknown);
    lost_answers += answered ? 0U : 1U;
    answers_.push_back(p);
  }

  void remove(std::uint32_t row) {
    const auto at = orders_.find(row);
    const bool known = at != orders_.end();
    const bool open = known && !is_terminal(at->second.order.status) &&
                      at->second.order.status != VenueStatus::kAccepted;
    DeleteResult d{.ref = {row, g_.core.row(row).id},
                   .outcome = open    ? RequestOutcome::kAccepted
                              : known ? RequestOutcome::kRefused
                                      : RequestOutcome::kNotFound,
                   .http_status = 0,
                   .venue_code = 0,
                   .wire_ns = g_.now,
                   .answer_ns = g_.now};
    if (random_() % 10 == 0) {
      d.outcome = RequestOutcome::kUnknown;
    }
    answers_.push_back(d);
    if (!open) {
      return;
    }
    ToyOrder& o = at->second;
    o.order.status = VenueStatus::kCanceled;
    TradeUpdate u;
    u.kind = TradeUpdateKind::kCanceled;
    u.order = o.order;
    tell(u);
  }

  void look_up(std::uint32_t row, LookupBy by) {
    LookupResult l;
    l.ref = {row, g_.core.row(row).id};
    l.by = by;
    l.outcome = random_() % 10 == 0 ? RequestOutcome::kUnknown : RequestOutcome::kAccepted;
    if (orders_.count(row) == 0) {
      l.outcome = RequestOutcome::kNotFound;
    } else {
      l.order = orders_[row].order;
    }
    answers_.push_back(l);
  }

  void audit() {
    const MonoNanos asked = g_.now;
    for (auto& [row, o] : orders_) {
      if (!is_terminal(o.order.status)) {
        answers_.push_back(OpenOrder{o.order, asked});
      }
      for (const FillActivity& f : o.fills) {
        answers_.push_back(f);
      }
    }
    answers_.push_back(AuditEnd{.requested_ns = asked, .complete = true});
  }

  void execute_some() {
    if (orders_.empty()) {
      return;
    }
    auto at = orders_.begin();
    std::advance(at, static_cast<long>(random_() % orders_.size()));
    ToyOrder& o = at->second;
    if (is_terminal(o.order.status) || o.order.status == VenueStatus::kAccepted) {
      return;
    }
    const std::int64_t left = o.left();
    std::int64_t size = random_() % 3 == 0 ? left : left / 3 - left / 3 % dec("0.00001");
    if (size <= 0) {
      size = left;
    }
    const bool buy = o.order.side == Side::kBuy;
    FillActivity f;
    f.execution_id = {0xabc, ++executions};
    f.venue_order_id = o.order.venue_order_id;
    f.instrument = kBtc;
    f.side = o.order.side;
    f.px = Price{dec("59000") + static_cast<std::int64_t>(random_() % 100'000) * dec("0.01")};
    f.qty = Qty{size};
    f.cum_qty = o.order.filled = Qty{o.order.filled.raw + size};
    f.venue_ns = {g_.now.ns};
    o.fills.push_back(f);
    const bool pending = o.order.status == VenueStatus::kPendingReplace;
    o.order.status = o.left() == 0 ? VenueStatus::kFilled
                     : pending     ? VenueStatus::kPendingReplace
                                   : VenueStatus::kPartiallyFilled;

    Cash value;
    ASSERT_TRUE(notional(f.px, f.qty, value));
    std::int64_t fee = 0;
    ASSERT_TRUE(fee_of(buy ? size : value.raw, random_() % 2 == 0 ? 25 : 15, fee));
    (buy ? bought_ : sold_) += size;
    position += buy ? size - fee : -size;
    flow += buy ? -value.raw : value.raw - fee;
    (buy ? fees_base : fees_quote) += fee;
    fees_.push_back({.execution_id = f.execution_id,
                     .instrument = kBtc,
                     .in_base = buy,
                     .amount = fee,
                     .receive_ns = g_.now});
    TradeUpdate u;
    u.kind = o.order.status == VenueStatus::kFilled ? TradeUpdateKind::kFill
                                                    : TradeUpdateKind::kPartialFill;
    u.order = o.order;
    u.execution_id = f.execution_id;
    u.px = f.px;
    u.qty = f.qty;
    u.has_position = true;
    u.position = position;
    tell(u);
  }

  void tell(TradeUpdate u, std::int64_t after_ns = 0) {
    u.venue_ns = {g_.now.ns + after_ns};
    if (random_() % 20 == 0) {
      ++lost_events;
      return;
    }
    stream_.push_back(u);
    if (random_() % 20 == 0) {
      stream_.push_back(u);
    }
  }

  void deliver() {
    switch (random_() % 3) {
      case 0:
        if (!answers_.empty()) {
          g_.venue(answers_.front());
          answers_.pop_front();
        }
        break;
      case 1:
        if (!stream_.empty()) {
          maybe_swap();
          stream_.front().receive_ns = g_.now;
          g_.venue(stream_.front());
          stream_.pop_front();
        }
        break;
      default:
        if (!fees_.empty()) {
          g_.venue(fees_.front());
          fees_.pop_front();
        }
        break;
    }
    if (random_() % 16 == 0) {
      read();
    }
  }

  // The venue keeps the order of events of one order only.
  void maybe_swap() {
    if (stream_.size() > 1 && random_() % 8 == 0 &&
        stream_[0].order.venue_order_id != stream_[1].order.venue_order_id) {
      std::swap(stream_[0], stream_[1]);
      ++swapped;
    }
  }

  void read() {
    g_.account_read("1000000");
    g_.venue(PositionsBegin{.requested_ns = g_.now});
    g_.venue(PositionEntry{.instrument = kBtc, .position = position});
    g_.venue(PositionsEnd{.requested_ns = g_.now, .receive_ns = g_.now});
  }

  void cancel_all() {
    for (const std::uint32_t row : known_) {
      const OrderRow& order = g_.core.row(row);
      if (!is_terminal(order.state) && (order.flags & kCancelWanted) == 0) {
        g_.cancel(row);
      }
    }
  }

  void settle() {
    for (int round = 0; round < 2'000; ++round) {
      g_.tick(50 * kMs);
      g_.release();  // what was held may leave even now
      cancel_all();
      serve();
      resolve_some();
      while (!answers_.empty() || !stream_.empty() || !fees_.empty()) {
        deliver();
      }
    }
    g_.tick(kMs);
    read();
  }

  std::mt19937_64 random_;
  bool carries_;
  Gateway g_;
  std::map<std::uint32_t, ToyOrder> orders_;
  std::vector<std::uint32_t> known_;
  std::deque<VenueEvent> answers_;
  std::deque<TradeUpdate> stream_;
  std::deque<FeeActivity> fees_;
  std::deque<PendingReplace> patches_;
  std::int64_t bought_{0};
  std::int64_t sold_{0};
};

TEST(GatewayModel, BooksEqualANaiveLedgerAtQuiescence) {
  std::uint64_t executions = 0;
  std::uint64_t lost = 0;
  std::uint64_t replaces = 0;
  std::uint64_t replaced = 0;
  std::uint64_t rejected = 0;
  std::uint64_t carried = 0;
  std::uint64_t twice = 0;
  std::uint64_t false_answers = 0;
  std::uint64_t swapped = 0;
  for (std::uint64_t seed = 1; seed <= 80; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    GatewayRules rules = gateway_rules();
    rules.order_rows = 4096;
    rules.execution_ids = 16'384;
    rules.strategy_orders_per_second = 1000;
    rules.gate.open_orders = 64;
    ToyVenue venue(seed, rules);
    venue.run(6'000);
    if (::testing::Test::HasFatalFailure()) {
      return;
    }
    Gateway& g = venue.gateway();
    ASSERT_TRUE(g.core.quiescent())
        << g.core.account().working << " " << g.core.account().in_flight << " "
        << g.core.account().unknown << " " << g.core.account().fees_pending;
    ASSERT_EQ(g.account_position().position, venue.position);
    ASSERT_EQ(g.account_position().cash_flow, venue.flow);
    ASSERT_EQ(g.account_position().fee_base, venue.fees_base);
    ASSERT_EQ(g.account_position().fee_quote, venue.fees_quote);
    ASSERT_EQ(g.strategy_position().position, venue.position);
    ASSERT_EQ(g.core.account().executions, venue.executions);
    ASSERT_EQ(g.account_position().working_buy, Qty{});
    ASSERT_EQ(g.account_position().working_sell, Qty{});
    ASSERT_EQ(g.account_position().flags, 0);
    // What was told adds up to what is on the board.
    std::int64_t told = 0;
    for (const Execution& e : g.out.executions) {
      if (e.kind == ExecutionKind::kFill) {
        told += e.side == Side::kBuy ? e.qty.raw : -e.qty.raw;
      }
      if (e.fee_asset == g.table[kBtc].base_asset) {
        told -= e.fee;
      }
    }
    ASSERT_EQ(told, venue.position);
    executions += venue.executions;
    lost += venue.lost_answers + venue.lost_events;
    replaces += venue.replaces;
    twice += venue.rejected_twice;
    false_answers += venue.false_answers;
    swapped += venue.swapped;
    for (const Execution& e : g.out.executions) {
      replaced += e.kind == ExecutionKind::kReplaced ? 1U : 0U;
      rejected += e.kind == ExecutionKind::kReplaceRejected ? 1U : 0U;
      carried += e.kind == ExecutionKind::kFill && e.linked != 0 &&
                         g.core.row(e.order_row).chain_filled.raw > 0
                     ? 1U
                     : 0U;
    }
  }
  EXPECT_GT(executions, 1000U) << "the model must trade";
  EXPECT_GT(lost, 100U) << "and lose things";
  EXPECT_GT(replaces, 1000U) << "and replace orders";
  EXPECT_GT(replaced, 1000U);
  EXPECT_GT(rejected, 400U);
  EXPECT_GT(twice, 200U);
  EXPECT_GT(false_answers, 50U);
  EXPECT_GT(swapped, 500U);
  EXPECT_GT(carried, 50U) << "executions of successors whose predecessors had traded";
}

}  // namespace
}  // namespace sluice::testing
