// Alpaca's order stream (`/stream`): frames to plain records, and the two requests a client sends.
//
// Who: the gateway's network thread; one decoder per connection's thread. The paper venue sends its
// JSON in binary frames, the live one in text frames: the bytes are the same and so is the decoder.
//  1. A message is used only when decode() says kOk; `kind` then tells which members hold.
//  2. price and qty of a fill are of this execution; the order's filled_qty is cumulative; the
//     position is the account's, signed, after it.
//  3. Nothing allocates after construction.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include "common/venue/alpaca/order.hpp"

namespace sluice::venue::alpaca {

// The venue's words for `event`.
enum class UpdateEvent : std::uint8_t {
  kUnrecognised = 0,  // a word this codec does not know: it may have moved money
  kPendingNew,
  kAccepted,
  kNew,
  kHeld,
  kPartialFill,
  kFill,
  kCanceled,
  kExpired,
  kRejected,
  kReplaced,  // `order` is the old one; the successor comes with its own kNew
  kDoneForDay,
  kStopped,
  kSuspended,
  kCalculated,
  kPendingCancel,
  kPendingReplace,
  kCancelRejected,   // the order lives on
  kReplaceRejected,  // the order lives on
  kRestated,
  kTradeBust,
  kTradeCorrect,
};
[[nodiscard]] std::string_view to_string(UpdateEvent event) noexcept;
[[nodiscard]] constexpr bool is_fill(UpdateEvent event) noexcept {
  return event == UpdateEvent::kFill || event == UpdateEvent::kPartialFill;
}

struct TradeUpdate {
  UpdateEvent event{UpdateEvent::kUnrecognised};
  bool has_position{false};
  OrderSnapshot order{};
  Id128 execution_id{};      // always on fills; zero: none told
  Price price{};             // fills
  Qty qty{};                 // fills; above zero
  std::int64_t position{0};  // signed, 1e-9, when has_position
  WallNanos timestamp{};     // always on fills; zero: none told
};
static_assert(std::is_trivially_copyable_v<TradeUpdate>);

enum class StreamKind : std::uint8_t {
  kTradeUpdate,  // `update`
  kAuthorized,
  kUnauthorized,  // refused credentials, or `listen` before authorisation: `text` is the action
  kListening,     // `listens` says whether trade_updates is in the set now in force
  kError,         // `text`
  kHeartbeat,     // the one-byte frame some gateways send
};

struct StreamMessage {
  StreamKind kind{StreamKind::kHeartbeat};
  bool listens{false};
  FixedText<160> text{};
  TradeUpdate update{};
};
static_assert(std::is_trivially_copyable_v<StreamMessage>);

class TradingStreamDecoder {
 public:
  static constexpr std::size_t kFrameBytesMax = 256 * 1024;  // an order with legs is below 16 KB

  // Keeps a copy of the table. Throws std::bad_alloc only.
  explicit TradingStreamDecoder(const SymbolTable& symbols,
                                std::size_t frame_bytes_max = kFrameBytesMax);

  // Reads one frame; `out` is written only on kOk. No padding needed: the frame is copied.
  // kUnknownKind: a stream this codec does not know.
  [[nodiscard]] DecodeStatus decode(std::string_view frame, StreamMessage& out) noexcept;

  [[nodiscard]] const DecodeCounters& counters() const noexcept { return counters_; }
  // What the last refused frame could say about itself.
  [[nodiscard]] const DecodeFault& last_fault() const noexcept { return fault_; }

 private:
  void read_frame(std::string_view frame, StreamMessage& out) noexcept;
  void read_authorization(const JsonNode& data, StreamMessage& out) noexcept;
  void read_listening(const JsonNode& data, StreamMessage& out) noexcept;
  void read_error(const JsonNode& data, StreamMessage& out) noexcept;
  void read_update(const JsonNode& data, TradeUpdate& out) noexcept;

  SymbolTable symbols_;
  JsonTree tree_;
  DecodeCounters counters_{};
  DecodeFault fault_{};
};

// The client's requests, written into the caller's buffer. The length, or 0 when the buffer is too
// small or a text contains what would need escaping.
[[nodiscard]] std::size_t encode_authenticate(std::string_view key_id, std::string_view secret,
                                              std::span<char> out) noexcept;
[[nodiscard]] std::size_t encode_listen_trade_updates(std::span<char> out) noexcept;

}  // namespace sluice::venue::alpaca
