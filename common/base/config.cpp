#include "common/base/config.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <set>
#include <type_traits>

#include "common/base/error.hpp"
#include "common/base/fixed.hpp"
#include "common/base/time.hpp"

namespace sluice {

struct ConfigFile::Document {
  std::string path;
  toml::table root;
  std::shared_ptr<ConfigTable::Level> root_level;
};

namespace {

std::string at(const std::string& path, const toml::source_region& place) {
  return place.begin.line > 0 ? fmt::format("{}:{}", path, place.begin.line) : path;
}

// A value as an operator wrote it, short enough for one line.
std::string shown(const toml::node& node) {
  constexpr std::size_t kLongest = 60;
  std::string text;
  node.visit([&text](const auto& value) {
    using Node = std::remove_cvref_t<decltype(value)>;
    if constexpr (std::is_same_v<Node, toml::table>) {
      text = "a table";
    } else if constexpr (std::is_same_v<Node, toml::array>) {
      text = "an array";
    } else if constexpr (std::is_same_v<Node, toml::value<std::string>>) {
      text = fmt::format("\"{}\"", value.get());
    } else if constexpr (std::is_same_v<Node, toml::value<std::int64_t>> ||
                         std::is_same_v<Node, toml::value<bool>>) {
      text = fmt::format("{}", value.get());
    } else if constexpr (std::is_same_v<Node, toml::value<double>>) {
      text = fmt::format("{} (a floating-point number)", value.get());
    } else {
      text = "a date or time";
    }
  });
  for (char& c : text) {
    c = static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  if (text.size() > kLongest) {
    text.replace(kLongest, std::string::npos, "…");
  }
  return text;
}

// Levenshtein distance, for "did you mean". Keys are short.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    row[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

std::string joined(std::initializer_list<std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) {
    text += fmt::format("{}\"{}\"", text.empty() ? "" : ", ", word);
  }
  return text;
}

struct Unit {
  std::string_view name;
  std::int64_t ns;
};
constexpr std::array<Unit, 6> kUnits{{{"h", 3600 * kNanosPerSecond},
                                      {"m", 60 * kNanosPerSecond},
                                      {"s", kNanosPerSecond},
                                      {"ms", kNanosPerMilli},
                                      {"us", kNanosPerMicro},
                                      {"ns", 1}}};

bool parse_duration(std::string_view text, std::int64_t& ns) noexcept {
  std::size_t digits = 0;
  std::int64_t count = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    if (__builtin_mul_overflow(count, std::int64_t{10}, &count) ||
        __builtin_add_overflow(count, std::int64_t{text[digits] - '0'}, &count)) {
      return false;
    }
  }
  const auto unit = std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& candidate) {
    return candidate.name == text.substr(digits);
  });
  return digits > 0 && unit != kUnits.end() && !__builtin_mul_overflow(count, unit->ns, &ns);
}

// In the longest unit that expresses `ns` without a fraction.
std::string duration_string(std::int64_t ns) {
  if (ns == 0) {
    return "0s";
  }
  const auto* const unit =
      std::find_if(kUnits.begin(), kUnits.end(), [ns](const Unit& u) { return ns % u.ns == 0; });
  return fmt::format("{}{}", ns / unit->ns, unit->name);
}

}  // namespace

// What has been asked of one table. Shared by all copies of its ConfigTable, so that finish() sees
// every question.
struct ConfigTable::Level {
  const ConfigFile::Document& document;  // kept alive by every ConfigTable
  const toml::table* table;              // null: the file has no such table, and it reads as empty
  std::string prefix;                    // "risk." or "feed[1]."; empty at the root
  toml::source_region place;             // of the table, or of its parent when absent
  std::set<std::string, std::less<>> asked{};
  std::map<std::string, std::vector<std::shared_ptr<Level>>, std::less<>> children{};

  [[nodiscard]] const toml::node* find(std::string_view key) const {
    return table != nullptr ? table->get(key) : nullptr;
  }

  // Finds, and remembers that the key is known.
  const toml::node* ask(std::string_view key) {
    asked.emplace(key);
    return find(key);
  }

  const toml::node& require(std::string_view key, std::string_view expected) {
    if (const toml::node* node = ask(key)) {
      return *node;
    }
    throw Error(ExitCode::kConfig,
                fmt::format("{}: {}{} is missing{}; add it: {}", at(document.path, place), prefix,
                            key, misspelt(key), expected));
  }

  // A key of the table that nobody has asked for and that differs from `key` by a slip of the pen.
  [[nodiscard]] std::string misspelt(std::string_view key) const {
    constexpr std::size_t kSlip = 2;
    if (table == nullptr) {
      return {};
    }
    for (const auto& [written, node] : *table) {
      if (!asked.contains(written.str()) && distance(written.str(), key) <= kSlip) {
        return fmt::format(" (\"{}\" stands at {})", written.str(),
                           at(document.path, written.source()));
      }
    }
    return {};
  }

