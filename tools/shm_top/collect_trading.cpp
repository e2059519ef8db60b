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

// None: not known.
using Used = std::optional<std::int64_t>;

std::optional<double> share(Used used, std::int64_t allowed) {
  if (!used || allowed <= 0)
    return std::nullopt;
  return static_cast<double>(*used) / static_cast<double>(allowed);
}

LimitFacts decimal_limit(std::string what, std::string limit, bool money, Used used,
                         std::int64_t allowed, std::string note) {
  return {.what = std::move(what),
          .limit = std::move(limit),
          .money = money,
          .used = used ? decimal_string(*used) : "",
          .allowed = allowed > 0 ? decimal_string(allowed) : "",
          .share = share(used, allowed),
          .note = std::move(note)};
}

LimitFacts count_limit(std::string limit, Used used, std::int64_t allowed) {
  return {.what = "account",
          .limit = std::move(limit),
          .money = false,
          .used = used ? std::to_string(*used) : "",
          .allowed = allowed > 0 ? std::to_string(allowed) : "",
          .share = share(used, allowed),
          .note = ""};
}

std::int64_t open_orders_of(const AccountRow& row) {
  return std::int64_t{row.working} + row.in_flight + row.unknown;
}

std::vector<std::pair<std::string, std::uint64_t>> refusals_of(
    const std::vector<const shm::StageView*>& stages) {
  std::map<std::string, std::uint64_t> by_reason;
  for (const shm::StageView* stage : stages) {
    if (stage->stage() != kRiskRole && stage->stage() != kGatewayRole)
      continue;
    for (std::size_t r = 1; r < kReasonCount; ++r) {
      const std::uint64_t n = stage->mark(static_cast<std::uint32_t>(kFirstReasonMark + r));
      if (n != 0)
        by_reason[to_string(static_cast<Reason>(r))] += n;
    }
  }
  std::vector<std::pair<std::string, std::uint64_t>> out(by_reason.begin(), by_reason.end());
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return out;
}

