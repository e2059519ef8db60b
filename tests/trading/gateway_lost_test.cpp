// Orders that the venue confirmed and does not have, replaces that never arrived, words of the
// stream that come twice or late, and successors found by a gateway that came after.
#include "tests/trading/replace_fixture.hpp"

namespace sluice::testing {
namespace {

// Ticks until `row` is asked for; by which id.
LookupBy asked(Gateway& g, std::uint32_t row) {
  for (int i = 0; i < 200; ++i) {
    g.out.requests.clear();
    g.tick(50 * kMs);
    for (const Recorder::Request& r : g.out.requests) {
      if (r.what == "lookup" && r.row == row) {
        return r.by;
      }
    }
  }
  return LookupBy::kNone;
}

void not_found(Gateway& g, std::uint32_t row, LookupBy by) {
  LookupResult l;
  l.ref = {row, g.core.row(row).id};
  l.by = by;
  l.outcome = RequestOutcome::kNotFound;
  l.requested_ns = l.answer_ns = g.now;
  g.venue(l);
}

// The venue finds it neither by the id it gave nor by ours, `rounds` times.
void deny(Gateway& g, std::uint32_t row, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    ASSERT_EQ(asked(g, row), LookupBy::kVenueOrderId) << "round " << i;
    not_found(g, row, LookupBy::kVenueOrderId);
    ASSERT_EQ(asked(g, row), LookupBy::kClientOrderId) << "round " << i;
    not_found(g, row, LookupBy::kClientOrderId);
  }
}

bool lost(const Gateway& g, std::uint32_t row) {
  return (g.core.row(row).flags & kLost) != 0;
}

TEST(GatewayDenied, ConfirmedOrderTheVenueDoesNotHaveBecomesLost) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1", "59990");
  g.accept(row);  // and no event ever comes
  deny(g, row, 2);
  EXPECT_FALSE(lost(g, row));
  deny(g, row, 1);
  EXPECT_TRUE(lost(g, row));
  EXPECT_EQ(g.core.account().unknown, 1U);
  EXPECT_EQ(g.core.account().working, 0U);
  EXPECT_EQ(g.account_position().working_buy, qty("1")) << "at its worst";
  EXPECT_EQ(std::count(g.out.alerts.begin(), g.out.alerts.end(), Alert::kVenueDenies), 1);
  EXPECT_TRUE(g.out.alerted(Alert::kOrderLost));
  const MonoNanos before = g.now;
  deny(g, row, 1);
  EXPECT_GE(g.now.ns - before.ns, gateway_rules().lost_poll_ns);
  g.core.on_day_end(g.now);
  EXPECT_EQ(g.core.row(row).state, OrderState::kFailed);
  EXPECT_TRUE(g.core.quiescent());
  EXPECT_EQ(g.account_position().working_buy, Qty{});
}

TEST(GatewayDenied, FoundByOurIdItWasNeverLost) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1", "59990");
  g.accept(row);
  deny(g, row, 2);
  ASSERT_EQ(asked(g, row), LookupBy::kVenueOrderId);
  not_found(g, row, LookupBy::kVenueOrderId);
  ASSERT_EQ(asked(g, row), LookupBy::kClientOrderId);
  g.lookup(row, RequestOutcome::kAccepted, VenueStatus::kNew);
  EXPECT_FALSE(lost(g, row));
  EXPECT_EQ(asked(g, row), LookupBy::kNone) << "known again";
  g.deleted(row, RequestOutcome::kRefused);
  deny(g, row, 2);
  EXPECT_FALSE(lost(g, row)) << "counted from zero again";
}

TEST(GatewayDenied, EventRevivesALostOneAndItIsCancelledAtOnce) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1", "59990");
  g.accept(row);
  deny(g, row, 3);
  ASSERT_TRUE(lost(g, row));
  g.out.requests.clear();
  g.event(row, TradeUpdateKind::kNew, VenueStatus::kNew);
  EXPECT_FALSE(lost(g, row));
  EXPECT_EQ(g.out.count("cancel"), 1U);
  EXPECT_EQ(g.core.account().working, 1U);
}