  [[noreturn]] void fail(std::string_view key, std::string_view message) const {
    const toml::node* node = find(key);
    if (node == nullptr) {
      throw Error(ExitCode::kConfig,
                  fmt::format("{}: {}{}: {}", at(document.path, place), prefix, key, message));
    }
    throw Error(ExitCode::kConfig,
                fmt::format("{}: {}{} = {}: {}", at(document.path, node->source()), prefix, key,
                            shown(*node), message));
  }

  [[noreturn]] void refuse(std::string_view key, std::string_view expected) const {
    fail(key, fmt::format("expected {}", expected));
  }

  [[noreturn]] void refuse_unknown(const toml::key& key) const;
};

void ConfigTable::Level::refuse_unknown(const toml::key& key) const {
  const std::string_view written = key.str();
  const std::string* nearest = nullptr;
  std::size_t best = written.size() / 2 + 1;  // further away is no misspelling
  for (const std::string& known : asked) {
    if (const std::size_t d = distance(written, known); d < best) {
      best = d;
      nearest = &known;
    }
  }
  throw Error(
      ExitCode::kConfig,
      fmt::format(
          "{}: {}{} is not a known key; {}", at(document.path, key.source()), prefix, written,
          nearest != nullptr ? fmt::format("did you mean \"{}\"?", *nearest) : "remove it"));
}

ConfigFile ConfigFile::load(const std::string& path) {
  std::string text;
  {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                               &std::fclose);
    if (!file) {
      throw Error(
          ExitCode::kConfig,
          fmt::format("{}: cannot open the configuration: {}; name a readable file with --config",
                      path, std::strerror(errno)));
    }
    std::array<char, 65'536> block;
    while (std::feof(file.get()) == 0 && std::ferror(file.get()) == 0) {
      text.append(block.data(), std::fread(block.data(), 1, block.size(), file.get()));
    }
    if (std::ferror(file.get()) != 0) {
      throw Error(
          ExitCode::kConfig,
          fmt::format("{}: cannot read the configuration: {}; name a regular file with --config",
                      path, std::strerror(errno)));
    }
  }
  return parse(text, path);
}

ConfigFile ConfigFile::parse(std::string_view text, const std::string& name) {
  auto document = std::make_shared<Document>();
  document->path = name;
  try {
    document->root = toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    throw Error(
        ExitCode::kConfig,
        fmt::format("{}: malformed TOML, column {}: {}; correct the syntax of this line",
                    at(name, error.source()), error.source().begin.column, error.description()));
  }
  document->root_level = std::make_shared<ConfigTable::Level>(ConfigTable::Level{
      .document = *document, .table = &document->root, .prefix = "", .place = {}});
  return ConfigFile(std::move(document));
}

ConfigTable ConfigFile::root() const {
  return ConfigTable(document_, document_->root_level);
}

const std::string& ConfigFile::path() const noexcept {
  return document_->path;
}

bool ConfigTable::has(std::string_view key) const {
  return level_->find(key) != nullptr;
}

std::string ConfigTable::str(std::string_view key) const {
  constexpr std::string_view kExpected = "a string in quotes";
  const auto* value = level_->require(key, kExpected).as_string();
  if (value == nullptr) {
    level_->refuse(key, kExpected);
  }
  return value->get();
}

std::string ConfigTable::str(std::string_view key, std::string_view fallback) const {
  return level_->ask(key) != nullptr ? str(key) : std::string(fallback);
}

std::int64_t ConfigTable::integer(std::string_view key, std::int64_t min, std::int64_t max) const {
  const std::string expected = fmt::format("an integer from {} to {}", min, max);
  const auto* value = level_->require(key, expected).as_integer();
  if (value == nullptr || value->get() < min || value->get() > max) {
    level_->refuse(key, expected);
  }
  return value->get();
}

std::int64_t ConfigTable::integer(std::string_view key, std::int64_t min, std::int64_t max,
                                  std::int64_t fallback) const {
  return level_->ask(key) != nullptr ? integer(key, min, max) : fallback;
}

bool ConfigTable::boolean(std::string_view key) const {
  constexpr std::string_view kExpected = "true or false";
  const auto* value = level_->require(key, kExpected).as_boolean();
  if (value == nullptr) {
    level_->refuse(key, kExpected);
  }
  return value->get();
}

bool ConfigTable::boolean(std::string_view key, bool fallback) const {
  return level_->ask(key) != nullptr ? boolean(key) : fallback;
}

std::int64_t ConfigTable::decimal(std::string_view key, std::int64_t min_raw,
                                  std::int64_t max_raw) const {
  const std::string expected = fmt::format("a decimal in quotes from \"{}\" to \"{}\"",
                                           decimal_string(min_raw), decimal_string(max_raw));
  const auto* value = level_->require(key, expected).as_string();
  if (value == nullptr) {
    level_->refuse(key, expected);
  }
  std::int64_t raw = 0;
  const DecimalStatus status = parse_decimal(value->get(), raw);
  if (status != DecimalStatus::kOk) {
    level_->fail(key, fmt::format("{}; expected {}", describe(status), expected));
  }
  if (raw < min_raw || raw > max_raw) {
    level_->refuse(key, expected);
  }
  return raw;
}

