// A recorded market session in the project's compact file format: header, reader and writer.
//
// Who: the simulator (plays it), the converter (writes it), the tests and the judges. Start-up code
// of any thread; nothing here belongs on a hot path. The library depends on common/base and zlib
// only, because the simulator may share nothing else with the trading side.
//
// The file, all integers little-endian: `kSessionHeaderBytes` of header, one symbol entry of 64
// bytes each, and one zlib stream (RFC 1950) that inflates to `record_count` records of 64 bytes:
//
//   offset  bytes  header field
//        0      8  magic "SLUSESS1"
//        8      4  version (2)
//       12      4  record_bytes (64)
//       16      8  record_count
//       24      8  first_send_ns   send_ns of the first record
//       32      8  last_send_ns    send_ns of the last record
//       40      4  body_crc32c     of the records as they are before compression
//       44      4  symbol_count    1..4096
//       48      8  compressed_bytes; the file is exactly header + symbols + this
//       56      4  header_crc32c   of the 4096 header bytes with this field zero
//       60      4  symbols_crc32c  of the symbol entries
//       64   3008  reserved, zero
//     3072   1024  attribution: UTF-8, zero-padded
//
// A symbol entry: {char symbol[24] zero-padded, i64 price_increment, i64 qty_increment,
// i64 min_order_qty, i64 previous_close, u8 asset_class, char tape, u8 flags, 5 bytes zero}.
//
// Invariants of every session that `load_session` returns or `save_session` accepts:
//   1. send_ns never decreases; exchange_ns is never later than send_ns.
//   2. Every record names a symbol of the table, a known kind and side, known flags; reserved bytes
//      are zero; ids are positive.
//   3. Crypto: prices are positive multiples of the symbol's tick; quote and trade quantities are
//      positive; a depth quantity is >= 0 and 0 removes the level. Quantities need not be multiples
//      of the increment: it binds orders, and a few recorded depth sizes are finer.
//      Equities: prices are multiples of 0.0001 (prints between the ticks exist); a quote's side
//      may be absent (price and quantity 0), and quotes may be locked or crossed, as they were.
//   4. Records of one event (a depth diff, a snapshot) are adjacent and of one symbol, carry the
//      same stamps and id, and the last of them - only the last - has `kSessionLastOfEvent`.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "common/base/fixed.hpp"

namespace sluice {

static_assert(std::endian::native == std::endian::little,
              "session records are copied to and from the file as they lie in memory");

inline constexpr char kSessionMagic[8] = {'S', 'L', 'U', 'S', 'E', 'S', 'S', '1'};
inline constexpr std::uint32_t kSessionVersion = 2;
inline constexpr std::size_t kSessionHeaderBytes = 4096;
inline constexpr std::size_t kSessionSymbolsMax = 4096;
inline constexpr std::size_t kSessionSymbolBytes = 64;
inline constexpr std::size_t kSessionSymbolChars = 23;  // the 24th byte stays zero
inline constexpr std::size_t kSessionAttributionChars = 1023;
// 1 GiB of records. A larger count in a header is refused before anything is allocated.
inline constexpr std::uint64_t kSessionRecordsMax = 1ULL << 24;

enum class SessionKind : std::uint8_t { kQuote = 1, kTrade = 2, kDepth = 3, kStatus = 4 };

// Depth: the side of the book. Trade: what the taker did, so kBid is a buy; equity prints do not
// say (kNone). Quote, status: kNone.
enum class SessionSide : std::uint8_t { kNone = 0, kBid = 1, kAsk = 2 };

inline constexpr std::uint8_t kSessionLastOfEvent = 1;
inline constexpr std::uint8_t kSessionSnapshot = 2;  // part of a full book that replaces all levels

// What a print was besides a regular one; equities only.
inline constexpr std::uint8_t kSessionOddLot = 1;
inline constexpr std::uint8_t kSessionExtendedHours = 2;
inline constexpr std::uint8_t kSessionIntermarketSweep = 4;
inline constexpr std::uint8_t kSessionOpening = 8;
inline constexpr std::uint8_t kSessionClosing = 16;
inline constexpr std::uint8_t kSessionTradeThroughExempt = 32;

// Trading status of an equity from this record on.
enum class SessionStatus : std::uint8_t {
  kHalt = 1,
  kVolatilityPause = 2,
  kQuoteResume = 3,  // quotes again, no trades yet
  kResume = 4,
};

enum class SessionAssetClass : std::uint8_t { kCrypto = 1, kUsEquity = 2 };

// Properties of an equity; a crypto pair has none of them set.
inline constexpr std::uint8_t kSessionShortable = 1;
inline constexpr std::uint8_t kSessionFractionable = 2;
inline constexpr std::uint8_t kSessionEasyToBorrow = 4;
inline constexpr std::uint8_t kSessionMarginable = 8;

struct SessionQuote {
  Price bid_px;
  Qty bid_qty;
  Price ask_px;
  Qty ask_qty;
};

struct SessionLevel {  // a trade's print or a depth level
  Price px;
  Qty qty;
};

struct SessionRecord {
  std::int64_t send_ns;      // when the recorder received it; the simulator sends it at this time
  std::int64_t exchange_ns;  // the venue's own stamp on the recorder's clock, <= send_ns
  std::uint16_t symbol;      // index in Session::symbols
  SessionKind kind;
  SessionSide side;
  std::uint8_t flags;
  char exchange;            // equities: the SIP's letter; otherwise 0
  std::uint8_t conditions;  // equity trades, else 0
  std::uint8_t reserved;
  std::int64_t a;    // quote: bid_px   trade, depth: px   status: SessionStatus
  std::int64_t b;    // quote: bid_qty  trade, depth: qty
  std::int64_t c;    // quote: ask_px   else 0
  std::int64_t d;    // quote: ask_qty  else 0
  std::uint64_t id;  // trade: trade id. others: the venue's update number

