// Reading a TOML configuration so that every mistake is named: file and line, key, value, what is
// allowed.
//
// Start-up only. All getters throw Error(kConfig). A getter without a default requires the key.
// Every key that was not asked for is an error at finish(), so a misspelt key is never silently
// ignored.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

class ConfigTable;

class ConfigFile {
 public:
  // Reads and parses; missing, unreadable and malformed files are Errors.
  static ConfigFile load(const std::string& path);
  // The same from text; `name` stands for the path in messages.
  static ConfigFile parse(std::string_view text, const std::string& name);

  [[nodiscard]] ConfigTable root() const;
  [[nodiscard]] const std::string& path() const noexcept;

 private:
  friend class ConfigTable;
  struct Document;
  explicit ConfigFile(std::shared_ptr<Document> document) : document_(std::move(document)) {}
  std::shared_ptr<Document> document_;
};

// One table of a file. Cheap to copy; keeps the file's contents alive.
class ConfigTable {
 public:
  // Present or not; asking does not count as reading.
  [[nodiscard]] bool has(std::string_view key) const;

  [[nodiscard]] std::string str(std::string_view key) const;
  [[nodiscard]] std::string str(std::string_view key, std::string_view fallback) const;

  // Integers within [min, max].
  [[nodiscard]] std::int64_t integer(std::string_view key, std::int64_t min,
                                     std::int64_t max) const;
  [[nodiscard]] std::int64_t integer(std::string_view key, std::int64_t min, std::int64_t max,
                                     std::int64_t fallback) const;

  [[nodiscard]] bool boolean(std::string_view key) const;
  [[nodiscard]] bool boolean(std::string_view key, bool fallback) const;

  // Decimals are written as TOML strings ("0.0001"), since a TOML float would pass through a
  // double. Units of 1e-9.
  [[nodiscard]] std::int64_t decimal(std::string_view key, std::int64_t min_raw,
                                     std::int64_t max_raw) const;
  [[nodiscard]] std::int64_t decimal(std::string_view key, std::int64_t min_raw,
                                     std::int64_t max_raw, std::int64_t fallback_raw) const;

  // Durations are strings of an integer and a unit: "250ns" "100us" "500ms" "2s" "1m" "6h".
  [[nodiscard]] std::int64_t duration_ns(std::string_view key, std::int64_t min_ns,
                                         std::int64_t max_ns) const;
  [[nodiscard]] std::int64_t duration_ns(std::string_view key, std::int64_t min_ns,
                                         std::int64_t max_ns, std::int64_t fallback_ns) const;

  // A string out of a closed list.
  [[nodiscard]] std::string one_of(std::string_view key,
                                   std::initializer_list<std::string_view> allowed) const;
  [[nodiscard]] std::string one_of(std::string_view key,
                                   std::initializer_list<std::string_view> allowed,
                                   std::string_view fallback) const;

  [[nodiscard]] std::vector<std::string> strings(std::string_view key) const;
  [[nodiscard]] std::vector<std::string> strings(std::string_view key,
                                                 std::vector<std::string> fallback) const;

  // A sub-table [key]. An absent one reads as empty: its keys then take their defaults or are named
  // as missing.
  [[nodiscard]] ConfigTable table(std::string_view key) const;
  // An array of tables [[key]], possibly empty.
  [[nodiscard]] std::vector<ConfigTable> tables(std::string_view key) const;

  // Throws on the first key of this table, or of a sub-table that was obtained from it, that nobody
  // asked for, with the nearest known name.
  void finish() const;

  // For rules between keys: throws with the place and value of `key` in front of the message.
  [[noreturn]] void fail(std::string_view key, std::string_view message_with_remedy) const;

 private:
  friend class ConfigFile;
  struct Level;
  ConfigTable(std::shared_ptr<ConfigFile::Document> document, std::shared_ptr<Level> level)
      : document_(std::move(document)), level_(std::move(level)) {}

  std::shared_ptr<ConfigFile::Document> document_;
  std::shared_ptr<Level> level_;
};

}  // namespace sluice
