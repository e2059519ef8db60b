// DecodeStatus: why bytes of a venue did not become a record, with a counter for each reason.
//
// Rule of every decoder in this folder: a result may be used only when the status is kOk. On any
// other status the result is as it was before the call, never filled in part.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/base/id.hpp"
#include "common/messages/ids.hpp"

namespace sluice::venue {

enum class DecodeStatus : std::uint8_t {
  kOk,
  kEmpty,         // no bytes, or nothing but whitespace
  kOversize,      // longer than the decoder's buffer; not looked at
  kMalformed,     // not JSON: broken structure, bad UTF-8 or escape, truncated, trailing content
  kTooDeep,       // nested deeper than any message of the venue
  kTooMany,       // more values or list elements than the decoder has room for
  kWrongShape,    // JSON, but an object where an array belongs or the other way round
  kUnknownKind,   // a message type or stream this codec does not know
  kMissingField,  // a required key is absent
  kDuplicateKey,  // a known key twice: which one holds is not decided here
  kWrongType,     // a value of another JSON type than documented
  kNull,          // null where a value is needed
  kBadValue,      // right type, impossible content: no decimal, no UUID, no time, a negative size
  kTooPrecise,    // a decimal finer than 1e-9: refused, never rounded
  kOutOfRange,    // a number that does not fit its field
  kTooLong,       // a text that does not fit its field
};
inline constexpr std::size_t kDecodeStatusCount = 16;

[[nodiscard]] constexpr std::string_view to_string(DecodeStatus status) noexcept {
  constexpr std::array<std::string_view, kDecodeStatusCount> kNames{
      "ok",          "empty",        "oversize",      "malformed",     "too_deep",   "too_many",
      "wrong_shape", "unknown_kind", "missing_field", "duplicate_key", "wrong_type", "null",
      "bad_value",   "too_precise",  "out_of_range",  "too_long"};
  const auto i = static_cast<std::size_t>(status);
  return i < kNames.size() ? kNames[i] : "?";
}

// How often each status occurred since start; plain numbers for the owner's thread.
struct DecodeCounters {
  std::array<std::uint64_t, kDecodeStatusCount> by_status{};

  void count(DecodeStatus status) noexcept { ++by_status[static_cast<std::size_t>(status)]; }
  [[nodiscard]] std::uint64_t of(DecodeStatus status) const noexcept {
    return by_status[static_cast<std::size_t>(status)];
  }
  // Everything that was refused.
  [[nodiscard]] std::uint64_t refused() const noexcept {
    std::uint64_t sum = 0;
    for (std::size_t i = 1; i < by_status.size(); ++i) {
      sum += by_status[i];
    }
    return sum;
  }
};

// What a refused message can still say about itself: enough to name it in a log line and to
// quarantine its instrument rather than the account (order-path.md 9).
struct DecodeFault {
  DecodeStatus status{DecodeStatus::kOk};
  std::string_view field{};                 // static text; empty when no field is to blame
  std::uint32_t instrument{kNoInstrument};  // when the symbol was readable and is known
  Id128 order_id{};                         // when readable
};

}  // namespace sluice::venue
