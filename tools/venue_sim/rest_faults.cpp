#include "tools/venue_sim/rest_faults.hpp"

#include <utility>
#include <variant>

#include "tools/venue_sim/order_request.hpp"

namespace sluice::sim {
namespace {

// Ids of orders that do not exist come from a seed of their own.
constexpr std::uint64_t kPretenceSeed = 0x50'52'45'54'45'4E'43'45;

RestOutcome answered(ApiAnswer answer) {
  RestOutcome outcome;
  outcome.answer = std::move(answer);
  return outcome;
}

RestOutcome refused(ApiError error) {
  return answered({error.status, std::move(error.body), false});
}

ApiError broken(std::uint32_t status) {
  return api_error(static_cast<int>(status), std::int64_t{status} * 100'000,
                   "the simulator was told to answer with " + std::to_string(status));
}

std::string target(const ApiRequest& request) {
  return std::string(request.path) + "?" + std::string(request.query);
}

// Reads of what changes under a client's hands; one order is asked for under too many names.
bool is_list(FaultSite site) noexcept {
  return site == FaultSite::kOrders || site == FaultSite::kPositions ||
         site == FaultSite::kAccount || site == FaultSite::kActivities;
}

template <class T>
void change(T& field, const std::optional<T>& to) {
  field = to.value_or(field);
}

}  // namespace

FaultSite fault_site(std::string_view method, std::string_view path) noexcept {
  if (method == "POST") {
    return FaultSite::kPost;
  }
  if (method == "PATCH") {
    return FaultSite::kPatch;
  }
  if (method == "DELETE") {
    return FaultSite::kDelete;
  }
  if (path == "/v2/orders") {
    return FaultSite::kOrders;
  }
  if (path.starts_with("/v2/orders")) {
    return FaultSite::kOrder;
  }
  if (path.starts_with("/v2/positions")) {
    return FaultSite::kPositions;
  }
  if (path.starts_with("/v2/account/activities")) {
    return FaultSite::kActivities;
  }
  return path == "/v2/account" ? FaultSite::kAccount : FaultSite::kOther;
}

RestOutcome RestFaults::serve(const ApiRequest& request, WallNanos now,
                              const std::function<ApiAnswer()>& execute) {
  const FaultSite site = fault_site(request.method, request.path);
  const std::optional<FaultHit> hit = faults_.strike(site, now);
  if (hit) {
    switch (hit->kind) {
      case FaultKind::kDrop:
        return {.how = RestOutcome::How::kCut};
      case FaultKind::kError:
        return refused(broken(hit->number));
      case FaultKind::kLimit: {
        RestOutcome outcome = refused(rate_limited());
        outcome.retry_after_s = hit->number;
        return outcome;
      }
      case FaultKind::kFalseAnswer:
        if (auto pretended = pretend(site, request, now)) {
          return answered(*std::move(pretended));
        }
        break;
      case FaultKind::kHang:
        if (!hit->executed) {
          return {.how = RestOutcome::How::kNever};
        }
        break;
      default:
        break;
    }
  }
  RestOutcome outcome = answered(execute());
  const bool kept = is_list(site);
  const ApiAnswer fresh = kept ? outcome.answer : ApiAnswer{};
  if (hit) {
    switch (hit->kind) {
      case FaultKind::kDelay:
        outcome.delay_ns = hit->ms * kNanosPerMilli;
        break;
      case FaultKind::kLoseAnswer:
        outcome.how = RestOutcome::How::kCut;
        break;
      case FaultKind::kCutAnswer:
        outcome.how = RestOutcome::How::kHalf;
        break;
      case FaultKind::kErrorAfter:
        outcome = refused(broken(hit->number));
        break;
      case FaultKind::kHang:
        outcome.how = RestOutcome::How::kNever;
        break;
      case FaultKind::kStale:
        outcome.answer = stale(request, hit->number, fresh);
        break;
      default:
        break;
    }
  }
  if (kept) {
    remember(request, fresh);
  }
  return outcome;
}

ApiAnswer RestFaults::stale(const ApiRequest& request, std::uint32_t back, const ApiAnswer& fresh) {
  const auto kept = answers_.find(target(request));
  if (kept == answers_.end() || kept->second.empty()) {
    return fresh;
  }
  const std::deque<ApiAnswer>& answers = kept->second;
  return answers[back <= answers.size() ? answers.size() - back : 0];
}

void RestFaults::remember(const ApiRequest& request, const ApiAnswer& answer) {
  std::string name = target(request);
  if (!answers_.contains(name) && answers_.size() == kTargetsKept) {
    return;
  }
  std::deque<ApiAnswer>& answers = answers_[std::move(name)];
  answers.push_back(answer);
  if (answers.size() > kAnswersKept) {
    answers.pop_front();
  }
}

std::optional<ApiAnswer> RestFaults::pretend(FaultSite site, const ApiRequest& request,
                                             WallNanos now) {
  if (request.path == "/v2/orders") {
    return site == FaultSite::kPost ? pretend_order(request, now) : pretend_cancel_all();
  }
  const Order* order = open_order(request.path);
  if (order == nullptr) {
    return std::nullopt;
  }
  return site == FaultSite::kDelete ? ApiAnswer{204, {}, false}
                                    : pretend_replace(*order, request, now);
}

// The open order that a path below /v2/orders names.
const Order* RestFaults::open_order(std::string_view path) const {
  constexpr std::string_view kBelow = "/v2/orders/";
  Id128 id{};
  if (!path.starts_with(kBelow) || !parse_uuid(path.substr(kBelow.size()), id)) {
    return nullptr;
  }
  const auto key = venue_.orders().find(id);
  return key && venue_.orders()[*key].open() ? &venue_.orders()[*key] : nullptr;
}

std::optional<ApiAnswer> RestFaults::pretend_order(const ApiRequest& request, WallNanos now) {
  auto parsed = parse_order_request(request.body, venue_);
  if (std::holds_alternative<ApiError>(parsed)) {
    return std::nullopt;
  }
  Order order;
  order.asked = std::get<NewOrder>(std::move(parsed));
  return made_up(std::move(order), now);
}

std::optional<ApiAnswer> RestFaults::pretend_replace(const Order& old, const ApiRequest& request,
                                                     WallNanos now) {
  auto parsed = parse_replace_request(request.body);
  if (std::holds_alternative<ApiError>(parsed)) {
    return std::nullopt;
  }
  const auto& changes = std::get<ReplaceOrder>(parsed);
  Order order;
  order.asked = old.asked;
  order.asked.client_order_id.clear();
  change(order.asked.client_order_id, changes.client_order_id);
  change(order.asked.qty, changes.qty);
  change(order.asked.tif, changes.tif);
  change(order.asked.limit, changes.limit);
  change(order.asked.stop, changes.stop);
  order.replaces = old.key;
  order.replaces_id = old.id;
  return made_up(std::move(order), now);
}

ApiAnswer RestFaults::pretend_cancel_all() const {
  ApiAnswer answer;
  answer.status = 207;
  JsonWriter json(answer.body);
  json.begin_array();
  for (const OrderKey key : venue_.open()) {
    json.begin_object();
    json.key("id").uuid(venue_.orders()[key].id);
    json.key("status").integer(200);
    json.end_object();
  }
  json.end_array();
  return answer;
}

// The answer to a change, with an id that nothing has.
ApiAnswer RestFaults::made_up(Order order, WallNanos now) {
  order.id = derived_id(kPretenceSeed, pretended_++);
  if (order.asked.client_order_id.empty()) {
    order.asked.client_order_id = to_string(derived_id(kPretenceSeed, pretended_++));
  }
  order.submitted_at = order.updated_at = now;
  ApiAnswer answer;
  JsonWriter json(answer.body);
  encode_order(json, order, venue_.symbols()[order.asked.symbol]);
  return answer;
}

}  // namespace sluice::sim
