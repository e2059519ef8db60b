// json_fields.hpp — the fields of one JSON object, numbers as they were written.
//
// Pure. A number that went through binary floating point would no longer be the client's. Fields of
// an object inside are found under "outer.inner"; deeper ones are not kept. null counts as absent.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::sim {

struct JsonField {
  enum class Kind { kText, kNumber, kBoolean, kNested };
  Kind kind;
  std::string text;
};

class JsonFields {
 public:
  // False when `body` is not one JSON object.
  [[nodiscard]] bool parse(std::string_view body);

  [[nodiscard]] const JsonField* find(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }
  // Nothing when it is absent or no text.
  [[nodiscard]] std::optional<std::string_view> text(std::string_view name) const;
  [[nodiscard]] bool is_true(std::string_view name) const;

 private:
  std::map<std::string, JsonField, std::less<>> fields_;
};

}  // namespace sluice::sim
