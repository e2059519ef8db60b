#include "tools/session_convert/binance_spot.hpp"

#include <simdjson.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <string_view>

#include "common/base/error.hpp"

namespace sluice::convert {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

// The longest line of the capture is the snapshot with 60 KB.
constexpr std::size_t kLineBytesMax = 4 << 20;

struct GzCloser {
  void operator()(gzFile file) const noexcept { gzclose_r(file); }
};
using GzHandle = std::unique_ptr<gzFile_s, GzCloser>;

// A diff that waits for the snapshot, or is being applied.
struct Diff {
  std::uint64_t first_id{0};  // U
  std::uint64_t last_id{0};   // u
  std::int64_t exchange_ns{0};
  std::vector<SessionRecord> levels;
};

class Reader {
 public:
  Reader(const std::string& path, std::uint16_t symbol, std::vector<SessionRecord>& records)
      : path_(path), symbol_(symbol), records_(records) {}

  Summary run();

 private:
  bool next_line(gzFile file);
  void take_line();
  void take_frame(std::string_view stream, const object& data);
  void take_quote(const object& data);
  void take_trade(const object& data);
  void take_diff(const object& data);
  void take_snapshot(const object& snapshot);

  void apply(const Diff& diff);
  void add_levels(const object& from, const char* key, SessionSide side, std::uint64_t id,
                  std::int64_t exchange_ns, std::vector<SessionRecord>& out);
  void check_own_symbol(const object& data);

  [[noreturn]] void fail(const std::string& what) const;
  std::string_view text(const object& from, const char* key) const;
  std::int64_t decimal(std::string_view digits, const char* key) const;
  std::uint64_t number(const object& from, const char* key) const;
  std::int64_t exchange_time(const object& from, const char* key);
  SessionRecord blank(SessionKind kind, SessionSide side, std::uint64_t id) const noexcept;

