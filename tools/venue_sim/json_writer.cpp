#include "tools/venue_sim/json_writer.hpp"

#include <charconv>

namespace sluice::sim {

JsonWriter& JsonWriter::text(std::string_view value) {
  static constexpr char kHex[] = "0123456789abcdef";
  separate();
  out_.push_back('"');
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out_.push_back('\\');
      out_.push_back(c);
    } else if (byte < 0x20) {
      out_.append("\\u00");
      out_.push_back(kHex[byte >> 4]);
      out_.push_back(kHex[byte & 15]);
    } else {
      out_.push_back(c);
    }
  }
  out_.push_back('"');
  return *this;
}

JsonWriter& JsonWriter::integer(std::int64_t value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  return raw({digits, static_cast<std::size_t>(end - digits)});
}

JsonWriter& JsonWriter::decimal_text(std::int64_t value) {
  char digits[kMaxDecimalChars + 2];
  digits[0] = '"';
  const std::size_t length = format_decimal(value, digits + 1);
  digits[length + 1] = '"';
  return raw({digits, length + 2});
}

JsonWriter& JsonWriter::decimal_number(std::int64_t value) {
  char digits[kMaxDecimalChars];
  return raw({digits, format_decimal(value, digits)});
}

JsonWriter& JsonWriter::uuid(const Id128& id) {
  char chars[kUuidChars + 2];
  chars[0] = '"';
  format_uuid(id, chars + 1);
  chars[kUuidChars + 1] = '"';
  return raw({chars, sizeof chars});
}

JsonWriter& JsonWriter::time(WallNanos at) {
  char chars[kMaxRfc3339Chars + 2];
  chars[0] = '"';
  const std::size_t length = format_rfc3339(at, chars + 1);
  chars[length + 1] = '"';
  return raw({chars, length + 2});
}

}  // namespace sluice::sim
