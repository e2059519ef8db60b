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

bool is_read(FaultSite site) noexcept {
  return site != FaultSite::kPost && site != FaultSite::kPatch && site != FaultSite::kDelete;
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
  if (!faults_.concerns(site)) {
    return answered(execute());
  }
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
        return answered(pretend(site, request, now));
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
  const ApiAnswer fresh = is_read(site) ? outcome.answer : ApiAnswer{};
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
  if (is_read(site)) {
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

ApiAnswer RestFaults::pretend(FaultSite site, const ApiRequest& request, WallNanos now) {
  if (site == FaultSite::kDelete) {
    return {request.path == "/v2/orders" ? 207 : 204,
            request.path == "/v2/orders" ? std::string("[]") : std::string(), false};
  }
  ApiAnswer answer;
  JsonWriter json(answer.body);
  Order order;
  if (site == FaultSite::kPost) {
    auto parsed = parse_order_request(request.body, venue_);
    if (auto* error = std::get_if<ApiError>(&parsed)) {
      return {error->status, std::move(error->body), false};
    }
    order.asked = std::get<NewOrder>(std::move(parsed));
  } else {
    const std::size_t slash = request.path.rfind('/');
    Id128 id{};
    const bool read = parse_uuid(request.path.substr(slash + 1), id);
    const auto key = read ? venue_.orders().find(id) : std::nullopt;
    if (!key) {
      ApiError error =
          not_found("order not found for " + std::string(request.path.substr(slash + 1)));
      return {error.status, std::move(error.body), false};
    }
    order.asked = venue_.orders()[*key].asked;
    order.asked.client_order_id = "pretended-" + std::to_string(pretended_);
  }
  order.id = derived_id(kPretenceSeed, pretended_++);
  order.submitted_at = order.updated_at = now;
  encode_order(json, order, venue_.symbols()[order.asked.symbol]);
  return answer;
}

}  // namespace sluice::sim
