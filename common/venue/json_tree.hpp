// JsonTree: one whole JSON text as a flat list of values, checked before anybody reads it.
//
// Who: the codecs of this folder, for everything that is not the market data fast path; one thread
// per tree. The only place where simdjson meets the rest of the project.
//  1. All memory is taken at construction; parse() neither allocates nor throws.
//  2. After kOk the text is structurally sound to its last byte: every value was visited, strings
//     are unescaped, numbers match the JSON grammar, nothing follows the root.
//  3. Nodes and their texts stay valid until the next parse() and as long as the bytes parsed.
//  4. Numbers stay text: nothing here converts through floating point.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string_view>
#include <vector>

#include "common/venue/decode_status.hpp"

namespace sluice::venue {

// Bytes after a text that must be readable (their content does not matter): simdjson 3.0.1 loads
// whole vectors.
inline constexpr std::size_t kJsonPadding = 64;

enum class JsonType : std::uint8_t { kNull, kFalse, kTrue, kNumber, kString, kArray, kObject };

struct JsonNode {
  std::string_view key;   // unescaped; empty for elements of an array and for the root
  std::string_view text;  // string: unescaped; number: as it stood; else empty
  std::uint32_t end{0};   // index past the last node of this value's subtree
  JsonType type{JsonType::kNull};
};

class JsonTree {
 public:
  // The direct members of an object or elements of an array, in their order.
  class Children {
   public:
    class Iterator {
     public:
      using value_type = JsonNode;
      using difference_type = std::ptrdiff_t;
      Iterator(const JsonNode* base, std::uint32_t at) noexcept : base_(base), at_(at) {}
      const JsonNode& operator*() const noexcept { return base_[at_]; }
      Iterator& operator++() noexcept {
        at_ = base_[at_].end;
        return *this;
      }
      bool operator==(const Iterator& other) const noexcept { return at_ == other.at_; }

     private:
      const JsonNode* base_;
      std::uint32_t at_;
    };

    Children(const JsonNode* base, std::uint32_t first, std::uint32_t last) noexcept
        : base_(base), first_(first), last_(last) {}
    [[nodiscard]] Iterator begin() const noexcept { return {base_, first_}; }
    [[nodiscard]] Iterator end() const noexcept { return {base_, last_}; }
    [[nodiscard]] bool empty() const noexcept { return first_ == last_; }

   private:
    const JsonNode* base_;
    std::uint32_t first_;
    std::uint32_t last_;
  };

  // Room for texts of up to `max_bytes` with up to `max_nodes` values. Throws std::bad_alloc.
  JsonTree(std::size_t max_bytes, std::size_t max_nodes);
  ~JsonTree();
  JsonTree(const JsonTree&) = delete;
  JsonTree& operator=(const JsonTree&) = delete;

  // Required: kJsonPadding readable bytes after `padded_text`. Results: kOk, kEmpty, kOversize,
  // kMalformed, kTooDeep, kTooMany. A root that is neither object nor array is kWrongShape.
  [[nodiscard]] DecodeStatus parse(std::string_view padded_text) noexcept;

  // For bytes without padding: copies them into the tree's own buffer first.
  [[nodiscard]] DecodeStatus parse_copy(std::string_view text) noexcept;

  // After kOk.
  [[nodiscard]] const JsonNode& root() const noexcept { return nodes_.front(); }
  [[nodiscard]] Children children(const JsonNode& node) const noexcept {
    const auto index = static_cast<std::uint32_t>(&node - nodes_.data());
    return {nodes_.data(), index + 1, node.end};
  }
  // The first member of that name, or null. For envelopes with few keys.
  [[nodiscard]] const JsonNode* find(const JsonNode& object, std::string_view key) const noexcept;

 private:
  struct Walker;

  std::size_t max_bytes_;
  std::size_t max_nodes_;
  std::vector<JsonNode> nodes_;
  std::unique_ptr<char[]> copy_;
  std::unique_ptr<Walker> walker_;
};

}  // namespace sluice::venue