  const std::string& path_;
  const std::uint16_t symbol_;
  std::vector<SessionRecord>& records_;
  simdjson::dom::parser parser_;
  std::string line_;
  Summary summary_;
  std::int64_t send_ns_{0};
  std::string venue_symbol_;  // of the file's first frame; all others must have it
  std::vector<Diff> held_;    // before the snapshot
  bool joined_{false};        // the snapshot was seen
  bool diff_applied_{false};  // one diff after it, so the chain of ids holds
  std::uint64_t book_id_{0};  // lastUpdateId, then u of the last diff applied
};

void Reader::fail(const std::string& what) const {
  throw Error(ExitCode::kConfig,
              path_ + ": line " + std::to_string(summary_.lines) + ": " + what +
                  "; give an unchanged Binance spot capture as the data manifest lists it");
}

bool Reader::next_line(gzFile file) {
  line_.clear();
  std::array<char, 64 * 1024> chunk{};
  while (gzgets(file, chunk.data(), static_cast<int>(chunk.size())) != nullptr) {
    line_.append(chunk.data());
    if (!line_.empty() && line_.back() == '\n') {
      line_.pop_back();
      return true;
    }
    if (line_.size() > kLineBytesMax) {
      fail("longer than " + std::to_string(kLineBytesMax) + " bytes");
    }
  }
  int code = Z_OK;
  const char* message = gzerror(file, &code);
  // A gzip stream that ends early is Z_BUF_ERROR at its end.
  if (code != Z_OK && code != Z_STREAM_END) {
    throw Error(ExitCode::kConfig, path_ + ": after line " + std::to_string(summary_.lines) +
                                       ": the compressed file is damaged (" + message +
                                       "); compare it with its SHA-256 in the data manifest");
  }
  return !line_.empty();
}

std::string_view Reader::text(const object& from, const char* key) const {
  std::string_view out;
  if (from.at_key(key).get_string().get(out) != simdjson::SUCCESS) {
    fail(std::string("\"") + key + "\" is missing or is no string");
  }
  return out;
}

std::int64_t Reader::decimal(std::string_view digits, const char* key) const {
  std::int64_t raw = 0;
  if (const DecimalStatus status = parse_decimal(digits, raw); status != DecimalStatus::kOk) {
    fail(std::string("\"") + key + "\" is \"" + std::string(digits) +
         "\": " + std::string(describe(status)));
  }
  return raw;
}

std::uint64_t Reader::number(const object& from, const char* key) const {
  std::uint64_t out = 0;
  if (from.at_key(key).get_uint64().get(out) != simdjson::SUCCESS) {
    fail(std::string("\"") + key + "\" is missing or is no whole number");
  }
  return out;
}

// Milliseconds of the exchange's clock as nanoseconds of the recorder's, not after the send.
std::int64_t Reader::exchange_time(const object& from, const char* key) {
  constexpr std::uint64_t kMsMax = 4'102'444'800'000;  // the year 2100
  const std::uint64_t ms = number(from, key);
  if (ms > kMsMax || ms * 1'000'000 <= static_cast<std::uint64_t>(kRecorderLagNs)) {
    fail(std::string("\"") + key + "\" is " + std::to_string(ms) + ", no time in milliseconds");
  }
  const std::int64_t ns = static_cast<std::int64_t>(ms) * 1'000'000 - kRecorderLagNs;
  if (ns > send_ns_) {
    ++summary_.clamped_stamps;
    return send_ns_;
  }
  return ns;
}

SessionRecord Reader::blank(SessionKind kind, SessionSide side, std::uint64_t id) const noexcept {
  SessionRecord record{};
  record.send_ns = send_ns_;
  record.exchange_ns = send_ns_;
  record.symbol = symbol_;
  record.kind = kind;
  record.side = side;
  record.flags = kSessionLastOfEvent;
  record.id = id;
  return record;
}

void Reader::check_own_symbol(const object& data) {
  const std::string_view symbol = text(data, "s");
  if (venue_symbol_.empty()) {
    venue_symbol_ = symbol;
  }
  if (symbol != venue_symbol_) {
    fail("symbol " + std::string(symbol) + ", the lines before were of " + venue_symbol_);
  }
}

void Reader::take_quote(const object& data) {
  SessionRecord record = blank(SessionKind::kQuote, SessionSide::kNone, number(data, "u"));
  record.a = decimal(text(data, "b"), "b");
  record.b = decimal(text(data, "B"), "B");
  record.c = decimal(text(data, "a"), "a");
  record.d = decimal(text(data, "A"), "A");
  ++summary_.quotes;
  summary_.crossed_quotes += record.a >= record.c ? 1 : 0;
  records_.push_back(record);
}

void Reader::take_trade(const object& data) {
  bool buyer_is_maker = false;
  if (data.at_key("m").get_bool().get(buyer_is_maker) != simdjson::SUCCESS) {
    fail("\"m\" is missing or is neither true nor false");
  }
  const SessionSide taker = buyer_is_maker ? SessionSide::kAsk : SessionSide::kBid;
  SessionRecord record = blank(SessionKind::kTrade, taker, number(data, "t"));
  record.exchange_ns = exchange_time(data, "T");
  record.a = decimal(text(data, "p"), "p");
  record.b = decimal(text(data, "q"), "q");
  ++summary_.trades;
  records_.push_back(record);
}

void Reader::add_levels(const object& from, const char* key, SessionSide side, std::uint64_t id,
                        std::int64_t exchange_ns, std::vector<SessionRecord>& out) {
  array levels;
  if (from.at_key(key).get_array().get(levels) != simdjson::SUCCESS) {
    fail(std::string("\"") + key + "\" is missing or is no array");
  }
  for (const element level : levels) {
    std::string_view px;
    std::string_view qty;
    if (level.at(0).get_string().get(px) != simdjson::SUCCESS ||
        level.at(1).get_string().get(qty) != simdjson::SUCCESS) {
      fail(std::string("a level of \"") + key + "\" is no pair of strings");
    }
    SessionRecord record = blank(SessionKind::kDepth, side, id);
    record.exchange_ns = exchange_ns;
    record.flags = 0;
    record.a = decimal(px, key);
    record.b = decimal(qty, key);
    out.push_back(record);
  }
}

void Reader::take_diff(const object& data) {
  Diff diff;
  diff.first_id = number(data, "U");
  diff.last_id = number(data, "u");
  diff.exchange_ns = exchange_time(data, "E");
  add_levels(data, "b", SessionSide::kBid, diff.last_id, diff.exchange_ns, diff.levels);
  add_levels(data, "a", SessionSide::kAsk, diff.last_id, diff.exchange_ns, diff.levels);
  ++summary_.diffs;
  if (joined_) {
    apply(diff);
  } else {
    held_.push_back(std::move(diff));
  }
}

void Reader::take_snapshot(const object& snapshot) {
  if (joined_) {
    fail("a second depth snapshot");
  }
  book_id_ = number(snapshot, "lastUpdateId");
  const std::size_t first = records_.size();
  add_levels(snapshot, "bids", SessionSide::kBid, book_id_, send_ns_, records_);
  add_levels(snapshot, "asks", SessionSide::kAsk, book_id_, send_ns_, records_);
  if (records_.size() == first) {
    fail("an empty depth snapshot");
  }
  for (std::size_t i = first; i < records_.size(); ++i) {
    records_[i].flags = kSessionSnapshot;
  }
  records_.back().flags = kSessionSnapshot | kSessionLastOfEvent;
  summary_.snapshot_levels += records_.size() - first;
  joined_ = true;
  for (Diff& diff : held_) {
    for (SessionRecord& level : diff.levels) {
      level.send_ns = send_ns_;
    }
    apply(diff);
  }
  held_.clear();
}

void Reader::apply(const Diff& diff) {
  if (diff.last_id <= book_id_) {
    ++summary_.diffs_dropped;
    return;
  }
  const bool joins = diff_applied_ ? diff.first_id == book_id_ + 1 : diff.first_id <= book_id_ + 1;
  if (!joins) {
    fail("updates are missing: the diff begins with " + std::to_string(diff.first_id) +
         ", the book stands at " + std::to_string(book_id_));
  }
  book_id_ = diff.last_id;
  diff_applied_ = true;
  if (diff.levels.empty()) {
    return;
  }
  records_.insert(records_.end(), diff.levels.begin(), diff.levels.end());
  records_.back().flags = kSessionLastOfEvent;
  summary_.depth_levels += diff.levels.size();
}

void Reader::take_frame(std::string_view stream, const object& data) {
  check_own_symbol(data);
  const std::string_view channel = stream.substr(std::min(stream.find('@'), stream.size()));
  if (channel == "@bookTicker") {
    take_quote(data);
  } else if (channel == "@trade") {
    take_trade(data);
  } else if (channel == "@depth@100ms") {
    take_diff(data);
  } else {
    fail("stream \"" + std::string(stream) + "\" is not @bookTicker, @trade or @depth@100ms");
  }
}

void Reader::take_line() {
  const std::size_t blank_at = line_.find(' ');
  std::int64_t receive_ns = 0;
  const char* const end = line_.data() + std::min(blank_at, line_.size());
  const auto [stop, error] = std::from_chars(line_.data(), end, receive_ns);
  if (blank_at == std::string::npos || error != std::errc{} || stop != end || receive_ns <= 0) {
    fail("does not start with a receive time in nanoseconds and a blank");
  }
  if (receive_ns < send_ns_) {
    fail("receive time " + std::to_string(receive_ns) + " is before that of the line before");
  }
  send_ns_ = receive_ns;
  element root;
  const auto status =
      parser_.parse(line_.data() + blank_at + 1, line_.size() - blank_at - 1).get(root);
  object frame;
  if (status != simdjson::SUCCESS || root.get_object().get(frame) != simdjson::SUCCESS) {
    fail(std::string("is no JSON object (") + simdjson::error_message(status) + ")");
  }
  object data;
  if (frame.at_key("data").get_object().get(data) == simdjson::SUCCESS) {
    take_frame(text(frame, "stream"), data);
  } else {
    take_snapshot(frame);
  }
  summary_.first_send_ns = summary_.lines == 1 ? send_ns_ : summary_.first_send_ns;
  summary_.last_send_ns = send_ns_;
}

Summary Reader::run() {
  const GzHandle file(gzopen(path_.c_str(), "rb"));
  if (!file) {
    throw Error(ExitCode::kResource,
                path_ + ": cannot open the capture; check the path of --input");
  }
  gzbuffer(file.get(), 256 * 1024);
  while (next_line(file.get())) {
    ++summary_.lines;
    take_line();
  }
  if (!joined_) {
    fail("the file ended without a depth snapshot, so its diffs cannot be joined");
  }
  return summary_;
}

}  // namespace

