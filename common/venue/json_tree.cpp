#include "common/venue/json_tree.hpp"

#include <simdjson.h>

#include <algorithm>
#include <new>

namespace sluice::venue {
namespace {

namespace od = simdjson::ondemand;

static_assert(kJsonPadding >= simdjson::SIMDJSON_PADDING);

// The venue's deepest message (an order with legs in an update) has five levels.
constexpr unsigned kMaxDepth = 12;

constexpr bool is_space(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

// simdjson's raw token runs up to the next structural character and may carry blanks at its end.
std::string_view trim_end(std::string_view token) noexcept {
  while (!token.empty() && is_space(token.back())) {
    token.remove_suffix(1);
  }
  return token;
}

// The JSON number grammar (RFC 8259, section 6). On-Demand leaves it to whoever converts; here a
// number that nobody reads must be one, too.
bool is_json_number(std::string_view text) noexcept {
  const char* p = text.data();
  const char* const end = p + text.size();
  const auto digits = [&] {
    const char* const first = p;
    while (p != end && is_digit(*p)) {
      ++p;
    }
    return p - first;
  };
  if (p != end && *p == '-') {
    ++p;
  }
  const bool leading_zero = p != end && *p == '0';
  const auto whole = digits();
  if (whole == 0 || (leading_zero && whole > 1)) {
    return false;
  }
  if (p != end && *p == '.') {
    ++p;
    if (digits() == 0) {
      return false;
    }
  }
  if (p != end && (*p == 'e' || *p == 'E')) {
    ++p;
    if (p != end && (*p == '+' || *p == '-')) {
      ++p;
    }
    if (digits() == 0) {
      return false;
    }
  }
  return p == end;
}

}  // namespace

// Visits every value once, depth first. A container's node is written first and learns its `end`
// when its last child is known.
struct JsonTree::Walker {
  od::parser parser;

  DecodeStatus walk(od::value value, std::string_view key, unsigned depth, JsonTree& tree) {
    od::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) {
      return DecodeStatus::kMalformed;
    }
    switch (type) {
      case od::json_type::object: {
        od::object object;
        if (value.get_object().get(object) != simdjson::SUCCESS) {
          return DecodeStatus::kMalformed;
        }
        return walk_object(object, key, depth, tree);
      }
      case od::json_type::array: {
        od::array array;
        if (value.get_array().get(array) != simdjson::SUCCESS) {
          return DecodeStatus::kMalformed;
        }
        return walk_array(array, key, depth, tree);
      }
      case od::json_type::string: {
        std::string_view text;
        if (value.get_string().get(text) != simdjson::SUCCESS) {
          return DecodeStatus::kMalformed;
        }
        return add_scalar(JsonType::kString, key, text, tree);
      }
      case od::json_type::number: {
        const std::string_view text = take_token(value);
        return is_json_number(text) ? add_scalar(JsonType::kNumber, key, text, tree)
                                    : DecodeStatus::kMalformed;
      }
      case od::json_type::boolean:
      case od::json_type::null: {
        const std::string_view text = take_token(value);
        if (text == "true") {
          return add_scalar(JsonType::kTrue, key, {}, tree);
        }
        if (text == "false") {
          return add_scalar(JsonType::kFalse, key, {}, tree);
        }
        return text == "null" ? add_scalar(JsonType::kNull, key, {}, tree)
                              : DecodeStatus::kMalformed;
      }
    }
    return DecodeStatus::kMalformed;
  }

  DecodeStatus walk_object(od::object& object, std::string_view key, unsigned depth,
                           JsonTree& tree) {
    const std::size_t self = tree.nodes_.size();
    if (const DecodeStatus status = open(JsonType::kObject, key, depth, tree);
        status != DecodeStatus::kOk) {
      return status;
    }
    for (auto entry : object) {
      od::field field;
      std::string_view name;
      if (std::move(entry).get(field) != simdjson::SUCCESS ||
          field.unescaped_key().get(name) != simdjson::SUCCESS) {
        return DecodeStatus::kMalformed;
      }
      if (const DecodeStatus status = walk(field.value(), name, depth + 1, tree);
          status != DecodeStatus::kOk) {
        return status;
      }
    }
    tree.nodes_[self].end = static_cast<std::uint32_t>(tree.nodes_.size());
    return DecodeStatus::kOk;
  }

