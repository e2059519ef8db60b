// The baseline: simdjson On-Demand visiting every key and taking every value's raw token, nothing
// converted and nothing kept. In a file of its own so that no reader of the bench pays for
// simdjson.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sluice::bench {

class SimdjsonWalk {
 public:
  explicit SimdjsonWalk(std::size_t bytes_max);
  ~SimdjsonWalk();
  SimdjsonWalk(const SimdjsonWalk&) = delete;
  SimdjsonWalk& operator=(const SimdjsonWalk&) = delete;

  // Returns a sum over what was visited, so that no work can be left out; 0 means a parse error.
  [[nodiscard]] std::uint64_t walk(std::string_view padded_frame) noexcept;

  [[nodiscard]] static std::string implementation();

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace sluice::bench
