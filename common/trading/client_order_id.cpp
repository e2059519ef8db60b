#include "common/trading/client_order_id.hpp"

#include <charconv>
#include <cstring>
#include <limits>

namespace sluice {
namespace {

constexpr std::string_view kPrefix = "slc-";

// Takes a number without leading zeros from the front of `text`, up to `max` and at least `min`.
bool take_number(std::string_view& text, std::uint64_t min, std::uint64_t max,
                 std::uint64_t& out) noexcept {
  if (text.empty() || text[0] < '0' || text[0] > '9') {
    return false;
  }
  if (text[0] == '0' && text.size() > 1 && text[1] >= '0' && text[1] <= '9') {
    return false;
  }
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, out);
  if (error != std::errc{} || out < min || out > max) {
    return false;
  }
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  return true;
}

bool take_dash(std::string_view& text) noexcept {
  if (text.empty() || text[0] != '-') {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

}  // namespace

void ClientOrderId::assign(std::string_view value) noexcept {
  text = {};
  size = 0;
  if (value.size() > text.size()) {
    return;
  }
  std::memcpy(text.data(), value.data(), value.size());
  size = static_cast<std::uint8_t>(value.size());
}

bool is_valid_instance(std::string_view instance) noexcept {
  if (instance.empty() || instance.size() > kMaxInstanceChars) {
    return false;
  }
  for (const char c : instance) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) {
      return false;
    }
  }
  return true;
}

bool encode_client_order_id(std::string_view instance, const IntentId& intent,
                            ClientOrderId& out) noexcept {
  out = {};
  if (!is_valid_instance(instance) || intent.is_none() || intent.sequence == 0 ||
      intent.sequence > kMaxClientSequence) {
    return false;
  }
  char* at = out.text.data();
  char* const end = at + out.text.size();
  std::memcpy(at, kPrefix.data(), kPrefix.size());
  at += kPrefix.size();
  std::memcpy(at, instance.data(), instance.size());
  at += instance.size();
  // The bounds of the parts add up to the room there is, so to_chars cannot run out.
  *at++ = '-';
  at = std::to_chars(at, end, intent.incarnation).ptr;
  *at++ = '-';
  at = std::to_chars(at, end, intent.strategy).ptr;
  *at++ = '-';
  at = std::to_chars(at, end, intent.sequence).ptr;
  out.size = static_cast<std::uint8_t>(at - out.text.data());
  return true;
}
static_assert(4 + kMaxInstanceChars + 1 + 10 + 1 + 5 + 1 + 14 <= kMaxClientOrderIdChars,
              "prefix, instance, incarnation, strategy and sequence with their dashes");

ClientIdClass decode_client_order_id(std::string_view instance, std::string_view text,
                                     IntentId& intent) noexcept {
  const std::size_t head = kPrefix.size() + instance.size();
  if (instance.empty() || text.size() <= head || text.substr(0, kPrefix.size()) != kPrefix ||
      text.substr(kPrefix.size(), instance.size()) != instance || text[head] != '-') {
    return ClientIdClass::kForeign;
  }
  std::string_view rest = text.substr(head);
  std::uint64_t incarnation = 0;
  std::uint64_t strategy = 0;
  std::uint64_t sequence = 0;
  const bool whole = take_dash(rest) &&
                     take_number(rest, 1, std::numeric_limits<std::uint32_t>::max(), incarnation) &&
                     take_dash(rest) &&
                     take_number(rest, 0, std::numeric_limits<std::uint16_t>::max(), strategy) &&
                     take_dash(rest) && take_number(rest, 1, kMaxClientSequence, sequence) &&
                     rest.empty();
  if (!whole) {
    return ClientIdClass::kGarbled;
  }
  intent = {.incarnation = static_cast<std::uint32_t>(incarnation),
            .strategy = static_cast<std::uint16_t>(strategy),
            .reserved = 0,
            .sequence = sequence};
  return ClientIdClass::kOurs;
}

}  // namespace sluice