TEST(GatewayDenied, DeleteThatFindsNothingLeadsToLostToo) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1", "59990");
  g.cancel(row);
  g.deleted(row, RequestOutcome::kNotFound);
  deny(g, row, 3);
  EXPECT_TRUE(lost(g, row));
  EXPECT_TRUE(g.core.on_operator_closes(g.core.row(row).id, g.now));
  EXPECT_TRUE(g.core.quiescent());
}

TEST(GatewayDenied, OtherOrderUnderOurIdIsForAPersonToTell) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1", "59990");
  g.accept(row);
  ASSERT_EQ(asked(g, row), LookupBy::kVenueOrderId);
  not_found(g, row, LookupBy::kVenueOrderId);
  ASSERT_EQ(asked(g, row), LookupBy::kClientOrderId);
  LookupResult l;
  l.ref = {row, g.core.row(row).id};
  l.by = LookupBy::kClientOrderId;
  l.outcome = RequestOutcome::kAccepted;
  l.order = g.snapshot(row, VenueStatus::kNew);
  l.order.venue_order_id = {0x77, 7};
  g.venue(l);
  EXPECT_TRUE(lost(g, row));
  EXPECT_TRUE(g.out.alerted(Alert::kOrderDiffers));
}

TEST(GatewayDenied, ConfirmedReplaceTheVenueDoesNotHaveEndsWithItsOldOrder) {
  InFlight g;
  g.answered();
  deny(g, g.next, 3);
  EXPECT_TRUE(lost(g, g.next));
  EXPECT_NE(g.core.row(g.old).flags & kCancelWanted, 0);
  EXPECT_EQ(g.buying(), qty("2"));
  g.event(g.old, TradeUpdateKind::kCanceled, VenueStatus::kCanceled);
  ASSERT_NE(asked(g, g.next), LookupBy::kNone);
  not_found(g, g.next, LookupBy::kVenueOrderId);
  EXPECT_EQ(g.state_of(g.next), OrderState::kRejected);
  EXPECT_EQ(g.buying(), Qty{});
  EXPECT_TRUE(g.core.quiescent());
}

TEST(GatewayDenied, SuccessorThatLivedIsNotEndedByItsOldOrdersEnd) {
  InFlight g;
  g.answered();
  g.fresh();
  g.event(g.old, TradeUpdateKind::kCanceled, VenueStatus::kCanceled);  // a contradiction
  g.deleted(g.next, RequestOutcome::kNotFound);
  deny(g, g.next, 3);
  EXPECT_TRUE(lost(g, g.next));
  EXPECT_EQ(g.buying(), qty("2"));
}

TEST(GatewayLostReplace, LatchesTheCancelOnItsChain) {
  InFlight g;
  g.venue(g.post(g.next, RequestOutcome::kUnknown));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(g.out.count("cancel"), 0U);
    g.tick(400 * kMs);
    g.lookup(g.next, RequestOutcome::kNotFound);
  }
  ASSERT_TRUE(lost(g, g.next));
  ASSERT_EQ(g.out.count("cancel"), 1U);
  EXPECT_EQ(g.out.requests.back().row, g.old);
  g.event(g.old, TradeUpdateKind::kCanceled, VenueStatus::kCanceled);
  EXPECT_EQ(asked(g, g.next), LookupBy::kClientOrderId);
  not_found(g, g.next, LookupBy::kClientOrderId);
  EXPECT_EQ(g.state_of(g.next), OrderState::kRejected);
  EXPECT_TRUE(g.core.quiescent());
}

// ---- the stream says twice that a replace is over
// -------------------------------------------------

