// TextWriter: appends to a caller's buffer; running out of room is remembered, not undefined.
#pragma once

#include <array>
#include <cstring>
#include <span>
#include <string_view>

#include "common/base/fixed.hpp"
#include "common/base/id.hpp"
#include "common/base/time.hpp"

namespace sluice::venue {

class TextWriter {
 public:
  explicit TextWriter(std::span<char> out) noexcept : out_(out) {}

  TextWriter& put(std::string_view text) noexcept {
    if (text.size() > out_.size() - size_) {
      failed_ = true;
      return *this;
    }
    if (!text.empty()) {
      std::memcpy(out_.data() + size_, text.data(), text.size());
    }
    size_ += text.size();
    return *this;
  }

  TextWriter& decimal(std::int64_t raw) noexcept {
    std::array<char, kMaxDecimalChars> text;
    return put({text.data(), format_decimal(raw, text.data())});
  }

  TextWriter& number(std::uint64_t value) noexcept {
    std::array<char, 20> text;
    std::size_t at = text.size();
    do {
      text[--at] = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value != 0);
    return put({text.data() + at, text.size() - at});
  }

  TextWriter& uuid(const Id128& id) noexcept {
    std::array<char, kUuidChars> text;
    format_uuid(id, text.data());
    return put({text.data(), text.size()});
  }

  TextWriter& time(WallNanos at) noexcept {
    std::array<char, kMaxRfc3339Chars> text;
    return put({text.data(), format_rfc3339(at, text.data())});
  }

  // For our own identities and the venue's symbols, none of which needs escaping: a character that
  // does would be somebody else's, and is refused.
  TextWriter& json_text(std::string_view text) noexcept {
    for (const char c : text) {
      if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e ||
          c == '"' || c == '\\') {
        failed_ = true;
      }
    }
    return put("\"").put(text).put("\"");
  }

  // Percent-encodes everything but the unreserved characters of RFC 3986.
  TextWriter& url_text(std::string_view text) noexcept {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    for (const char c : text) {
      const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
      if (plain) {
        put({&c, 1});
      } else {
        const auto byte = static_cast<unsigned char>(c);
        put("%").put(kHex.substr(byte >> 4, 1)).put(kHex.substr(byte & 15, 1));
      }
    }
    return *this;
  }

  // The length written, or 0 when anything was refused.
  [[nodiscard]] std::size_t finish() const noexcept { return failed_ ? 0 : size_; }

 private:
  std::span<char> out_;
  std::size_t size_{0};
  bool failed_{false};
};

}  // namespace sluice::venue
