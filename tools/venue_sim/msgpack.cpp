#include "tools/venue_sim/msgpack.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <nlohmann/json.hpp>

#include "common/base/error.hpp"
#include "common/base/time.hpp"

namespace sluice::sim {
namespace {

using Json = nlohmann::json;

constexpr int kMaxDepth = 8;                        // a request is three levels deep
constexpr std::int64_t kTimestampExtension = 0xFF;  // type -1

// p o h l c u d, ap bp op cp vw: the keys whose numbers are prices.
constexpr bool is_price_key(std::string_view key) noexcept {
  if (key.size() == 1) {
    return std::string_view("pohlcud").find(key[0]) != std::string_view::npos;
  }
  return key.size() == 2 && (key[1] == 'p' || key == "vw");
}

// Big-endian, the order of every msgpack number.
void append_be(std::string& out, std::uint64_t value, std::size_t bytes) {
  char chars[8];
  for (std::size_t i = 0; i < bytes; ++i) {
    chars[i] = static_cast<char>(value >> (8 * (bytes - 1 - i)) & 0xFF);
  }
  out.append(chars, bytes);
}

void append_tagged(std::string& out, unsigned tag, std::uint64_t value, std::size_t bytes) {
  char chars[9];
  chars[0] = static_cast<char>(tag);
  for (std::size_t i = 0; i < bytes; ++i) {
    chars[i + 1] = static_cast<char>(value >> (8 * (bytes - 1 - i)) & 0xFF);
  }
  out.append(chars, bytes + 1);
}

void append_unsigned(std::string& out, std::uint64_t value) {
  if (value < 0x80) {
    out.push_back(static_cast<char>(value));
  } else if (value <= 0xFF) {
    append_tagged(out, 0xCC, value, 1);
  } else if (value <= 0xFFFF) {
    append_tagged(out, 0xCD, value, 2);
  } else if (value <= 0xFFFFFFFF) {
    append_tagged(out, 0xCE, value, 4);
  } else {
    append_tagged(out, 0xCF, value, 8);
  }
}

void append_negative(std::string& out, std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  if (value >= -32) {
    out.push_back(static_cast<char>(bits & 0xFF));
  } else if (value >= INT32_MIN) {
    append_tagged(out, 0xD2, bits & 0xFFFFFFFF, 4);
  } else {
    append_tagged(out, 0xD3, bits, 8);
  }
}

void append_string(std::string& out, std::string_view text) {
  if (text.size() < 32) {
    out.push_back(static_cast<char>(0xA0 | text.size()));
  } else if (text.size() <= 0xFF) {
    append_tagged(out, 0xD9, text.size(), 1);
  } else {
    append_tagged(out, 0xDB, text.size(), 4);
  }
  out.append(text);
}

// The three forms of the timestamp extension, the shortest that fits.
void append_timestamp(std::string& out, WallNanos at) {
  std::int64_t seconds = at.ns / kNanosPerSecond;
  std::int64_t nanos = at.ns % kNanosPerSecond;
  if (nanos < 0) {
    nanos += kNanosPerSecond;
    --seconds;
  }
  const auto s = static_cast<std::uint64_t>(seconds);
  const auto n = static_cast<std::uint64_t>(nanos);
  if (s >> 34 != 0) {  // 96 bits: also everything before 1970
    append_tagged(out, 0xC7, 12, 1);
    append_be(out, kTimestampExtension, 1);
    append_be(out, n, 4);
    append_be(out, s, 8);
  } else if (n != 0 || s >> 32 != 0) {
    append_tagged(out, 0xD7, kTimestampExtension, 1);
    append_be(out, n << 34 | s, 8);
  } else {
    append_tagged(out, 0xD6, kTimestampExtension, 1);
    append_be(out, s, 4);
  }
}

// One pass over the text; containers get their length when they are complete.
class Transcoder {
 public:
  Transcoder(std::string& out, std::string_view json, MsgpackTimes times) noexcept
      : out_(out), left_(json), times_(times) {}

  void run() {
    value({});
    require(left_.empty());
  }

 private:
  static void require(bool holds) {
    SLUICE_ASSERT(holds, "what the simulator encodes is compact, well-formed JSON");
  }
  [[nodiscard]] bool next_is(char c) const noexcept { return !left_.empty() && left_[0] == c; }
  bool take(char c) noexcept {
    if (!next_is(c)) {
      return false;
    }
    left_.remove_prefix(1);
    return true;
  }

  void value(std::string_view key) {
    require(!left_.empty());
    switch (left_[0]) {
      case '{':
        container('}', true);
        return;
      case '[':
        container(']', false);
        return;
      case '"':
        text_value(key);
        return;
      case 't':
        literal("true", 0xC3);
        return;
      case 'f':
        literal("false", 0xC2);
        return;
      case 'n':
        literal("null", 0xC0);
        return;
      default:
        number(key);
    }
  }

