#include "tools/shm_top/collect_trading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

#include "common/base/error.hpp"
#include "common/runtime/topology.hpp"
#include "tools/shm_top/text.hpp"
#include "tools/shm_top/window.hpp"

namespace sluice::top {
namespace {

std::string kill_words(std::uint64_t word) {
  std::string out;
  const auto add = [&](const std::string& text) { out += (out.empty() ? "" : " + ") + text; };
  if ((word & kKillStop) != 0)
    add("stop");
  if ((word & kKillCancelAll) != 0)
    add("cancel all");
  if (const std::uint64_t rest = word & ~std::uint64_t{kKillStop | kKillCancelAll}; rest != 0)
    add(fmt::format("unknown {:#x}", rest));
  return out;
}

constexpr const char* kOperator = "operator";

std::string scope_name(std::uint32_t scope) {
  return scope == shm::kTripScopeEverything ? "everything" : fmt::format("scope {}", scope);
}

std::string halted_note(const PositionRow& row) {
  struct Name {
    std::uint16_t bit;
    const char* text;
  };
  constexpr std::array kNames{
      Name{kPositionDisagrees, "venue disagrees"}, Name{kPositionUnplaced, "unplaced execution"},
      Name{kPositionOverflow, "overflow"}, Name{kPositionConflict, "conflict"},
      Name{kPositionUnknownEvent, "unknown event"}};
  std::string out;
  for (const Name& name : kNames) {
    if ((row.flags & name.bit) != 0)
      out += (out.empty() ? "" : ", ") + std::string(name.text);
  }
  if (row.halted != 0)
    out = "halted" + (out.empty() ? "" : ": " + out);
  return out;
}

// The position if everything on one side trades, the side that reaches further.
std::int64_t reach_of(const PositionRow& row) {
  std::int64_t up = 0;
  std::int64_t down = 0;
  const bool fits = add_checked(row.position, row.working_buy.raw, up) &&
                    sub_checked(row.position, row.working_sell.raw, down) &&
                    down != std::numeric_limits<std::int64_t>::min();
  return fits ? std::max(up, -down) : std::numeric_limits<std::int64_t>::max();
}

std::optional<double> share(std::int64_t used, std::int64_t allowed) {
  if (allowed <= 0)
    return std::nullopt;
  return static_cast<double>(used) / static_cast<double>(allowed);
}

LimitFacts decimal_limit(std::string what, std::string limit, bool money, std::int64_t used,
                         std::int64_t allowed, std::string note) {
  return {.what = std::move(what),
          .limit = std::move(limit),
          .money = money,
          .used = decimal_string(used),
          .allowed = allowed > 0 ? decimal_string(allowed) : "",
          .share = share(used, allowed),
          .note = std::move(note)};
}

}  // namespace

const char* to_string(KillSwitch state) noexcept {
  switch (state) {
    case KillSwitch::kOff:
      return "off";
    case KillSwitch::kUnknown:
      return "unknown";
    case KillSwitch::kKilled:
      return "killed";
  }
  return "?";
}

KillSwitch kill_switch_of(const TradingFacts& trading) noexcept {
  if (trading.operator_trip_cut || !trading.kills.empty())
    return KillSwitch::kKilled;
  return trading.kills_unread.empty() ? KillSwitch::kOff : KillSwitch::kUnknown;
}

std::vector<std::string> read_symbols(const shm::Instance& instance) {
  std::vector<std::string> symbols;
  try {
    const shm::BoardReader<InstrumentRow> board(instance, board::kInstruments);
    for (std::uint32_t i = 0; i < board.rows(); ++i) {
      InstrumentRow row;
      const bool written = board.load(i, row) == shm::BoardRead::kOk;
      const std::string_view chars(row.symbol.data(), row.symbol.size());
      const std::string symbol = printable(chars.substr(0, chars.find('\0')));
      symbols.push_back(written && !symbol.empty() ? symbol : fmt::format("instrument {}", i));
    }
  } catch (const Error&) {
    symbols.clear();  // the numbers then stand alone
  }
  return symbols;
}

template <class Row>
void TradingSource::attach(const shm::Instance& instance, const std::string& name,
                           std::optional<shm::BoardReader<Row>>& board) {
  try {
    board.emplace(instance, name);
  } catch (const Error& error) {
    trouble_.push_back(printable(error.what()));
  }
}

TradingSource::TradingSource(const shm::Instance& instance, const std::vector<std::string>& boards)
    : symbols_(read_symbols(instance)) {
  try {
    operator_trip_.emplace(instance);
  } catch (const Error& error) {
    trouble_.push_back(printable(error.what()));
  }
  for (const std::string& name : boards) {
    if (name == board::kAccount)
      attach(instance, name, account_);
    if (name == board::kLimits)
      attach(instance, name, limits_);
    if (name == board::kPositions)
      attach(instance, name, positions_);
    if (name == board::kOrders)
      attach(instance, name, orders_);
    if (name.starts_with(board::quotes(""))) {
      std::optional<shm::BoardReader<QuoteRow>> quotes;
      attach(instance, name, quotes);
      if (quotes)
        quotes_.push_back(std::move(*quotes));
    }
  }
}

void TradingSource::add_kills(const std::vector<const shm::StageView*>& stages,
                              TradingFacts& out) const {
  const auto add = [&](const std::string& by, std::uint32_t scope, std::uint64_t word) {
    if (word != 0)
      out.kills.push_back({by, scope_name(scope), kill_words(word)});
  };
  for (std::uint32_t scope = 0; operator_trip_ && scope < shm::kTripScopes; ++scope)
    add(kOperator, scope, operator_trip_->word(scope));
  // A file that was cut short reads as zeros and counts as set, here as in the stages.
  out.operator_trip_cut = operator_trip_ && operator_trip_->any(shm::kTripScopeEverything) &&
                          operator_trip_->word(shm::kTripScopeEverything) == 0;
  if (!operator_trip_)
    out.kills_unread.emplace_back(kOperator);
  for (const shm::StageView* stage : stages) {
    for (std::uint32_t scope = 0; scope < shm::kTripScopes; ++scope)
      add(printable(stage->stage()), scope, stage->trip(scope));
  }
}

void TradingSource::add_account(MonoNanos now, Snapshot& snapshot) const {
  AccountRow row;
  if (!account_ || account_->load(0, row) != shm::BoardRead::kOk)
    return;
  TradingFacts& out = snapshot.trading;
  out.account = true;
  out.known = (row.flags & kAccountKnown) != 0;
  out.blocked = (row.flags & kAccountBlocked) != 0;
  out.stream_proven = (row.flags & kStreamProven) != 0;
  out.quiescent = (row.flags & kQuiescent) != 0;
  out.cash = to_string(row.cash);
  out.orders = row.orders;
  out.working = row.working;
  out.in_flight = row.in_flight;
  out.unknown = row.unknown;
  out.fees_pending = row.fees_pending;
  out.executions = row.executions;
  if (row.kill_stamp_ns.ns != 0)
    out.kill_stamp_age_ns = age_ns(now, row.kill_stamp_ns);
  if (orders_) {
    snapshot.limits.push_back(
        {.what = "account",
         .limit = "order rows",
         .money = false,
         .used = std::to_string(row.orders),
         .allowed = std::to_string(orders_->rows()),
         .share = share(std::int64_t{row.orders}, std::int64_t{orders_->rows()}),
         .note = ""});
  }
}

// The middle of the newest two-sided quote; 0 when there is none.
Price TradingSource::mark_of(std::uint32_t instrument) const {
  Price mark{};
  MonoNanos newest{};
  for (const auto& board : quotes_) {
    QuoteRow row;
    if (board.load(instrument, row) != shm::BoardRead::kOk || row.receive_ns <= newest ||
        !row.quote.two_sided())
      continue;
    newest = row.receive_ns;
    mark = {row.quote.bid_px.raw / 2 + row.quote.ask_px.raw / 2};
  }
  return mark;
}

void TradingSource::add_halts(TradingFacts& out) const {
  out.instruments = symbols_.size();
  for (std::uint32_t i = 0; positions_ && i < symbols_.size(); ++i) {
    PositionRow row;
    if (positions_->load(i, row) == shm::BoardRead::kOk && row.halted != 0)
      ++out.halted;
  }
}

void TradingSource::add_limits(Snapshot& snapshot) const {
  if (!limits_ || !positions_)
    return;
  std::int64_t gross = 0;
  for (std::uint32_t i = 0; i < symbols_.size(); ++i) {
    PositionRow position;
    LimitRow limit;
    const bool held = positions_->load(i, position) == shm::BoardRead::kOk;
    if (limits_->load(1 + i, limit) != shm::BoardRead::kOk && !held)
      continue;
    const std::int64_t reach = reach_of(position);
    const std::string note = halted_note(position);
    snapshot.limits.push_back(
        decimal_limit(symbols_[i], "position", false, reach, limit.max_position.raw, note));
    Cash value;
    if (const Price mark = mark_of(i); mark.raw == 0 || !notional(mark, Qty{reach}, value))
      continue;
    snapshot.limits.push_back(
        decimal_limit(symbols_[i], "exposure", true, value.raw, limit.max_exposure.raw, note));
    if (!add_checked(gross, value.raw, gross))
      gross = std::numeric_limits<std::int64_t>::max();
  }
  LimitRow head;
  if (limits_->load(0, head) == shm::BoardRead::kOk)
    snapshot.limits.push_back(
        decimal_limit("account", "gross exposure", true, gross, head.max_exposure.raw, ""));
}

void TradingSource::collect(MonoNanos now, const std::vector<const shm::StageView*>& stages,
                            Snapshot& snapshot) const {
  TradingFacts& out = snapshot.trading;
  out.trouble = trouble_;
  add_kills(stages, out);
  // What the gateway obeys beside the operator. A page that cannot be read says nothing.
  for (const StageFacts& stage : snapshot.stages) {
    if (stage.condition == StageCondition::kUnreadable &&
        (stage.name == kRiskRole || stage.name == kGatewayRole))
      out.kills_unread.push_back(stage.name);
  }
  LimitRow head;
  if (limits_ && limits_->load(0, head) == shm::BoardRead::kOk) {
    const auto number = static_cast<std::uint32_t>(head.trading_state);
    const bool named = number <= static_cast<std::uint32_t>(TradingState::kHalted);
    out.state = named ? to_string(head.trading_state) : fmt::format("#{}", number);
    out.active = head.trading_state == TradingState::kActive;
    out.sheet_age_ns = age_ns(now, head.published_ns);
  }
  add_halts(out);
  add_limits(snapshot);
  add_account(now, snapshot);
  std::map<std::string, std::uint64_t> refusals;
  for (const shm::StageView* stage : stages) {
    if (stage->stage() != kRiskRole && stage->stage() != kGatewayRole)
      continue;
    for (std::size_t r = 1; r < kReasonCount; ++r) {
      const std::uint64_t n = stage->mark(static_cast<std::uint32_t>(kFirstReasonMark + r));
      if (n != 0)
        refusals[to_string(static_cast<Reason>(r))] += n;
    }
  }
  out.refusals.assign(refusals.begin(), refusals.end());
  std::stable_sort(out.refusals.begin(), out.refusals.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
}

}  // namespace sluice::top
