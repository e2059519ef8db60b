#include "bench/parse/simdjson_walk.hpp"

#include <simdjson.h>

#include <new>

namespace sluice::bench {

namespace od = simdjson::ondemand;

struct SimdjsonWalk::Parser {
  od::parser parser;
};

SimdjsonWalk::SimdjsonWalk(std::size_t bytes_max) : parser_(std::make_unique<Parser>()) {
  if (parser_->parser.allocate(bytes_max) != simdjson::SUCCESS) {
    throw std::bad_alloc();
  }
}

SimdjsonWalk::~SimdjsonWalk() = default;

std::uint64_t SimdjsonWalk::walk(std::string_view padded_frame) noexcept {
  od::document document;
  od::array array;
  std::uint64_t sum = 0;
  if (parser_->parser
              .iterate(padded_frame.data(), padded_frame.size(),
                       padded_frame.size() + simdjson::SIMDJSON_PADDING)
              .get(document) != simdjson::SUCCESS ||
      document.get_array().get(array) != simdjson::SUCCESS) {
    return 0;
  }
  for (auto element : array) {
    od::object object;
    if (element.get_object().get(object) != simdjson::SUCCESS) {
      return 0;
    }
    for (auto entry : object) {
      od::field field;
      if (std::move(entry).get(field) != simdjson::SUCCESS) {
        return 0;
      }
      const auto* const key = reinterpret_cast<const unsigned char*>(field.key().raw());
      const std::string_view token = field.value().raw_json_token();
      sum += key[0] + token.size() + static_cast<unsigned char>(token.front());
    }
  }
  return sum;
}

std::string SimdjsonWalk::implementation() {
  return simdjson::get_active_implementation()->name();
}

}  // namespace sluice::bench
