// Alpaca's market data stream (JSON): from the bytes of one frame to MarketEvents.
//
// Who: the feed-handler's loop; one thread per decoder. No sockets, no clock: the caller gives the
// time of receipt. Source of the formats: Alpaca's real-time data documentation (crypto v1beta3,
// stocks v2). Sizes of stocks are shares (round lots until 2025-11-03); letters of exchanges and
// tapes and conditions are read past.
//  1. receive_ns strictly increases over all events of a decoder: the first event of a frame gets
//     the frame's time or one more than the last stamp given out, each further one +1 ns. Events
//     that the feed-handler makes itself (gap, session) take their stamp from `next_stamp`.
//  2. Elements of a frame stand alone. A message with a missing, doubled, mistyped or impossible
//     field is counted and left out; the others are published. From the first structural error on
//     the rest of the frame is dropped and counted; what came before it is published.
//  3. All levels of one book message are published, or none.
//  4. Numbers are exact (1e-9) or refused. Crossed and one-sided quotes are data and pass; prices
//     and sizes below zero, and prints of nothing, are refused.
//  5. A status whose code is not known is published as kUnknown: no new risk until a known one
//     resumes trading. Bars, price bands, corrections, busts, imbalances and news are counted and
//     skipped.
//  6. After construction nothing allocates, throws or calls the system.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "common/messages/market_event.hpp"
#include "common/venue/decode_status.hpp"
#include "common/venue/fixed_text.hpp"
#include "common/venue/json_tree.hpp"
#include "common/venue/symbol_table.hpp"

namespace sluice::venue::alpaca {

struct MarketDataOptions {
  std::uint16_t feed{0};                    // MarketEvent::source
  std::size_t frame_bytes_max{256 * 1024};  // larger frames are refused; a full book of a
                                            // busy pair is below 100 KB
  std::size_t levels_max{4096};             // of one book message, both sides together
  bool fast_path{true};                     // false: every message on the general path; for
                                            // comparing the two
};

enum class ControlKind : std::uint8_t {
  kConnected,      // the greeting; authentication may follow
  kAuthenticated,  // subscriptions may follow
  kSubscription,   // the full set now in force
  kError,  // `code` and `text`; the venue's table is in its documentation (402, 404, 406…)
  kOther,  // a success with another text
};

// How many symbols of our table one list of a subscription names, and whether it names all ("*").
struct SubscribedSet {
  std::uint32_t known{0};
  std::uint32_t unknown{0};
  bool all{false};
};

struct ControlMessage {
  ControlKind kind{ControlKind::kOther};
  std::int32_t code{0};
  FixedText<96> text{};
  SubscribedSet quotes{};
  SubscribedSet trades{};
  SubscribedSet orderbooks{};
  SubscribedSet statuses{};
};

struct MarketDataCounters {
  std::uint64_t frames{0};
  std::uint64_t frames_refused{0};    // oversize, empty or not an array: nothing of it was used
  std::uint64_t frames_cut_short{0};  // a structural error: the rest was dropped
  std::uint64_t messages{0};          // elements seen, of any type
  std::uint64_t quotes{0};
  std::uint64_t trades{0};
  std::uint64_t books{0};
  std::uint64_t levels{0};  // depth events
  std::uint64_t statuses{0};
  std::uint64_t unknown_statuses{0};  // of these: with a code that is not known
  std::uint64_t control{0};
  std::uint64_t skipped{0};       // known types that nothing here uses: bars, bands, corrections…
  std::uint64_t unknown_type{0};  // what the venue adds later
  std::uint64_t unknown_symbol{0};
  std::uint64_t general_path{0};  // messages not in the usual form; a rate for tuning only
  DecodeCounters bad{};           // messages left out, by reason
};

class MarketDataDecoder {
 public:
  // Keeps a copy of the table. Throws std::bad_alloc only.
  MarketDataDecoder(const SymbolTable& symbols, const MarketDataOptions& options);
  ~MarketDataDecoder();
  MarketDataDecoder(const MarketDataDecoder&) = delete;
  MarketDataDecoder& operator=(const MarketDataDecoder&) = delete;

  // Calls on_event(const MarketEvent&) for each event in the order of the frame and
  // on_control(const ControlMessage&) for each control message. Both must be noexcept in effect.
  // Required: kJsonPadding readable bytes after the frame.
  //
  // A book message makes one kDepth event per level (bids first), `level` its index within its
  // side, all flagged kSnapshot when the message resets the book, the last flagged kLastOfEvent.
  // A reset without levels is one event of px 0, qty 0, side 0: the book is empty.
  // Quotes, trades and statuses are events of their own and carry kLastOfEvent.
  //
  // kOk: the frame was read to its end (single messages may have been left out, see counters).
  // kEmpty, kOversize, kWrongShape: nothing was used. kMalformed, kTooDeep, kTooMany: the rest was
  // dropped.
  template <class OnEvent, class OnControl>
  DecodeStatus decode(std::string_view padded_frame, MonoNanos receive_ns, OnEvent&& on_event,
                      OnControl&& on_control) noexcept {
    Step step = begin(padded_frame, receive_ns);
    for (; step != Step::kEnd; step = advance()) {
      if (step == Step::kEvents) {
        for (const MarketEvent& event : events()) {
          on_event(event);
        }
      } else {
        on_control(control_);
      }
    }
    return status_;
  }

