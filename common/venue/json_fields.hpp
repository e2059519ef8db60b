// Reading one JSON object into one plain struct by a table of fields, so that the table reads like
// the venue's documentation and the rules about absent, null and doubled keys exist once.
//
//  1. Unknown keys are ignored: venues add fields.
//  2. A required field is there and not null; a nullable one may be null or absent and then leaves
//     the struct's default.
//  3. Reading goes on after the first failure so that the fault can name the message, but the
//     result of a failed read is never handed out.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "common/base/fixed.hpp"
#include "common/base/id.hpp"
#include "common/base/time.hpp"
#include "common/venue/decode_status.hpp"
#include "common/venue/fixed_text.hpp"
#include "common/venue/json_tree.hpp"

namespace sluice::venue {

enum class Need : std::uint8_t { kRequired, kNullable };

template <class T>
struct FieldSpec {
  std::string_view key;
  Need need;
  DecodeStatus (*read)(const JsonNode& node, T& out) noexcept;  // never sees a null
};

inline constexpr std::size_t kFieldsMax = 64;  // one bit each in the set of keys seen

// ---- values ------------------------------------------------------------------------------------
// Each writes `out` only on kOk.

[[nodiscard]] constexpr DecodeStatus to_decode_status(DecimalStatus status) noexcept {
  switch (status) {
    case DecimalStatus::kOk:
      return DecodeStatus::kOk;
    case DecimalStatus::kTooPrecise:
      return DecodeStatus::kTooPrecise;
    case DecimalStatus::kOutOfRange:
      return DecodeStatus::kOutOfRange;
    case DecimalStatus::kEmpty:
    case DecimalStatus::kSyntax:
      break;
  }
  return DecodeStatus::kBadValue;
}

// A JSON number only (the market data interface).
[[nodiscard]] inline DecodeStatus read_number(const JsonNode& node, std::int64_t& out) noexcept {
  return node.type == JsonType::kNumber ? to_decode_status(parse_decimal(node.text, out))
                                        : DecodeStatus::kWrongType;
}

// A decimal as string, as the trading interface writes it; a plain number is understood, too.
[[nodiscard]] inline DecodeStatus read_decimal(const JsonNode& node, std::int64_t& out) noexcept {
  return node.type == JsonType::kString || node.type == JsonType::kNumber
             ? to_decode_status(parse_decimal(node.text, out))
             : DecodeStatus::kWrongType;
}

[[nodiscard]] inline DecodeStatus read_not_negative(const JsonNode& node,
                                                    std::int64_t& out) noexcept {
  std::int64_t value = 0;
  const DecodeStatus status = read_decimal(node, value);
  if (status != DecodeStatus::kOk) {
    return status;
  }
  if (value < 0) {
    return DecodeStatus::kBadValue;
  }
  out = value;
  return DecodeStatus::kOk;
}

[[nodiscard]] inline DecodeStatus read_positive(const JsonNode& node, std::int64_t& out) noexcept {
  std::int64_t value = 0;
  const DecodeStatus status = read_decimal(node, value);
  if (status != DecodeStatus::kOk) {
    return status;
  }
  if (value <= 0) {
    return DecodeStatus::kBadValue;
  }
  out = value;
  return DecodeStatus::kOk;
}

// Digits only, up to 2^64 - 1.
[[nodiscard]] inline DecodeStatus read_u64(const JsonNode& node, std::uint64_t& out) noexcept {
  if (node.type != JsonType::kNumber) {
    return DecodeStatus::kWrongType;
  }
  std::uint64_t value = 0;
  for (const char c : node.text) {
    if (c < '0' || c > '9') {
      return DecodeStatus::kBadValue;
    }
    if (__builtin_mul_overflow(value, std::uint64_t{10}, &value) ||
        __builtin_add_overflow(value, static_cast<std::uint64_t>(c - '0'), &value)) {
      return DecodeStatus::kOutOfRange;
    }
  }
  out = value;
  return DecodeStatus::kOk;
}

[[nodiscard]] inline DecodeStatus read_bool(const JsonNode& node, bool& out) noexcept {
  if (node.type != JsonType::kTrue && node.type != JsonType::kFalse) {
    return DecodeStatus::kWrongType;
  }
  out = node.type == JsonType::kTrue;
  return DecodeStatus::kOk;
}

[[nodiscard]] inline DecodeStatus read_time(const JsonNode& node, WallNanos& out) noexcept {
  if (node.type != JsonType::kString) {
    return DecodeStatus::kWrongType;
  }
  return parse_rfc3339(node.text, out) ? DecodeStatus::kOk : DecodeStatus::kBadValue;
}

[[nodiscard]] inline DecodeStatus read_uuid(const JsonNode& node, Id128& out) noexcept {
  if (node.type != JsonType::kString) {
    return DecodeStatus::kWrongType;
  }
  return parse_uuid(node.text, out) ? DecodeStatus::kOk : DecodeStatus::kBadValue;
}

template <std::size_t N>
[[nodiscard]] DecodeStatus read_text(const JsonNode& node, FixedText<N>& out) noexcept {
  if (node.type != JsonType::kString) {
    return DecodeStatus::kWrongType;
  }
  return out.assign(node.text) ? DecodeStatus::kOk : DecodeStatus::kTooLong;
}

// One of the documented words; anything else becomes `other`, so that a word the venue adds later
// is seen and judged by the caller, not lost with its message.
template <class Enum>
struct Word {
  std::string_view text;
  Enum value;
};
template <class Enum, std::size_t N>
[[nodiscard]] DecodeStatus read_word(const JsonNode& node, const Word<Enum> (&words)[N], Enum other,
                                     Enum& out) noexcept {
  if (node.type != JsonType::kString) {
    return DecodeStatus::kWrongType;
  }
  out = other;
  for (const Word<Enum>& word : words) {
    if (word.text == node.text) {
      out = word.value;
      break;
    }
  }
  return DecodeStatus::kOk;
}

// ---- objects -----------------------------------------------------------------------------------

// Records the first thing that went wrong.
inline void blame(DecodeFault& fault, DecodeStatus status, std::string_view field) noexcept {
  if (fault.status == DecodeStatus::kOk) {
    fault.status = status;
    fault.field = field;
  }
}

// Reads `object` into `out`. `fault` says what went wrong; fault.status == kOk is the only success.
template <class T, std::size_t N>
void read_object(const JsonTree& tree, const JsonNode& object, const FieldSpec<T> (&fields)[N],
                 T& out, DecodeFault& fault) noexcept {
  static_assert(N <= kFieldsMax);
  if (object.type != JsonType::kObject) {
    blame(fault, DecodeStatus::kWrongShape, {});
    return;
  }
  std::uint64_t seen = 0;
  std::uint64_t filled = 0;
  std::size_t next = 0;  // keys mostly come in the table's order: the search starts where it ended
  for (const JsonNode& member : tree.children(object)) {
    std::size_t i = next;
    for (std::size_t tried = 0; tried < N && fields[i].key != member.key; ++tried) {
      i = i + 1 == N ? 0 : i + 1;
    }
    if (fields[i].key != member.key) {
      continue;
    }
    next = i + 1 == N ? 0 : i + 1;
    const std::uint64_t bit = std::uint64_t{1} << i;
    if ((seen & bit) != 0) {
      blame(fault, DecodeStatus::kDuplicateKey, fields[i].key);
      continue;
    }
    seen |= bit;
    if (member.type == JsonType::kNull) {
      if (fields[i].need == Need::kRequired) {
        blame(fault, DecodeStatus::kNull, fields[i].key);
      }
      continue;
    }
    if (const DecodeStatus status = fields[i].read(member, out); status != DecodeStatus::kOk) {
      blame(fault, status, fields[i].key);
      continue;
    }
    filled |= bit;
  }
  for (std::size_t i = 0; i < N && fault.status == DecodeStatus::kOk; ++i) {
    if (fields[i].need == Need::kRequired && (filled >> i & 1) == 0) {
      blame(fault, DecodeStatus::kMissingField, fields[i].key);
    }
  }
}

}  // namespace sluice::venue