std::int64_t ConfigTable::decimal(std::string_view key, std::int64_t min_raw, std::int64_t max_raw,
                                  std::int64_t fallback_raw) const {
  return level_->ask(key) != nullptr ? decimal(key, min_raw, max_raw) : fallback_raw;
}

std::int64_t ConfigTable::duration_ns(std::string_view key, std::int64_t min_ns,
                                      std::int64_t max_ns) const {
  const std::string expected = fmt::format(
      "a duration in quotes, an integer with a unit ns, us, ms, s, m or h, from \"{}\" to \"{}\"",
      duration_string(min_ns), duration_string(max_ns));
  const auto* value = level_->require(key, expected).as_string();
  std::int64_t ns = 0;
  if (value == nullptr || !parse_duration(value->get(), ns) || ns < min_ns || ns > max_ns) {
    level_->refuse(key, expected);
  }
  return ns;
}

std::int64_t ConfigTable::duration_ns(std::string_view key, std::int64_t min_ns,
                                      std::int64_t max_ns, std::int64_t fallback_ns) const {
  return level_->ask(key) != nullptr ? duration_ns(key, min_ns, max_ns) : fallback_ns;
}

std::string ConfigTable::one_of(std::string_view key,
                                std::initializer_list<std::string_view> allowed) const {
  const std::string expected = "one of " + joined(allowed);
  const auto* value = level_->require(key, expected).as_string();
  if (value == nullptr ||
      std::find(allowed.begin(), allowed.end(), value->get()) == allowed.end()) {
    level_->refuse(key, expected);
  }
  return value->get();
}

std::string ConfigTable::one_of(std::string_view key,
                                std::initializer_list<std::string_view> allowed,
                                std::string_view fallback) const {
  return level_->ask(key) != nullptr ? one_of(key, allowed) : std::string(fallback);
}

std::vector<std::string> ConfigTable::strings(std::string_view key) const {
  constexpr std::string_view kExpected = "an array of strings, [\"a\", \"b\"]";
  const auto* array = level_->require(key, kExpected).as_array();
  std::vector<std::string> values;
  if (array == nullptr) {
    level_->refuse(key, kExpected);
  }
  for (const toml::node& element : *array) {
    const auto* value = element.as_string();
    if (value == nullptr) {
      level_->refuse(key, fmt::format("{}; it contains {}", kExpected, shown(element)));
    }
    values.push_back(value->get());
  }
  return values;
}

std::vector<std::string> ConfigTable::strings(std::string_view key,
                                              std::vector<std::string> fallback) const {
  return level_->ask(key) != nullptr ? strings(key) : std::move(fallback);
}

ConfigTable ConfigTable::table(std::string_view key) const {
  const toml::node* node = level_->ask(key);
  if (node != nullptr && !node->is_table()) {
    level_->refuse(key, fmt::format("a table, written [{}{}]", level_->prefix, key));
  }
  auto& children = level_->children[std::string(key)];
  if (children.empty()) {
    children.push_back(
        std::make_shared<Level>(Level{.document = *document_,
                                      .table = node != nullptr ? node->as_table() : nullptr,
                                      .prefix = fmt::format("{}{}.", level_->prefix, key),
                                      .place = node != nullptr ? node->source() : level_->place}));
  }
  return ConfigTable(document_, children.front());
}

std::vector<ConfigTable> ConfigTable::tables(std::string_view key) const {
  const toml::node* node = level_->ask(key);
  const toml::array* array = node != nullptr ? node->as_array() : nullptr;
  const auto is_table = [](const toml::node& element) { return element.is_table(); };
  if (node != nullptr &&
      (array == nullptr || !std::all_of(array->begin(), array->end(), is_table))) {
    level_->refuse(key,
                   fmt::format("an array of tables, each written [[{}{}]]", level_->prefix, key));
  }
  auto& children = level_->children[std::string(key)];
  if (children.empty() && array != nullptr) {
    for (std::size_t i = 0; i < array->size(); ++i) {
      children.push_back(
          std::make_shared<Level>(Level{.document = *document_,
                                        .table = (*array)[i].as_table(),
                                        .prefix = fmt::format("{}{}[{}].", level_->prefix, key, i),
                                        .place = (*array)[i].source()}));
    }
  }
  std::vector<ConfigTable> found;
  for (const auto& child : children) {
    found.push_back(ConfigTable(document_, child));
  }
  return found;
}

void ConfigTable::finish() const {
  if (level_->table != nullptr) {
    for (const auto& [key, node] : *level_->table) {
      if (!level_->asked.contains(key.str())) {
        level_->refuse_unknown(key);
      }
    }
  }
  for (const auto& [key, children] : level_->children) {
    for (const auto& child : children) {
      ConfigTable(document_, child).finish();
    }
  }
}

void ConfigTable::fail(std::string_view key, std::string_view message_with_remedy) const {
  level_->fail(key, message_with_remedy);
}

}  // namespace sluice