Summary read_binance_spot(const std::string& path, std::uint16_t symbol,
                          std::vector<SessionRecord>& records) {
  return Reader(path, symbol, records).run();
}

Session convert_binance_spot(const std::vector<Input>& inputs,
                             const std::vector<SessionSymbol>& symbols,
                             const std::string& attribution, std::vector<Summary>& summaries) {
  Session session;
  session.symbols = symbols;
  session.attribution = attribution;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    summaries.push_back(
        read_binance_spot(inputs[i].path, static_cast<std::uint16_t>(i), session.records));
  }
  // Stable: equal stamps keep the order of the file and, between files, of the inputs; so the
  // levels of one event stay together.
  std::stable_sort(
      session.records.begin(), session.records.end(),
      [](const SessionRecord& x, const SessionRecord& y) { return x.send_ns < y.send_ns; });
  return session;
}

const SessionSymbol* known_symbol(const std::string& symbol) {
  constexpr std::int64_t kCent = 10'000'000;  // 0.01
  constexpr std::int64_t kLot = 10'000;       // 0.00001
  static const std::array<SessionSymbol, 2> known{
      SessionSymbol{"BTC/USD", Price{kCent}, Qty{kLot}, Qty{100'000}},    // 0.0001
      SessionSymbol{"ETH/USD", Price{kCent}, Qty{kLot}, Qty{1'000'000}},  // 0.001
  };
  for (const SessionSymbol& candidate : known) {
    if (candidate.symbol == symbol) {
      return &candidate;
    }
  }
  return nullptr;
}

}  // namespace sluice::convert
