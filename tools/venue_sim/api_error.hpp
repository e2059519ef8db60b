// api_error.hpp — the venue's refusals: HTTP status and body, word for word.
//
// Pure. The texts are those recorded from the venue; clients branch on status and code, people read
// the message. The first three digits of a code are not the HTTP status (40010001 comes with 422).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/fixed.hpp"
#include "common/base/id.hpp"

namespace sluice::sim {

struct ApiError {
  int status;
  std::string body;
};

inline constexpr std::int64_t kCodeMalformedBody = 40010000;
inline constexpr std::int64_t kCodeInvalidParameter = 40010001;
inline constexpr std::int64_t kCodeUnauthorized = 40110000;
inline constexpr std::int64_t kCodeForbidden = 40310000;
inline constexpr std::int64_t kCodeNotFound = 40410000;
inline constexpr std::int64_t kCodeNotAllowed = 42210000;
inline constexpr std::int64_t kCodeRateLimit = 42910000;

[[nodiscard]] ApiError api_error(int status, std::int64_t code, std::string_view message);

[[nodiscard]] ApiError unauthorized();                               // 401
[[nodiscard]] ApiError malformed_body();                             // 400
[[nodiscard]] ApiError invalid_parameter(std::string_view message);  // 422 40010001
[[nodiscard]] ApiError not_allowed(std::string_view message);        // 422 42210000
[[nodiscard]] ApiError not_found(std::string_view message);          // 404 40410000
[[nodiscard]] ApiError rate_limited();                               // 429
[[nodiscard]] ApiError insufficient_buying_power(Cash buying_power, Cash cost_basis);
[[nodiscard]] ApiError cost_basis_too_small(Cash minimum);

struct QtyShortage {
  std::string_view symbol;
  Qty requested;
  Qty existing;   // negative when short
  Qty available;  // likewise
  Qty held;
};
[[nodiscard]] ApiError insufficient_qty(const QtyShortage& shortage);
// 403, or as in 2024 422.
[[nodiscard]] ApiError wash_trade(const Id128& existing_order, std::string_view reason,
                                  bool is_403);

}  // namespace sluice::sim
