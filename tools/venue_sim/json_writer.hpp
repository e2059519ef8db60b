// json_writer.hpp — writes compact JSON at the end of a string that its owner reuses.
//
// Pure; appends only, so a buffer that was cleared keeps its memory. Commas are the writer's
// business, nesting is the caller's: a begin without its end is the caller's bug.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/fixed.hpp"
#include "common/base/id.hpp"
#include "common/base/time.hpp"

namespace sluice::sim {

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) noexcept : out_(out) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }

  // Keys are written as they are: they come from this program, never from outside.
  JsonWriter& key(std::string_view name) {
    separate();
    out_.push_back('"');
    out_.append(name);
    out_.append("\":");
    comma_ = false;
    return *this;
  }

  // A key from outside: escaped.
  JsonWriter& text_key(std::string_view name) {
    text(name);
    out_.push_back(':');
    comma_ = false;
    return *this;
  }

  JsonWriter& text(std::string_view value);
  JsonWriter& integer(std::int64_t value);
  JsonWriter& boolean(bool value) { return raw(value ? "true" : "false"); }
  JsonWriter& null() { return raw("null"); }
  // The trading API writes decimals as strings, the data API as numbers.
  JsonWriter& decimal_text(std::int64_t value);
  JsonWriter& decimal_number(std::int64_t value);
  JsonWriter& uuid(const Id128& id);
  JsonWriter& time(WallNanos at);  // RFC 3339, UTC, zeros trimmed
  JsonWriter& time_or_null(WallNanos at) { return at.ns == 0 ? null() : time(at); }

  // A value that is JSON already.
  JsonWriter& raw(std::string_view json) {
    separate();
    out_.append(json);
    return *this;
  }

 private:
  JsonWriter& open(char c) {
    separate();
    out_.push_back(c);
    comma_ = false;
    return *this;
  }
  JsonWriter& close(char c) {
    out_.push_back(c);
    comma_ = true;
    return *this;
  }
  void separate() {
    if (comma_) {
      out_.push_back(',');
    }
    comma_ = true;
  }

  std::string& out_;
  bool comma_{false};
};

}  // namespace sluice::sim
