#include "common/describe/records.hpp"

#include <fmt/format.h>

#include <array>
#include <initializer_list>
#include <iterator>

#include "common/messages/rows.hpp"
#include "common/messages/words.hpp"

namespace sluice {
namespace {

constexpr std::array kTapNames{"none",    "market",  "intent", "order", "execution", "cancel",
                               "verdict", "command", "trip",   "gap",   "session",   "account"};
static_assert(kTapNames.size() == static_cast<std::size_t>(TapType::kAccount) + 1,
              "name the new tap type");

// What the database has no column for; the other words are common/messages/words.hpp's.
// Enumerators come from a file: any number may stand there.
template <class Enum, std::size_t N>
const char* name_in(const std::array<const char*, N>& names, Enum value) noexcept {
  const auto i = static_cast<std::size_t>(value);
  return i < N ? names[i] : "unknown";
}

struct FlagName {
  std::uint32_t bit;
  const char* name;
};
std::string flags_text(std::uint32_t flags, std::initializer_list<FlagName> names) {
  std::string out;
  for (const FlagName& flag : names) {
    if ((flags & flag.bit) == 0)
      continue;
    out += (out.empty() ? "" : "|") + std::string(flag.name);
    flags &= ~flag.bit;
  }
  if (flags != 0)
    out += fmt::format("{}{:#x}", out.empty() ? "" : "|", flags);
  return out;
}

std::string text_of(const Id128& id) {
  return id.is_zero() ? "" : to_string(id);
}
template <class Amount>
std::string unless_zero(Amount amount) {
  return amount.raw == 0 ? "" : to_string(amount);
}
template <class Stamp>
std::string stamp_text(Stamp stamp) {
  return stamp.ns == 0 ? "" : to_string(stamp);
}
std::string side_text(Side side) {
  return side == Side::kNone ? "" : words::of(side);
}

// Up to 8 characters, the first lowest; what is not printable shows as '?'.
std::string packed_text(std::uint64_t word) {
  std::string text;
  for (; word != 0; word >>= 8) {
    const auto c = static_cast<char>(word & 0xffU);
    text.push_back(c >= ' ' && c <= '~' ? c : '?');
  }
  return text;
}

void add_instrument(Fields& f, std::uint32_t instrument, const Symbols& symbols) {
  f.number("instrument", std::uint64_t{instrument});
  if (instrument < symbols.size())
    f.text_unless_empty("symbol", symbols[instrument]);
}

Fields trip_fields(const TripRecord& trip) {
  Fields f;
  f.number("scope", std::uint64_t{trip.scope});
  f.text("switch", trip.on != 0 ? "on" : "off");
  f.text("source", words::of(static_cast<TripSource>(trip.source)));
  f.number("episode", trip.episode);
  f.text_unless_empty("seen", stamp_text(trip.seen_ns));
  f.text_unless_empty("stamped", stamp_text(trip.stamped_ns));
  return f;
}

Fields account_fields(const AccountRecord& account) {
  Fields f;
  f.text("account", text_of(account.account_id));
  f.text("cash", to_string(account.cash));
  f.text("buying_power", to_string(account.buying_power));
  f.text_unless_empty("requested", stamp_text(account.requested_ns));
  return f;
}

Fields market_events(const Tap& tap, const Symbols& symbols) {
  std::vector<Fields> events;
  for (const MarketEvent& event : tap.body_as<std::array<MarketEvent, kMarketEventsPerTap>>()) {
    if (event.kind != MarketKind::kNone)
      events.push_back(fields_of(event, symbols));
  }
  Fields f;
  f.list("events", std::move(events));
  return f;
}

}  // namespace

Fields fields_of(const MarketEvent& event, const Symbols& symbols) {
  Fields f;
  f.text("kind", name_of(event.kind));
  f.number("feed", std::uint64_t{event.source});
  if (event.instrument != kNoInstrument)
    add_instrument(f, event.instrument, symbols);
  f.text_unless_empty("flags", flags_text(event.flags, {{kAfterGap, "after_gap"},
                                                        {kLastOfEvent, "last_of_event"},
                                                        {kSnapshot, "snapshot"},
                                                        {kIncomplete, "incomplete"}}));
  f.text_unless_empty("exchange", stamp_text(event.exchange_ns));
  f.text_unless_empty("receive", stamp_text(event.receive_ns));
  f.number("receive_ns", event.receive_ns.ns);  // with the feed: the event's identity
  switch (event.kind) {
    case MarketKind::kQuote: {
      const Quote quote = event.quote();
      f.text("bid_px", to_string(quote.bid_px));
      f.text("bid_qty", to_string(quote.bid_qty));
      f.text("ask_px", to_string(quote.ask_px));
      f.text("ask_qty", to_string(quote.ask_qty));
      break;
    }
    case MarketKind::kTrade: {
      const Trade trade = event.trade();
      f.text("px", to_string(trade.px));
      f.text("qty", to_string(trade.qty));
      f.number("trade_id", trade.trade_id);
      f.text_unless_empty("taker", side_text(static_cast<Side>(trade.conditions & 0xffU)));
      break;
    }
    case MarketKind::kDepth: {
      const Depth depth = event.depth();
      f.text("px", to_string(depth.px));
      f.text("qty", to_string(depth.qty));
      f.number("side", depth.side);
      f.number("level", depth.level);
      break;
    }
    case MarketKind::kGap:
      f.number("lost", event.gap().lost);
      f.number("next_receive_ns", event.gap().next.ns);
      break;
    case MarketKind::kSession:
      f.number("incarnation", event.session().incarnation);
      break;
    case MarketKind::kStatus: {
      constexpr std::array kWords{"unknown", "trading", "halted", "information"};
      const StatusMark mark = event.status();
      f.text("status", name_in(kWords, mark.status));
      f.text_unless_empty("code", packed_text(mark.code));
      f.text_unless_empty("reason", packed_text(mark.reason));
      break;
    }
    case MarketKind::kNone:
      break;
  }
  return f;
}

Fields fields_of(const Intent& intent, const Symbols& symbols) {
  constexpr std::array kKinds{"none", "new", "replace", "session"};
  Fields f;
  f.text("intent", words::of(intent.id));
  f.text_unless_empty("replaces", words::of(intent.replaces));
  f.text("kind", name_in(kKinds, intent.kind));
  add_instrument(f, intent.instrument, symbols);
  f.text("side", words::of(intent.side));
  f.text("type", words::of(intent.type));
  f.text("tif", words::of(intent.tif));
  f.text_unless_empty("flags", flags_text(intent.flags, {{kReduces, "reduces"}}));
  f.text("requested", to_string(intent.requested));
  f.text_unless_empty("approved", unless_zero(intent.approved));
  f.text_unless_empty("limit", unless_zero(intent.limit));
  f.text_unless_empty("stop", unless_zero(intent.stop));
  f.text_unless_empty("trail", unless_zero(intent.trail));
  f.text_unless_empty("decided", stamp_text(intent.decided_ns));
  f.text_unless_empty("deadline", stamp_text(intent.deadline_ns));
  if (intent.cause.receive_ns.ns != 0) {
    f.number("cause_feed", std::uint64_t{intent.cause.feed});
    f.number("cause_receive_ns", intent.cause.receive_ns.ns);
  }
  return f;
}

Fields fields_of(const Execution& execution, const Symbols& symbols) {
  Fields f;
  f.text("id", fmt::format("{}.{}", execution.n, execution.sub));
  f.text("kind", words::of(execution.kind));
  f.text("state", words::of(execution.state));
  f.text_unless_empty("flags", flags_text(execution.flags, {{kCancelWanted, "cancel_wanted"},
                                                            {kCancelSent, "cancel_sent"},
                                                            {kReplaceInFlight, "replace_in_flight"},
                                                            {kOutcomeUnknown, "outcome_unknown"},
                                                            {kLost, "lost"},
                                                            {kOrphaned, "orphaned"},
                                                            {kCancelEvidence, "cancel_evidence"}}));
  if (execution.reason != Reason::kNone)
    f.text("reason", words::of(execution.reason));
  f.text_unless_empty("intent", words::of(execution.intent));
  if (execution.linked != 0)
    f.number("linked", execution.linked);
  if (execution.order_row != kNoRow)
    f.number("row", std::uint64_t{execution.order_row});
  add_instrument(f, execution.instrument, symbols);
  f.text_unless_empty("side", side_text(execution.side));
  f.text_unless_empty("px", unless_zero(execution.px));
  f.text_unless_empty("qty", unless_zero(execution.qty));
  f.text_unless_empty("cum_qty", unless_zero(execution.cum_qty));
  f.text_unless_empty("leaves", unless_zero(execution.leaves));
  if (execution.fee_status != FeeStatus::kNone) {
    f.text("fee", to_string(Cash{execution.fee}));
    f.number("fee_asset", std::uint64_t{execution.fee_asset});
    f.text("fee_status", words::of(execution.fee_status));
  }
  f.text_unless_empty("requested", unless_zero(execution.requested));
  f.text_unless_empty("approved", unless_zero(execution.approved));
  f.text_unless_empty("execution_id", text_of(execution.execution_id));
  f.text_unless_empty("venue_order_id", text_of(execution.venue_order_id));
  f.text_unless_empty("venue", stamp_text(execution.venue_ns));
  f.text_unless_empty("receive", stamp_text(execution.receive_ns));
  f.text_unless_empty("wire", stamp_text(execution.stamps.wire));
  return f;
}

Fields fields_of(const Cancel& cancel, const Symbols& /*names none*/) {
  Fields f;
  f.text("order", words::of(cancel.order));
  f.number("strategy", std::uint64_t{cancel.strategy});
  f.number("sequence", cancel.sequence);
  f.text_unless_empty("decided", stamp_text(cancel.decided_ns));
  return f;
}

Fields fields_of(const Verdict& verdict, const Symbols& /*names none*/) {
  Fields f;
  f.text("intent", words::of(verdict.intent));
  f.text("decision", words::of(verdict.decision));
  if (verdict.reason != Reason::kNone)
    f.text("reason", words::of(verdict.reason));
  f.text("requested", to_string(verdict.requested));
  f.text("approved", to_string(verdict.approved));
  f.text_unless_empty("decided", stamp_text(verdict.decided_ns));
  return f;
}

Fields fields_of(const Command& command, const Symbols& /*names none*/) {
  Fields f;
  f.text("verb", words::of(command.verb));
  f.number("scope", std::uint64_t{command.scope});
  f.number("operator", std::uint64_t{command.operator_id});
  f.text_unless_empty("target", words::of(command.target));
  f.number("value", command.value);
  f.number("sequence", command.sequence);
  return f;
}

const char* name_of(TapType type) noexcept {
  return name_in(kTapNames, type);
}

TapType tap_type_named(std::string_view name) noexcept {
  for (std::size_t i = 1; i < kTapNames.size(); ++i) {
    if (name == kTapNames[i])
      return static_cast<TapType>(i);
  }
  return TapType::kNone;
}

std::string all_tap_type_names() {
  return fmt::format("{}", fmt::join(std::next(kTapNames.begin()), kTapNames.end(), ", "));
}

const char* name_of(MarketKind kind) noexcept {
  constexpr std::array kNames{"none", "quote", "trade", "depth", "status", "gap", "session"};
  static_assert(kNames.size() == static_cast<std::size_t>(MarketKind::kSession) + 1);
  return name_in(kNames, kind);
}

Fields describe_body(const Tap& tap, const Symbols& symbols) {
  switch (tap.type) {
    case TapType::kMarketEvents:
      return market_events(tap, symbols);
    case TapType::kIntent:
    case TapType::kOrder:
      return fields_of(tap.body_as<Intent>(), symbols);
    case TapType::kExecution:
      return fields_of(tap.body_as<Execution>(), symbols);
    case TapType::kCancel:
      return fields_of(tap.body_as<Cancel>());
    case TapType::kVerdict:
      return fields_of(tap.body_as<Verdict>());
    case TapType::kCommand:
      return fields_of(tap.body_as<Command>());
    case TapType::kTrip:
      return trip_fields(tap.body_as<TripRecord>());
    case TapType::kAccount:
      return account_fields(tap.body_as<AccountRecord>());
    case TapType::kGap: {
      const auto gap = tap.body_as<GapRecord>();
      Fields f;
      f.number("lost", gap.lost);
      f.number("next_sequence", gap.next_sequence);
      return f;
    }
    case TapType::kSession: {
      const auto session = tap.body_as<IncarnationRecord>();
      Fields f;
      f.number("incarnation", std::uint64_t{session.incarnation});
      f.number("generation", session.generation);
      return f;
    }
    case TapType::kNone:
      break;
  }
  Fields f;
  f.number("type_number", static_cast<std::uint64_t>(tap.type));
  f.text("words", fmt::format("{:016x} {:016x} {:016x} …", tap.body[0], tap.body[1], tap.body[2]));
  return f;
}

Fields fields_of(const Tap& tap, const Symbols& symbols) {
  Fields f;
  f.text("type", name_of(tap.type));
  f.number("ring", std::uint64_t{tap.ring});
  f.number("incarnation", std::uint64_t{tap.incarnation});
  f.number("sequence", tap.sequence);
  f.text_unless_empty("time", stamp_text(tap.now_ns));
  f.object("body", describe_body(tap, symbols));
  return f;
}

}  // namespace sluice
