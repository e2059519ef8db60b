#include "tools/demo_run/judges.hpp"

namespace sluice::demo {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSections[] = {"orders", "executions", "cash", "positions", "fees"};
constexpr std::size_t kShown = 10;

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

class Comparison {
 public:
  Comparison(const Judge& a, const Judge& b, std::size_t limit) : a_(a), b_(b), limit_(limit) {}

  std::vector<std::string> run() {
    for (const char* section : kSections) {
      walk(section, a_.books.value(section, Json::object()),
           b_.books.value(section, Json::object()));
    }
    if (hidden_ != 0)
      lines_.push_back(prefix() + std::to_string(hidden_) + " more");
    return std::move(lines_);
  }

 private:
  [[nodiscard]] std::string prefix() const { return a_.name + " and " + b_.name + " differ in "; }

  void add(const std::string& path, const std::string& x, const std::string& y) {
    if (lines_.size() >= limit_) {
      ++hidden_;
      return;
    }
    lines_.push_back(prefix() + path + ": " + x + ", " + y);
  }

  void walk(const std::string& path, const Json& x, const Json& y) {
    if (!x.is_object() || !y.is_object()) {
      if (x != y)
        add(path, text_of(x), text_of(y));
      return;
    }
    for (const auto& [key, value] : x.items()) {
      if (const auto other = y.find(key); other != y.end()) {
        walk(path + "." + key, value, *other);
      } else {
        add(path + "." + key, text_of(value), "missing");
      }
    }
    for (const auto& [key, value] : y.items()) {
      if (!x.contains(key))
        add(path + "." + key, "missing", text_of(value));
    }
  }

  const Judge& a_;
  const Judge& b_;
  std::size_t limit_;
  std::size_t hidden_{0};
  std::vector<std::string> lines_;
};

}  // namespace

std::vector<std::string> differences(const Judge& a, const Judge& b, std::size_t limit) {
  return Comparison(a, b, limit).run();
}

Json compare(const Judge& ours, const Judge& venue, const Judge& wire) {
  Json out{{"equal", false}};
  Json lines = Json::array();
  const auto pair = [&](const char* name, const Judge& a, const Judge& b) {
    const std::vector<std::string> found = differences(a, b, kShown);
    out[name] = found.empty();
    for (const std::string& line : found)
      lines.push_back(line);
  };
  pair("ours_venue", ours, venue);
  pair("ours_wire", ours, wire);
  pair("venue_wire", venue, wire);
  const Json violations = wire.books.value("violations", Json::array());
  out["equal"] = lines.empty() && violations.empty();
  out["differences"] = std::move(lines);
  out["violations"] = violations;
  return out;
}

}  // namespace sluice::demo
