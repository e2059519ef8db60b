// Fields: what a record says, in order, once; printed as one line for people or as one JSON object.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sluice {

class Fields {
 public:
  // Money, quantities, ids and names are text, so that no reader makes a double of them.
  void text(std::string_view key, std::string value) {
    entries_.push_back({std::string(key), std::move(value)});
  }
  void number(std::string_view key, std::uint64_t value) {
    entries_.push_back({std::string(key), value});
  }
  void number(std::string_view key, std::int64_t value) {
    entries_.push_back({std::string(key), value});
  }
  // Several of the same kind, as the events of one tap.
  void list(std::string_view key, std::vector<Fields> items) {
    entries_.push_back({std::string(key), std::move(items)});
  }
  // An object inside this one.
  void object(std::string_view key, Fields item) {
    entries_.push_back({std::string(key), std::vector<Fields>{std::move(item)}, true});
  }
  // Left out when there is nothing to say: absent means zero.
  void text_unless_empty(std::string_view key, std::string value) {
    if (!value.empty())
      text(key, std::move(value));
  }
  void number_unless_zero(std::string_view key, std::uint64_t value) {
    if (value != 0)
      number(key, value);
  }

  // "key=value key=value"; the items of a list in brackets.
  [[nodiscard]] std::string line() const;
  [[nodiscard]] std::string json() const;

 private:
  using Value = std::variant<std::string, std::uint64_t, std::int64_t, std::vector<Fields>>;
  struct Entry {
    std::string key;
    Value value;
    bool single{false};  // the list is one object
  };
  void append_json(std::string& out) const;

  std::vector<Entry> entries_;
};

}  // namespace sluice