// The successor ended as `rejected`; the next replace is on the way when the rest is told.
struct RejectedTwice : InFlight {
  explicit RejectedTwice(bool by_event = true) {
    answered();
    if (by_event) {
      event(next, TradeUpdateKind::kRejected, VenueStatus::kRejected);
    } else {
      lookup(next, RequestOutcome::kAccepted, VenueStatus::kRejected);
    }
    told = now;
    third = replace(old, "3", "59985");
  }
  // order_replace_rejected, told then, naming the old order or the successor that ended.
  void again(std::uint32_t row, std::int64_t at) {
    TradeUpdate u;
    u.kind = TradeUpdateKind::kReplaceRejected;
    u.order = snapshot(row, row == old ? VenueStatus::kNew : VenueStatus::kRejected);
    u.order.updated_ns = u.venue_ns = {at};
    u.receive_ns = now;
    venue(u);
  }
  MonoNanos told{};
  std::uint32_t third{kNoRow};
};

TEST(GatewayRejectedTwice, LateWordDoesNotEndTheNextReplace) {
  for (const bool by_event : {true, false}) {
    for (const bool names_old : {true, false}) {
      for (const std::int64_t later : {std::int64_t{0}, kMs, 300 * kMs}) {
        SCOPED_TRACE(std::to_string(later) + (names_old ? " old" : " successor"));
        RejectedTwice g(by_event);
        ASSERT_EQ(g.state_of(g.next), OrderState::kRejected);
        ASSERT_EQ(g.state_of(g.third), OrderState::kSubmitting);
        g.now.ns += later;
        g.again(names_old ? g.old : g.next, g.told.ns + later);
        EXPECT_EQ(g.state_of(g.third), OrderState::kSubmitting);
        EXPECT_EQ(g.buying(), qty("3"));
        g.accept(g.third);
        g.event(g.old, TradeUpdateKind::kReplaced, VenueStatus::kReplaced);
        g.event(g.third, TradeUpdateKind::kNew, VenueStatus::kNew);
        EXPECT_EQ(g.state_of(g.third), OrderState::kSubmitted);
        EXPECT_EQ(g.buying(), qty("3"));
        EXPECT_FALSE(g.out.alerted(Alert::kContradiction));
      }
    }
  }
}

TEST(GatewayRejectedTwice, WordOlderThanTheReplaceIsNotAboutIt) {
  InFlight g;
  const MonoNanos sent = g.now;
  g.now.ns += kMs;
  g.answered();
  TradeUpdate u;
  u.kind = TradeUpdateKind::kReplaceRejected;
  u.order = g.snapshot(g.old, VenueStatus::kNew);
  u.venue_ns = {sent.ns - 1};
  u.receive_ns = g.now;
  g.venue(u);
  EXPECT_EQ(g.state_of(g.next), OrderState::kSubmitted);
  EXPECT_EQ(g.buying(), qty("2"));
}

TEST(GatewayRejectedTwice, WordThatNamesAnEndedSuccessorIsAboutThatOne) {
  InFlight g;
  g.answered();
  g.rejected(g.old);
  const std::uint32_t third = g.replace(g.old, "3", "59985");
  g.now.ns += kMs;
  g.event(g.next, TradeUpdateKind::kReplaceRejected, VenueStatus::kRejected);
  EXPECT_EQ(g.state_of(third), OrderState::kSubmitting);
  EXPECT_EQ(g.buying(), qty("3"));
}

TEST(GatewayRejectedTwice, DoubtIsAskedForAtOnce) {
  RejectedTwice g;
  g.accept(g.third);
  g.now.ns += kMs;
  g.again(g.old, g.now.ns);  // about the first, or about the third: it does not say
  EXPECT_EQ(g.state_of(g.third), OrderState::kSubmitted);
  g.out.requests.clear();
  g.tick(kMs);
  ASSERT_EQ(g.out.count("lookup"), 1U);
  EXPECT_EQ(g.out.requests.back().row, g.third);
  g.lookup(g.third, RequestOutcome::kAccepted, VenueStatus::kRejected);
  EXPECT_EQ(g.state_of(g.third), OrderState::kRejected);
  EXPECT_EQ(g.buying(), qty("1"));
}