  DecodeStatus walk_array(od::array& array, std::string_view key, unsigned depth, JsonTree& tree) {
    const std::size_t self = tree.nodes_.size();
    if (const DecodeStatus status = open(JsonType::kArray, key, depth, tree);
        status != DecodeStatus::kOk) {
      return status;
    }
    for (auto entry : array) {
      od::value value;
      if (std::move(entry).get(value) != simdjson::SUCCESS) {
        return DecodeStatus::kMalformed;
      }
      if (const DecodeStatus status = walk(value, {}, depth + 1, tree);
          status != DecodeStatus::kOk) {
        return status;
      }
    }
    tree.nodes_[self].end = static_cast<std::uint32_t>(tree.nodes_.size());
    return DecodeStatus::kOk;
  }

 private:
  // Only looks at the token: the iterator of the container steps over it.
  static std::string_view take_token(od::value& value) { return trim_end(value.raw_json_token()); }

  static DecodeStatus open(JsonType type, std::string_view key, unsigned depth, JsonTree& tree) {
    if (depth >= kMaxDepth) {
      return DecodeStatus::kTooDeep;
    }
    return add_scalar(type, key, {}, tree);
  }

  static DecodeStatus add_scalar(JsonType type, std::string_view key, std::string_view text,
                                 JsonTree& tree) {
    if (tree.nodes_.size() == tree.max_nodes_) {
      return DecodeStatus::kTooMany;
    }
    tree.nodes_.push_back({key, text, static_cast<std::uint32_t>(tree.nodes_.size() + 1), type});
    return DecodeStatus::kOk;
  }
};

JsonTree::JsonTree(std::size_t max_bytes, std::size_t max_nodes)
    : max_bytes_(max_bytes),
      max_nodes_(max_nodes),
      copy_(std::make_unique<char[]>(max_bytes + kJsonPadding)),
      walker_(std::make_unique<Walker>()) {
  nodes_.reserve(max_nodes);
  if (walker_->parser.allocate(max_bytes) != simdjson::SUCCESS) {
    throw std::bad_alloc();
  }
}

JsonTree::~JsonTree() = default;

DecodeStatus JsonTree::parse(std::string_view padded_text) noexcept {
  nodes_.clear();
  if (padded_text.empty()) {
    return DecodeStatus::kEmpty;
  }
  if (padded_text.size() > max_bytes_) {
    return DecodeStatus::kOversize;  // simdjson would allocate
  }
  od::document document;
  const simdjson::error_code error =
      walker_->parser
          .iterate(padded_text.data(), padded_text.size(), padded_text.size() + kJsonPadding)
          .get(document);
  if (error != simdjson::SUCCESS) {
    return error == simdjson::EMPTY ? DecodeStatus::kEmpty : DecodeStatus::kMalformed;
  }
  DecodeStatus status = DecodeStatus::kWrongShape;
  od::json_type type{};
  if (document.type().get(type) != simdjson::SUCCESS) {
    status = DecodeStatus::kMalformed;
  } else if (type == od::json_type::object) {
    od::object object;
    status = document.get_object().get(object) == simdjson::SUCCESS
                 ? walker_->walk_object(object, {}, 0, *this)
                 : DecodeStatus::kMalformed;
  } else if (type == od::json_type::array) {
    od::array array;
    status = document.get_array().get(array) == simdjson::SUCCESS
                 ? walker_->walk_array(array, {}, 0, *this)
                 : DecodeStatus::kMalformed;
  }
  // 3.0.1 has no document::at_end(): a location out of bounds is how it says the same.
  if (status == DecodeStatus::kOk &&
      document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
    status = DecodeStatus::kMalformed;
  }
  if (status != DecodeStatus::kOk) {
    nodes_.clear();
  }
  return status;
}

DecodeStatus JsonTree::parse_copy(std::string_view text) noexcept {
  if (text.size() > max_bytes_) {
    nodes_.clear();
    return DecodeStatus::kOversize;
  }
  std::copy_n(text.data(), text.size(), copy_.get());  // unlike memcpy, at ease with no text
  return parse({copy_.get(), text.size()});
}

const JsonNode* JsonTree::find(const JsonNode& object, std::string_view key) const noexcept {
  for (const JsonNode& member : children(object)) {
    if (member.key == key) {
      return &member;
    }
  }
  return nullptr;
}

}  // namespace sluice::venue
