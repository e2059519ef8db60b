// Any bytes as a configuration: either read or refused with sluice::Error, never anything else.
#include <cstdint>
#include <limits>
#include <string>

#include "common/base/config.hpp"
#include "common/base/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  try {
    const sluice::ConfigTable root =
        sluice::ConfigFile::parse(std::string(data, data + size), "fuzz.toml").root();
    static_cast<void>(root.str("s", ""));
    static_cast<void>(root.integer("i", kMin, kMax, 0));
    static_cast<void>(root.boolean("b", false));
    static_cast<void>(root.decimal("d", kMin, kMax, 0));
    static_cast<void>(root.duration_ns("t", 0, kMax, 0));
    static_cast<void>(root.one_of("o", {"x", "y"}, "x"));
    static_cast<void>(root.strings("l", {}));
    static_cast<void>(root.table("T").str("s", ""));
    for (const sluice::ConfigTable& element : root.tables("A")) {
      static_cast<void>(element.integer("i", 0, 9, 0));
    }
    root.finish();
  } catch (const sluice::Error&) {
    // Refused: the only other way out.
  }
  return 0;
}