  [[nodiscard]] SessionQuote quote() const noexcept { return {Price{a}, Qty{b}, Price{c}, Qty{d}}; }
  [[nodiscard]] SessionLevel level() const noexcept { return {Price{a}, Qty{b}}; }
  [[nodiscard]] SessionStatus status() const noexcept { return static_cast<SessionStatus>(a); }
  [[nodiscard]] bool last_of_event() const noexcept { return (flags & kSessionLastOfEvent) != 0; }
  [[nodiscard]] bool snapshot() const noexcept { return (flags & kSessionSnapshot) != 0; }
};
static_assert(sizeof(SessionRecord) == 64 && alignof(SessionRecord) == 8,
              "the file format: bump kSessionVersion");
static_assert(std::is_trivially_copyable_v<SessionRecord> &&
              std::is_standard_layout_v<SessionRecord> &&
              std::has_unique_object_representations_v<SessionRecord>);
static_assert(offsetof(SessionRecord, symbol) == 16 && offsetof(SessionRecord, a) == 24 &&
              offsetof(SessionRecord, id) == 56);

struct SessionSymbol {
  std::string symbol;     // as the venue's order interface names it: "BTC/USD", "IBM"
  Price price_increment;  // the tick
  Qty qty_increment;      // the lot step
  Qty min_order_qty;
  Price previous_close{};  // equities, 0 = not known
  SessionAssetClass asset_class{SessionAssetClass::kCrypto};
  char tape{0};           // equities: 'A' NYSE, 'B' other listings, 'C' Nasdaq
  std::uint8_t flags{0};  // kSessionShortable…
};

struct Session {
  std::vector<SessionSymbol> symbols;
  std::string attribution;
  std::vector<SessionRecord> records;

  // Zero when there are no records.
  [[nodiscard]] std::int64_t first_send_ns() const noexcept {
    return records.empty() ? 0 : records.front().send_ns;
  }
  [[nodiscard]] std::int64_t last_send_ns() const noexcept {
    return records.empty() ? 0 : records.back().send_ns;
  }
};

// Reads and validates the whole file; memory is bounded by what the file's size can hold.
// Throws Error: kResource when the file cannot be opened or read, kConfig when its content breaks
// the format. Either message names the file, the offset, the value and the remedy.
[[nodiscard]] Session load_session(const std::string& path);

// Writes `path` through a temporary file beside it and a rename, so that a reader never sees half a
// session. The same session gives the same bytes. Throws Error: kBug when the session breaks an
// invariant above (a converter's fault), kResource when the file cannot be written.
void save_session(const std::string& path, const Session& session);

}  // namespace sluice