  void literal(std::string_view word, unsigned tag) {
    require(left_.starts_with(word));
    left_.remove_prefix(word.size());
    out_.push_back(static_cast<char>(tag));
  }

  void container(char end, bool map) {
    left_.remove_prefix(1);
    const std::size_t head = out_.size();
    out_.push_back(0);
    std::size_t count = 0;
    while (!take(end)) {
      require(count == 0 || take(','));
      std::string_view key;
      if (map) {
        require(next_is('"'));
        key = raw_text();
        append_string(out_, key);  // keys are this program's own and carry no escape
        require(take(':'));
      }
      value(key);
      ++count;
    }
    if (count < 16) {
      out_[head] = static_cast<char>((map ? 0x80 : 0x90) | count);
      return;
    }
    std::string wide;
    append_tagged(wide, map ? 0xDF : 0xDD, count, 4);
    out_.replace(head, 1, wide);
  }

  // The text between the quotes as it is written, escapes included.
  std::string_view raw_text() {
    std::size_t end = 1;
    escaped_ = false;
    while (end < left_.size() && left_[end] != '"') {
      const bool escape = left_[end] == '\\';
      escaped_ = escaped_ || escape;
      end += escape ? 2U : 1U;
    }
    require(end < left_.size());
    const std::string_view text = left_.substr(1, end - 1);
    left_.remove_prefix(end + 1);
    return text;
  }

  void text_value(std::string_view key) {
    const std::string_view text = raw_text();
    WallNanos at{};
    if (times_ == MsgpackTimes::kMarketData && key == "t" && parse_rfc3339(text, at)) {
      append_timestamp(out_, at);
    } else if (!escaped_) {
      append_string(out_, text);
    } else {
      append_string(out_, unescaped(text));
    }
  }

  // JsonWriter escapes quote, backslash and control characters, nothing else.
  static std::string unescaped(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '\\') {
        plain.push_back(text[i]);
      } else if (text[i + 1] == 'u') {
        unsigned code = 0;
        std::from_chars(text.data() + i + 2, text.data() + std::min(i + 6, text.size()), code, 16);
        plain.push_back(static_cast<char>(code));
        i += 5;
      } else {
        plain.push_back(text[++i]);
      }
    }
    return plain;
  }

  void number(std::string_view key) {
    std::size_t size = 0;
    bool fraction = false;
    for (; size < left_.size() && left_[size] != ',' && left_[size] != '}' && left_[size] != ']';
         ++size) {
      fraction = fraction || left_[size] == '.' || left_[size] == 'e' || left_[size] == 'E';
    }
    const char* begin = left_.data();
    const char* end = begin + size;
    const bool price = times_ == MsgpackTimes::kMarketData && is_price_key(key);
    std::from_chars_result read{};
    if (fraction || price) {
      double real = 0;
      read = std::from_chars(begin, end, real);
      append_tagged(out_, 0xCB, std::bit_cast<std::uint64_t>(real), 8);
    } else if (next_is('-')) {
      std::int64_t whole = 0;
      read = std::from_chars(begin, end, whole);
      append_negative(out_, whole);
    } else {
      std::uint64_t whole = 0;
      read = std::from_chars(begin, end, whole);
      append_unsigned(out_, whole);
    }
    require(size > 0 && read.ec == std::errc{} && read.ptr == end);
    left_.remove_prefix(size);
  }

  std::string& out_;
  std::string_view left_;
  bool escaped_{false};  // the text read last has escapes
  MsgpackTimes times_;
};

// Sees the values of a msgpack text without keeping them; stops at what is nested too deep. The
// library's own reader is recursive: 64 KiB of array heads would end its stack.
class DepthGuard final : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return ++depth_ <= kMaxDepth; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return --depth_ >= 0; }
  bool start_array(std::size_t) override { return ++depth_ <= kMaxDepth; }
  bool end_array() override { return --depth_ >= 0; }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override {
    return false;
  }

 private:
  int depth_{0};
};

}  // namespace

bool asks_for_msgpack(std::string_view content_type) noexcept {
  return content_type == "application/msgpack" || content_type.starts_with("application/msgpack;");
}

void append_msgpack(std::string& out, std::string_view json, MsgpackTimes times) {
  Transcoder(out, json, times).run();
}

void write_msgpack_array_head(char* out, std::size_t count) noexcept {
  SLUICE_ASSERT(count <= 0xFFFF, "a batch has few messages");
  out[0] = static_cast<char>(0xDC);
  out[1] = static_cast<char>(count >> 8);
  out[2] = static_cast<char>(count & 0xFF);
}

Json parse_client_message(std::string_view payload, bool msgpack) {
  if (!msgpack) {
    return Json::parse(payload, nullptr, false);
  }
  DepthGuard guard;
  if (!Json::sax_parse(payload, &guard, Json::input_format_t::msgpack)) {
    return Json(Json::value_t::discarded);
  }
  return Json::from_msgpack(payload, true, false);
}

}  // namespace sluice::sim