TEST(GatewayRejectedTwice, OldOrderMayBeReplacedAgainAtOnce) {
  InFlight g;
  g.answered();
  g.event(g.old, TradeUpdateKind::kPendingReplace, VenueStatus::kPendingReplace);
  g.event(g.next, TradeUpdateKind::kRejected, VenueStatus::kRejected);
  g.out.requests.clear();
  g.replace(g.old, "3", "59985");
  EXPECT_EQ(g.out.count("replace"), 1U) << "no longer pending";
}

// ---- what is sent of a replace
// --------------------------------------------------------------------

TEST(GatewayReplaceChange, OnlyWhatChangesIsNamed) {
  InFlight price("1", "59995");
  EXPECT_EQ(price.core.replace_change(price.next).qty, Qty{});
  EXPECT_EQ(price.core.replace_change(price.next).limit, px("59995"));
  InFlight quantity("2", "59990");
  EXPECT_EQ(quantity.core.replace_change(quantity.next).qty, qty("2"));
  EXPECT_EQ(quantity.core.replace_change(quantity.next).limit, Price{});
  InFlight both("2", "59995");
  EXPECT_EQ(both.core.replace_change(both.next).qty, qty("2"));
  EXPECT_EQ(both.core.replace_change(both.next).limit, px("59995"));
}

TEST(GatewayReplaceChange, TheTotalStaysAlsoWhenSomeOfItTraded) {
  Gateway g;
  const std::uint32_t old = g.work(Side::kBuy, "1", "59990");
  g.fill(old, 1, "59990", "0.4", "0.4");
  const std::uint32_t next = g.replace(old, "1", "59995");
  EXPECT_EQ(g.core.replace_change(next).qty, Qty{});
}

// ---- refusals
// -------------------------------------------------------------------------------------

TEST(GatewayRefusals, WhatDidNotLeaveIsCountedByItsReason) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1", "59990");
  PostResult p = g.post(row, RequestOutcome::kNotSent);
  p.not_sent = Reason::kNoConnection;
  g.venue(p);
  EXPECT_EQ(g.core.row(row).state, OrderState::kFailed);
  EXPECT_EQ(g.core.refusals(Reason::kNoConnection), 1U);
  g.venue(p);
  EXPECT_EQ(g.core.refusals(Reason::kNoConnection), 1U) << "once an order";
}

// ---- successors found by a later gateway
// ----------------------------------------------------------

// A chain of an earlier gateway: the old order traded 0.4 of 1 before we came; its replace to a
// total of 2 is resolved while we look. `carries`: the venue carries the old one's quantity over.
class OrphanChain : public Gateway {
 public:
  explicit OrphanChain(bool carries) : carries_(carries) {}

  [[nodiscard]] OrderSnapshot order(std::uint64_t number, VenueStatus status,
                                    std::string_view total, std::string_view filled) const {
    OrderSnapshot s;
    EXPECT_TRUE(encode_client_order_id("demo", {1, 0, 0, number}, s.client_order_id));
    s.venue_order_id = {0x9, number};
    s.status = status;
    s.side = Side::kBuy;
    s.type = OrderType::kLimit;
    s.tif = TimeInForce::kGtc;
    s.instrument = kBtc;
    s.qty = qty(total);
    s.filled = qty(filled);
    s.limit = px("59990");
    const bool old = number == kOld;
    s.created_ns = {old ? kStart - kSec : now.ns};  // before we came, or after
    s.updated_ns = {now.ns};
    if (!old) {
      s.replaces = {0x9, kOld};
    }
    return s;
  }
  [[nodiscard]] std::string_view carried() const { return carries_ ? "0.4" : "0"; }
  void told(TradeUpdateKind kind, const OrderSnapshot& o) {
    TradeUpdate u;
    u.kind = kind;
    u.order = o;
    u.venue_ns = {now.ns};
    u.receive_ns = now;
    venue(u);
  }
  [[nodiscard]] std::uint32_t row_of(std::uint64_t number) const {
    return core.find({1, 0, 0, number});
  }
  static constexpr std::uint64_t kOld = 100;
  static constexpr std::uint64_t kNext = 101;

 private:
  bool carries_;
};

