#include "tools/venue_sim/json_fields.hpp"

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

namespace sluice::sim {
namespace {

using Map = std::map<std::string, JsonField, std::less<>>;

class FieldCollector {
 public:
  explicit FieldCollector(Map& fields) : fields_(fields) {}

  bool null() { return depth_ > 0; }  // a bare scalar is no object
  bool boolean(bool value) { return put(JsonField::Kind::kBoolean, value ? "true" : "false"); }
  bool number_integer(std::int64_t value) {
    return put(JsonField::Kind::kNumber, std::to_string(value));
  }
  bool number_unsigned(std::uint64_t value) {
    return put(JsonField::Kind::kNumber, std::to_string(value));
  }
  bool number_float(double, const std::string& written) {
    return put(JsonField::Kind::kNumber, written);
  }
  bool string(std::string& value) { return put(JsonField::Kind::kText, value); }
  bool binary(nlohmann::json::binary_t&) { return false; }
  bool start_object(std::size_t) { return nest(); }
  bool end_object() { return --depth_ >= 0; }
  bool start_array(std::size_t) { return depth_ > 0 && nest(); }
  bool end_array() { return --depth_ >= 0; }
  bool key(std::string& name) {
    if (depth_ == 1) {
      outer_ = name;
    } else if (depth_ == 2) {
      inner_ = name;
    }
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) {
    return false;
  }

 private:
  bool put(JsonField::Kind kind, std::string text) {
    if (depth_ == 1) {
      fields_.insert_or_assign(outer_, JsonField{kind, std::move(text)});
    } else if (depth_ == 2 && !inner_.empty()) {
      fields_.insert_or_assign(outer_ + '.' + inner_, JsonField{kind, std::move(text)});
    }
    return depth_ > 0;
  }
  bool nest() {
    if (depth_ == 1) {
      fields_.insert_or_assign(outer_, JsonField{JsonField::Kind::kNested, {}});
      inner_.clear();
    }
    ++depth_;
    return true;
  }

  Map& fields_;
  std::string outer_;
  std::string inner_;
  int depth_{0};
};

}  // namespace

bool JsonFields::parse(std::string_view body) {
  FieldCollector collector(fields_);
  return nlohmann::json::sax_parse(body, &collector);
}

const JsonField* JsonFields::find(std::string_view name) const {
  const auto it = fields_.find(name);
  return it == fields_.end() ? nullptr : &it->second;
}

std::optional<std::string_view> JsonFields::text(std::string_view name) const {
  const JsonField* field = find(name);
  if (field == nullptr || field->kind != JsonField::Kind::kText) {
    return std::nullopt;
  }
  return field->text;
}

bool JsonFields::is_true(std::string_view name) const {
  const JsonField* field = find(name);
  return field != nullptr && field->kind == JsonField::Kind::kBoolean && field->text == "true";
}

}  // namespace sluice::sim