  // The stamp for an event that does not come from a frame; keeps rule 1.
  [[nodiscard]] MonoNanos next_stamp(MonoNanos now) noexcept {
    last_stamp_.ns = now.ns > last_stamp_.ns ? now.ns : last_stamp_.ns + 1;
    return last_stamp_;
  }

  [[nodiscard]] const MarketDataCounters& counters() const noexcept { return counters_; }

  // Of the last message left out or frame cut short, for one log line.
  [[nodiscard]] const DecodeFault& last_fault() const noexcept { return fault_; }

 private:
  enum class Step : std::uint8_t { kEvents, kControl, kEnd };
  enum class Taken : std::uint8_t { kEvents, kControl, kNothing, kBroken };

  [[nodiscard]] std::span<const MarketEvent> events() const noexcept {
    return {events_.get(), event_count_};
  }

  [[nodiscard]] Step begin(std::string_view frame, MonoNanos receive_ns) noexcept;
  [[nodiscard]] Step advance() noexcept;
  [[nodiscard]] Step refuse(DecodeStatus status) noexcept;
  void move_past(const char* after) noexcept;
  void finish(const char* after) noexcept;
  void cut_short(DecodeStatus status) noexcept;

  // The usual forms, exactly as the venue writes them. Null: not in that form.
  [[nodiscard]] const char* take_usual(const char* p) noexcept;
  [[nodiscard]] const char* take_usual_quote(const char* p) noexcept;
  [[nodiscard]] const char* take_usual_trade(const char* p) noexcept;
  [[nodiscard]] const char* take_usual_stock_quote(const char* p,
                                                   std::uint32_t instrument) noexcept;
  [[nodiscard]] const char* take_usual_stock_trade(const char* p) noexcept;
  [[nodiscard]] const char* take_usual_book(const char* p) noexcept;
  [[nodiscard]] bool scan_symbol(const char*& p, std::uint32_t& instrument) const noexcept;
  [[nodiscard]] bool scan_time(const char*& p, WallNanos& out) noexcept;
  [[nodiscard]] bool scan_quote_tail(const char*& p) const noexcept;
  [[nodiscard]] bool scan_trade_tail(const char*& p) const noexcept;
  [[nodiscard]] bool scan_conditions(const char*& p) const noexcept;
  [[nodiscard]] bool scan_levels(const char*& p, std::uint64_t side, std::size_t& count) noexcept;

  // Any form.
  [[nodiscard]] Taken take_any(std::string_view element) noexcept;
  [[nodiscard]] Taken take_quote(const JsonNode& object) noexcept;
  [[nodiscard]] Taken take_trade(const JsonNode& object) noexcept;
  [[nodiscard]] Taken take_book(const JsonNode& object) noexcept;
  [[nodiscard]] Taken take_status(const JsonNode& object) noexcept;
  [[nodiscard]] Taken take_control(const JsonNode& object, ControlKind kind) noexcept;
  void read_levels(const JsonNode* levels, Side side, std::size_t& count,
                   DecodeFault& fault) noexcept;
  [[nodiscard]] Taken leave_out(const DecodeFault& fault) noexcept;
  // False when the message is left out: a fault, or a symbol that is not ours.
  template <class Message>
  [[nodiscard]] bool resolve(const Message& message, DecodeFault& fault,
                             std::uint32_t& instrument) noexcept;

  void fill(MarketEvent& event, std::uint8_t flags, std::uint32_t instrument,
            WallNanos exchange_ns) noexcept;
  void publish(std::uint32_t instrument, WallNanos exchange_ns, const Quote& quote) noexcept;
  void publish(std::uint32_t instrument, WallNanos exchange_ns, const Trade& trade) noexcept;
  void publish(std::uint32_t instrument, WallNanos exchange_ns, const StatusMark& mark) noexcept;
  void publish_book(std::uint32_t instrument, WallNanos exchange_ns, std::size_t count,
                    bool reset) noexcept;

  SymbolTable symbols_;
  MarketDataOptions options_;
  JsonTree tree_;
  std::unique_ptr<MarketEvent[]> events_;
  std::size_t event_count_{0};
  ControlMessage control_{};
  MonoNanos last_stamp_{};
  MonoNanos receive_ns_{};
  const char* at_{nullptr};   // the element to read next
  const char* end_{nullptr};  // of the frame
  DecodeStatus status_{DecodeStatus::kOk};
  // The minute of the last stamp read ("2026-11-20T12:00") and its first nanosecond: consecutive
  // stamps share it, and the calendar is worked out once a minute.
  std::uint64_t minute_text_[2]{};
  std::int64_t minute_ns_{0};
  MarketDataCounters counters_{};
  DecodeFault fault_{};
};

}  // namespace sluice::venue::alpaca
