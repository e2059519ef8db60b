// The client order id: `slc-<instance>-<incarnation>-<strategy>-<sequence>`, our name for an order
// at the venue, made from the intent it came from and from nothing else.
//
// Pure; any thread. Invariants:
//  1. encode and decode are inverse: one text per (instance, intent) and one intent per text. So
//  the
//     parser takes exactly what the encoder writes: no leading zeros, no signs, nothing behind.
//  2. The text has at most kMaxClientOrderIdChars characters, the shortest limit any of the venue's
//     documents names.
#pragma once

#include <array>
#include <string_view>

#include "common/messages/ids.hpp"

namespace sluice {

inline constexpr std::size_t kMaxClientOrderIdChars = 48;
inline constexpr std::size_t kMaxInstanceChars = 12;
// Fourteen digits: what is left of the 48 characters beside the longest instance, incarnation and
// strategy. At a million intents a second they last three years.
inline constexpr std::uint64_t kMaxClientSequence = 99'999'999'999'999ULL;

// A client order id as it travels in events. size == 0: none, or longer than any of ours (foreign).
struct ClientOrderId {
  std::array<char, kMaxClientOrderIdChars> text{};
  std::uint8_t size{0};

  [[nodiscard]] std::string_view view() const noexcept { return {text.data(), size}; }
  // A text that does not fit cannot be ours and is kept as "none".
  void assign(std::string_view value) noexcept;
  friend bool operator==(const ClientOrderId&, const ClientOrderId&) = default;
};

enum class ClientIdClass : std::uint8_t {
  kForeign = 0,  // not our prefix, or another instance's
  kOurs = 1,     // decodes completely
  kGarbled =
      2,  // our prefix and instance, but not a text we ever write: treated as foreign, counted
};

// True when `instance` is 1 to 12 characters of [a-z0-9].
[[nodiscard]] bool is_valid_instance(std::string_view instance) noexcept;

// False (and `out` empty) when the instance is not valid, the intent is none, its sequence is 0 or
// above kMaxClientSequence.
[[nodiscard]] bool encode_client_order_id(std::string_view instance, const IntentId& intent,
                                          ClientOrderId& out) noexcept;

// `intent` is written only for kOurs.
[[nodiscard]] ClientIdClass decode_client_order_id(std::string_view instance, std::string_view text,
                                                   IntentId& intent) noexcept;

}  // namespace sluice
