// rest_faults.hpp — what goes wrong with a REST request: between the API and the socket.
//
// Pure: says what to do with the connection, the server does it. Only authenticated requests within
// the rate limit come here.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "tools/venue_sim/faults.hpp"
#include "tools/venue_sim/rest_api.hpp"

namespace sluice::sim {

struct RestOutcome {
  enum class How : std::uint8_t {
    kAnswer,
    kCut,    // RST, no byte of an answer
    kHalf,   // half of the answer, then the connection ends
    kNever,  // no answer, the connection stays open
  };
  How how{How::kAnswer};
  ApiAnswer answer{};
  std::int64_t delay_ns{0};        // real time, on top of the venue's own latency
  std::uint32_t retry_after_s{0};  // header Retry-After; 0 = none
};

class RestFaults {
 public:
  // Both must outlive this.
  RestFaults(Faults& faults, const Venue& venue) noexcept : faults_(faults), venue_(venue) {}

  // Calls `execute` at most once: the request is carried out by it or not at all.
  [[nodiscard]] RestOutcome serve(const ApiRequest& request, WallNanos now,
                                  const std::function<ApiAnswer()>& execute);

 private:
  static constexpr std::size_t kAnswersKept = 17;  // one more than `back` may ask for
  static constexpr std::size_t kTargetsKept = 64;

  // Remembers what reads were answered, and answers with an older one.
  [[nodiscard]] ApiAnswer stale(const ApiRequest& request, std::uint32_t back,
                                const ApiAnswer& fresh);
  void remember(const ApiRequest& request, const ApiAnswer& answer);
  // The answer of an order that was made, replaced or cancelled; nothing for what the venue would
  // refuse, and for changes of other things.
  [[nodiscard]] std::optional<ApiAnswer> pretend(FaultSite site, const ApiRequest& request,
                                                 WallNanos now);
  [[nodiscard]] std::optional<ApiAnswer> pretend_order(const ApiRequest& request, WallNanos now);
  [[nodiscard]] std::optional<ApiAnswer> pretend_replace(const Order& old,
                                                         const ApiRequest& request, WallNanos now);
  [[nodiscard]] ApiAnswer pretend_cancel_all() const;
  [[nodiscard]] ApiAnswer made_up(Order order, WallNanos now);
  [[nodiscard]] const Order* open_order(std::string_view path) const;

  Faults& faults_;
  const Venue& venue_;
  std::uint64_t pretended_{0};
  std::map<std::string, std::deque<ApiAnswer>> answers_;  // newest last
};

[[nodiscard]] FaultSite fault_site(std::string_view method, std::string_view path) noexcept;

}  // namespace sluice::sim