void expect_over(OrphanChain& g) {
  g.audit();  // names every execution: there is none
  g.tick(gateway_rules().gap_audit_ns);
  g.audit();
  g.tick(kMs);
  EXPECT_TRUE(g.core.quiescent()) << g.core.account().working << ' ' << g.core.account().unknown;
  EXPECT_EQ(g.account_position().working_buy, Qty{});
  g.out.requests.clear();
  for (int i = 0; i < 20; ++i) {
    g.tick(kSec);
  }
  EXPECT_EQ(g.out.count("audit"), 0U) << "nothing is missing any more";
  EXPECT_EQ(g.account_position().position, 0);
}

TEST(GatewayOrphanChain, OfAnEarlierGatewayEndsByEachMembersEvidence) {
  for (const bool carries : {false, true}) {
    SCOPED_TRACE(carries ? "carried" : "own");
    OrphanChain g(carries);
    g.venue(OpenOrder{g.order(OrphanChain::kOld, VenueStatus::kPendingReplace, "1", "0.4"), g.now});
    g.now.ns += kMs;
    g.venue(OpenOrder{g.order(OrphanChain::kNext, VenueStatus::kPendingNew, "2", "0"), g.now});
    EXPECT_EQ(g.core.counters().orphans, 2U);
    EXPECT_EQ(g.out.count("cancel"), 2U);
    const std::uint32_t old = g.row_of(OrphanChain::kOld);
    const std::uint32_t next = g.row_of(OrphanChain::kNext);
    EXPECT_EQ(g.core.row(next).replaces, g.core.row(old).id);
    EXPECT_EQ(g.core.row(next).chain_filled, qty("0.4"));
    EXPECT_EQ(g.account_position().working_buy, qty("1.6")) << "the larger of the two";
    g.told(TradeUpdateKind::kReplaced,
           g.order(OrphanChain::kOld, VenueStatus::kReplaced, "1", "0.4"));
    EXPECT_EQ(g.account_position().working_buy, qty("1.6"));
    g.told(TradeUpdateKind::kCanceled,
           g.order(OrphanChain::kNext, VenueStatus::kCanceled, "2", g.carried()));
    EXPECT_EQ(g.core.row(next).state, OrderState::kCancelled);
    expect_over(g);
  }
}

TEST(GatewayOrphanChain, SuccessorWhoseOldOrderWeNeverSawHasNoGapForEver) {
  for (const bool carries : {false, true}) {
    SCOPED_TRACE(carries ? "carried" : "own");
    OrphanChain g(carries);
    g.venue(OpenOrder{g.order(OrphanChain::kNext, VenueStatus::kNew, "2", g.carried()), g.now});
    const std::uint32_t next = g.row_of(OrphanChain::kNext);
    EXPECT_TRUE(g.core.row(next).replaces.is_none());
    EXPECT_EQ(g.account_position().working_buy, qty("2")) << "at its worst";
    g.audit();
    g.tick(gateway_rules().gap_audit_ns);
    g.audit();
    g.told(TradeUpdateKind::kCanceled,
           g.order(OrphanChain::kNext, VenueStatus::kCanceled, "2", g.carried()));
    expect_over(g);
  }
}

TEST(GatewayOrphanChain, SuccessorOlderThanUsStandsAlone) {
  OrphanChain g(true);
  g.venue(OpenOrder{g.order(OrphanChain::kOld, VenueStatus::kPendingReplace, "1", "0.4"), g.now});
  OrderSnapshot next = g.order(OrphanChain::kNext, VenueStatus::kNew, "2", "0.4");
  next.created_ns = {kStart - kMs};
  g.venue(OpenOrder{next, g.now});
  const std::uint32_t row = g.row_of(OrphanChain::kNext);
  EXPECT_EQ(g.core.row(row).chain_filled, Qty{}) << "its 0.4 may be the old one's: not taken twice";
  EXPECT_EQ(g.account_position().working_buy, qty("2.2"));
}

}  // namespace
}  // namespace sluice::testing
