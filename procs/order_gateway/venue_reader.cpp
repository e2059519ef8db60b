#include "procs/order_gateway/venue_reader.hpp"

#include <fmt/format.h>

#include <array>

#include "procs/order_gateway/conversions.hpp"

namespace sluice {
namespace {

namespace alpaca = venue::alpaca;

constexpr std::int64_t kActivityOverlap = 10LL * 60 * 1'000'000'000;  // order-path.md 8
constexpr std::uint32_t kPage = 100;

}  // namespace

VenueReader::VenueReader(net::HttpPool& pool, alpaca::RestDecoder& decoder,
                         const VenueConfig& venue, std::int64_t poll_every_ns, Callbacks callbacks)
    : pool_(pool),
      decoder_(decoder),
      venue_(venue),
      poll_every_ns_(poll_every_ns),
      callbacks_(std::move(callbacks)) {}

void VenueReader::poll(MonoNanos now, WallNanos wall) {
  if (!in_round_) {
    if (audit_wanted_) {
      begin_round(true, now, wall);
    } else if (now.ns - last_round_.ns >= poll_every_ns_) {
      begin_round(false, now, wall);
    }
  }
  if (in_round_ && !outstanding_)
    next(now);
}

void VenueReader::begin_round(bool audit, MonoNanos now, WallNanos wall) {
  in_round_ = true;
  audit_ = audit;
  complete_ = true;
  round_requested_ = now;
  last_round_ = now;
  page_token_.clear();
  if (audit) {
    audit_wanted_ = false;
    activities_after_ = {wall.ns - kActivityOverlap};
    round_ = {Read::kOpenOrders, Read::kActivities, Read::kPositions, Read::kAccount};
  } else {
    // Behind the newest one known; what arrives late and out of order is found by the audits'
    // overlap.
    activities_after_ = {wall.ns - kActivityOverlap};
    page_token_ = last_activity_;
    round_ = {Read::kActivities, Read::kAccount};
  }
}

void VenueReader::next(MonoNanos now) {
  if (round_.empty()) {
    in_round_ = false;
    if (audit_)
      callbacks_.event(AuditEnd{.requested_ns = round_requested_, .complete = complete_});
    return;
  }
  // Orders come first: a read takes a connection only when it leaves one idle, or when no order
  // could pass anyway because nothing has been read yet.
  if (!pool_.ready(net::Lane::kNormal))
    return;
  const Read read = round_.front();
  std::array<char, alpaca::kRequestBytes> target;
  const std::size_t size = target_of(read, target);
  SLUICE_ASSERT(size != 0, "a read's target always fits its buffer");
  outstanding_ = pool_.try_send(
      net::Lane::kNormal, {.method = "GET", .target = {target.data(), size}},
      [this, read, now](const net::HttpAnswer& answer) { on_answer(read, now, answer); });
  if (outstanding_)
    callbacks_.request_made();
}

std::size_t VenueReader::target_of(Read read, std::span<char> out) const {
  const auto copy = [&](std::string_view text) {
    text.copy(out.data(), out.size());
    return text.size();
  };
  switch (read) {
    case Read::kOpenOrders:
      return alpaca::encode_orders_target({}, out);
    case Read::kActivities:
      return alpaca::encode_activities_target({.types = "FILL,CFEE",
                                               .after = activities_after_,
                                               .until = {},
                                               .ascending = true,
                                               .page_size = kPage,
                                               .page_token = page_token_},
                                              out);
    case Read::kPositions:
      return copy(alpaca::kPositionsTarget);
    case Read::kAccount:
      return copy(alpaca::kAccountTarget);
  }
  return 0;
}

void VenueReader::on_answer(Read read, MonoNanos requested, const net::HttpAnswer& answer) {
  outstanding_ = false;
  round_.pop_front();
  if (take(read, requested, answer))
    return;
  complete_ = false;
  ++failures_;
}

bool VenueReader::take(Read read, MonoNanos requested, const net::HttpAnswer& answer) {
  if (answer.outcome != net::Outcome::kAnswered) {
    callbacks_.trouble(
        fmt::format("reading from the venue: {} ({})", to_string(answer.outcome), answer.why));
    return false;
  }
  if (answer.status != 200) {
    alpaca::VenueError error;
    const bool told = decoder_.error(answer.body, error) == venue::DecodeStatus::kOk;
    const alpaca::Outcome outcome =
        alpaca::classify(alpaca::RequestKind::kRead, answer.status, told ? &error : nullptr);
    const std::string said = fmt::format("the venue answered a read with status {} \"{}\"",
                                         answer.status, error.message.view());
    callbacks_.trouble(said);
    if (outcome == alpaca::Outcome::kUnauthorised) {
      callbacks_.give_up(ExitCode::kCredentials, said + "; check " + venue_.credentials_file);
    }
    return false;
  }
  ever_answered_ = true;
  switch (read) {
    case Read::kOpenOrders:
      return take_open_orders(answer);
    case Read::kActivities:
      return take_activities(answer);
    case Read::kPositions:
      return take_positions(requested, answer);
    case Read::kAccount:
      return take_account(requested, answer);
  }
  return false;
}

bool VenueReader::take_open_orders(const net::HttpAnswer& answer) {
  alpaca::ListOf<alpaca::OrderSnapshot> orders;
  if (decoder_.orders(answer.body, orders) != venue::DecodeStatus::kOk) {
    callbacks_.trouble("the list of open orders could not be read");
    return false;
  }
  for (const alpaca::OrderSnapshot& order : orders.items) {
    callbacks_.event(OpenOrder{.order = to_core(order), .receive_ns = answer.answer_ns});
  }
  return orders.complete();
}

bool VenueReader::take_activities(const net::HttpAnswer& answer) {
  alpaca::ListOf<alpaca::Activity> activities;
  if (decoder_.activities(answer.body, activities) != venue::DecodeStatus::kOk) {
    callbacks_.trouble("the account's activities could not be read");
    return false;
  }
  for (const alpaca::Activity& activity : activities.items)
    tell_activity(activity, answer.answer_ns);
  if (activities.items.empty())
    return activities.complete();
  page_token_ = activities.items.back().id.view();
  last_activity_ = page_token_;
  // A full page: more may follow. Pages come one after the other within the round.
  if (activities.items.size() + activities.faults.size() >= kPage)
    round_.push_front(Read::kActivities);
  return activities.complete();
}

void VenueReader::tell_activity(const alpaca::Activity& activity, MonoNanos receive_ns) {
  if (!activity.has_execution_id)
    return;
  if (activity.kind == alpaca::ActivityKind::kFill) {
    callbacks_.event(FillActivity{.execution_id = activity.execution_id,
                                  .venue_order_id = activity.order_id,
                                  .instrument = activity.instrument,
                                  .side = activity.side,
                                  .px = activity.price,
                                  .qty = Qty{activity.qty},
                                  .cum_qty = activity.cum_qty,
                                  .venue_ns = activity.transaction_time,
                                  .receive_ns = receive_ns});
  } else if (activity.kind == alpaca::ActivityKind::kCryptoFee &&
             (activity.has_qty || activity.has_net_amount)) {
    // Charged amounts come negative: what the account gained.
    callbacks_.event(FeeActivity{.execution_id = activity.execution_id,
                                 .instrument = activity.instrument,
                                 .in_base = activity.has_qty,
                                 .amount = activity.has_qty ? -activity.qty : -activity.net_amount,
                                 .receive_ns = receive_ns});
  }
}

bool VenueReader::take_positions(MonoNanos requested, const net::HttpAnswer& answer) {
  alpaca::ListOf<alpaca::PositionSnapshot> positions;
  if (decoder_.positions(answer.body, positions) != venue::DecodeStatus::kOk ||
      !positions.complete()) {
    // Half a list would read as "the rest is flat".
    callbacks_.trouble("the list of positions could not be read");
    return false;
  }
  callbacks_.event(PositionsBegin{.requested_ns = requested});
  for (const alpaca::PositionSnapshot& position : positions.items) {
    callbacks_.event(PositionEntry{.instrument = position.instrument, .position = position.qty});
  }
  callbacks_.event(PositionsEnd{.requested_ns = requested, .receive_ns = answer.answer_ns});
  return true;
}

bool VenueReader::take_account(MonoNanos requested, const net::HttpAnswer& answer) {
  alpaca::AccountSnapshot account;
  if (decoder_.account(answer.body, account) != venue::DecodeStatus::kOk) {
    callbacks_.trouble(
        fmt::format("the account could not be read (field '{}')", decoder_.last_fault().field));
    return false;
  }
  callbacks_.event(AccountSnapshot{.account_id = account.id,
                                   .cash = account.cash,
                                   .buying_power = account.non_marginable_buying_power,
                                   .blocked = !account.may_trade(),
                                   .requested_ns = requested,
                                   .receive_ns = answer.answer_ns});
  return true;
}

}  // namespace sluice