template <class Row>
std::optional<Row> row_of(const BoardSource<Row>& board, std::uint32_t i) {
  Row row;
  return board.load(i, row) ? std::optional(row) : std::nullopt;
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

TradingSource::TradingSource(const shm::Instance& instance, const shm::SegmentNames& names)
    : symbols_(instance),
      account_(instance, board::kAccount),
      limits_(instance, board::kLimits),
      positions_(instance, board::kPositions),
      orders_(instance, board::kOrders) {
  try {
    operator_trip_.emplace(instance);
  } catch (const Error& error) {
    operator_trip_trouble_ = attach_trouble(instance.dir(), error);
  }
  for (const std::string& name : names.boards) {
    if (name.starts_with(board::quotes("")))
      quotes_.emplace_back(instance, name);
  }
  strategies_ = static_cast<std::uint32_t>(
      std::count_if(names.stages.begin(), names.stages.end(),
                    [](const std::string& name) { return name.starts_with(strategy_role("")); }));
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

void TradingSource::add_sheet(MonoNanos now, const std::optional<LimitRow>& head,
                              TradingFacts& out) const {
  if (!head)
    return;
  const auto number = static_cast<std::uint32_t>(head->trading_state);
  const bool named = number <= static_cast<std::uint32_t>(TradingState::kHalted);
  out.state = named ? to_string(head->trading_state) : fmt::format("#{}", number);
  out.active = head->trading_state == TradingState::kActive;
  out.sheet_age_ns = age_ns(now, head->published_ns);
}

void TradingSource::add_account(MonoNanos now, const AccountRow& row, TradingFacts& out) const {
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
}

// The middle of the newest two-sided quote; 0 when there is none.
Price TradingSource::mark_of(std::uint32_t instrument) const {
  Price mark{};
  MonoNanos newest{};
  for (const auto& board : quotes_) {
    QuoteRow row;
    if (!board.load(instrument, row) || row.receive_ns <= newest || !row.quote.two_sided())
      continue;
    newest = row.receive_ns;
    mark = {row.quote.bid_px.raw / 2 + row.quote.ask_px.raw / 2};
  }
  return mark;
}

// The board of symbols has a row for each. Without it the others tell: no limit and no halt may
// vanish because the names did.
std::uint32_t TradingSource::instruments() const {
  if (!symbols_.all().empty())
    return static_cast<std::uint32_t>(symbols_.all().size());
  // limit_rows() and position_rows() of the topology, the other way round.
  const std::uint32_t limited = limits_.rows() - std::min(limits_.rows(), 1 + strategies_);
  return std::max(limited, positions_.rows() / (strategies_ + 2));
}

void TradingSource::add_halts(TradingFacts& out) const {
  out.instruments = instruments();
  std::uint64_t halted = 0;
  for (std::uint32_t i = 0; i < out.instruments; ++i) {
    PositionRow row;
    if (positions_.load(i, row) && row.halted != 0)
      ++halted;
  }
  // Asked last: reading is what finds out that a file was cut.
  if (positions_.readable())
    out.halted = halted;
}

// The gateway writes every position when it starts: a row that is not written is not known.
void TradingSource::add_position_limits(const std::optional<LimitRow>& head,
                                        Snapshot& snapshot) const {
  std::int64_t gross = 0;
  bool gross_known = true;
  for (std::uint32_t i = 0; i < instruments(); ++i) {
    PositionRow position;
    LimitRow limit;
    const bool held = positions_.load(i, position);
    if (!limits_.load(1 + i, limit) && !held)
      continue;
    const std::int64_t reach = reach_of(position);
    const std::string note = halted_note(position);
    const std::string symbol = symbols_.name(i);
    snapshot.limits.push_back(decimal_limit(symbol, "position", false, held ? Used(reach) : Used(),
                                            limit.max_position.raw, note));
    gross_known = gross_known && held;
    Cash value;
    if (const Price mark = mark_of(i); !held || mark.raw == 0 || !notional(mark, Qty{reach}, value))
      continue;
    snapshot.limits.push_back(
        decimal_limit(symbol, "exposure", true, value.raw, limit.max_exposure.raw, note));
    if (!add_checked(gross, value.raw, gross))
      gross = std::numeric_limits<std::int64_t>::max();
  }
  if (head)
    snapshot.limits.push_back(decimal_limit("account", "gross exposure", true,
                                            gross_known ? Used(gross) : Used(),
                                            head->max_exposure.raw, ""));
}

void TradingSource::add_order_limits(const std::optional<LimitRow>& head,
                                     const std::optional<AccountRow>& account,
                                     Snapshot& snapshot) const {
  const std::int64_t open_max = head ? head->open_orders_max : 0;
  if (account || open_max != 0) {
    snapshot.limits.push_back(
        count_limit("open orders", account ? Used(open_orders_of(*account)) : Used(), open_max));
  }
  if (account)
    snapshot.limits.push_back(count_limit("order rows", account->orders, orders_.rows()));
}

// After all rows were read, for the same reason.
void TradingSource::add_trouble(TradingFacts& out) const {
  const auto add = [&](const std::string& trouble) {
    if (!trouble.empty())
      out.trouble.push_back(trouble);
  };
  add(operator_trip_trouble_);
  for (const std::string& trouble : {limits_.trouble(), account_.trouble(), positions_.trouble(),
                                     orders_.trouble(), symbols_.trouble()})
    add(trouble);
  for (const auto& quotes : quotes_)
    add(quotes.trouble());
  out.sheet_unreadable = !limits_.readable();
  out.account_unreadable = !account_.readable();
}

void TradingSource::collect(MonoNanos now, const std::vector<const shm::StageView*>& stages,
                            Snapshot& snapshot) {
  TradingFacts& out = snapshot.trading;
  symbols_.refresh();
  add_kills(stages, out);
  // What the gateway obeys beside the operator. A page that cannot be read says nothing.
  for (const StageFacts& stage : snapshot.stages) {
    if (stage.condition == StageCondition::kUnreadable &&
        (stage.name == kRiskRole || stage.name == kGatewayRole))
      out.kills_unread.push_back(stage.name);
  }
  const std::optional<LimitRow> head = row_of(limits_, 0);
  const std::optional<AccountRow> account = row_of(account_, 0);
  add_sheet(now, head, out);
  add_halts(out);
  add_position_limits(head, snapshot);
  add_order_limits(head, account, snapshot);
  if (account)
    add_account(now, *account, out);
  out.refusals = refusals_of(stages);
  add_trouble(out);
}

}  // namespace sluice::top
