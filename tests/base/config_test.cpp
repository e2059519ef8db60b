// Configuration: what is read, and that every mistake is answered with file, line, key, value and
// remedy.
#include "common/base/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <limits>
#include <string>

#include "common/base/error.hpp"
#include "common/base/fixed.hpp"
#include "common/base/time.hpp"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ConfigTable config(std::string_view text) {
  return ConfigFile::parse(text, "demo.toml").root();
}

// The message of the configuration error that `body` ends with.
std::string refusal(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kConfig);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos)
        << "one line: " << error.what();
    return error.what();
  }
  ADD_FAILURE() << "accepted";
  return "";
}

TEST(Config, ReadsEveryKindOfValue) {
  const ConfigTable root = config(R"(
name = "demo"
slots = 4096
live = true
tick = "0.01"
age = "500ms"
mode = "spin"
symbols = ["BTC/USD", "ETH/USD"]
[risk]
limit = 5
[[feed]]
name = "a"
[[feed]]
name = "b"
)");
  EXPECT_EQ(root.str("name"), "demo");
  EXPECT_EQ(root.integer("slots", 1, 65'536), 4'096);
  EXPECT_TRUE(root.boolean("live"));
  EXPECT_EQ(root.decimal("tick", 0, kScale), 10'000'000);
  EXPECT_EQ(root.duration_ns("age", 0, kNanosPerSecond), 500 * kNanosPerMilli);
  EXPECT_EQ(root.one_of("mode", {"spin", "yield"}), "spin");
  EXPECT_THAT(root.strings("symbols"), ElementsAre("BTC/USD", "ETH/USD"));
  EXPECT_EQ(root.table("risk").integer("limit", 0, 10), 5);
  const auto feeds = root.tables("feed");
  ASSERT_EQ(feeds.size(), 2U);
  EXPECT_EQ(feeds[0].str("name"), "a");
  EXPECT_EQ(feeds[1].str("name"), "b");
  EXPECT_NO_THROW(root.finish());
}

TEST(Config, DefaultsApplyOnlyToAbsentKeys) {
  const ConfigTable root = config("slots = 7\n");
  EXPECT_EQ(root.integer("slots", 1, 9, 3), 7);
  EXPECT_EQ(root.integer("other", 1, 9, 3), 3);
  EXPECT_EQ(root.str("s", "x"), "x");
  EXPECT_FALSE(root.boolean("b", false));
  EXPECT_EQ(root.decimal("d", 0, kScale, 5), 5);
  EXPECT_EQ(root.duration_ns("t", 0, 9, 4), 4);
  EXPECT_EQ(root.one_of("o", {"a"}, "a"), "a");
  EXPECT_THAT(root.strings("l", {"q"}), ElementsAre("q"));
  EXPECT_TRUE(root.tables("none").empty());
  EXPECT_NO_THROW(root.finish());
}

TEST(Config, AWrongValueIsNotReplacedByTheDefault) {
  const ConfigTable root = config("slots = \"many\"\n");
  EXPECT_EQ(refusal([&] { static_cast<void>(root.integer("slots", 1, 9, 3)); }),
            "demo.toml:1: slots = \"many\": expected an integer from 1 to 9");
}

TEST(Config, AskingWhetherAKeyExistsDoesNotMakeItKnown) {
  const ConfigTable root = config("slots = 7\n");
  EXPECT_TRUE(root.has("slots"));
  EXPECT_FALSE(root.has("other"));
  EXPECT_THAT(refusal([&] { root.finish(); }), HasSubstr("slots is not a known key"));
}

TEST(ConfigError, NamesAMissingKeyAndWhatToAdd) {
  const ConfigTable root = config("\n[risk]\n");
  EXPECT_EQ(refusal([&] { static_cast<void>(root.table("risk").integer("limit", 0, 10)); }),
            "demo.toml:2: risk.limit is missing; add it: an integer from 0 to 10");
  EXPECT_EQ(refusal([&] { static_cast<void>(root.str("name")); }),
            "demo.toml: name is missing; add it: a string in quotes");
}

TEST(ConfigError, AnAbsentTableNamesItsMissingKeys) {
  const ConfigTable gateway = config("").table("gateway");
  EXPECT_EQ(refusal([&] { static_cast<void>(gateway.str("venue")); }),
            "demo.toml: gateway.venue is missing; add it: a string in quotes");
}

TEST(ConfigError, NamesTheLineValueAndRangeOfAnInteger) {
  const ConfigTable root = config("# head\n\n[risk]\nlimit = 11\n");
  EXPECT_EQ(refusal([&] { static_cast<void>(root.table("risk").integer("limit", 0, 10)); }),
            "demo.toml:4: risk.limit = 11: expected an integer from 0 to 10");
}

TEST(ConfigError, AFloatIsNoInteger) {
  const ConfigTable root = config("limit = 1.0\n");
  EXPECT_THAT(refusal([&] { static_cast<void>(root.integer("limit", 0, 10)); }),
              HasSubstr("expected an integer from 0 to 10"));
}

TEST(ConfigError, ADecimalMustBeQuotedSoThatNoDoubleTouchesIt) {
  const ConfigTable root = config("tick = 0.01\n");
  EXPECT_EQ(refusal([&] { static_cast<void>(root.decimal("tick", 1, kScale)); }),
            "demo.toml:1: tick = 0.01 (a floating-point number): expected a decimal in quotes "
            "from \"0.000000001\" to \"1\"");
}

TEST(ConfigError, ADecimalSaysWhyItIsRefused) {
  const ConfigTable root = config("a = \"0.0000000001\"\nb = \"1,5\"\nc = \"2\"\nd = \"\"\n");
  const auto read = [&](const char* key) {
    return refusal([&] { static_cast<void>(root.decimal(key, 0, kScale)); });
  };
  EXPECT_EQ(read("a"),
            "demo.toml:1: a = \"0.0000000001\": finer than nine decimals; expected a decimal in "
            "quotes from \"0\" to \"1\"");
  EXPECT_THAT(read("b"), HasSubstr("demo.toml:2: b = \"1,5\": not a decimal number"));
  EXPECT_EQ(read("c"), "demo.toml:3: c = \"2\": expected a decimal in quotes from \"0\" to \"1\"");
  EXPECT_THAT(read("d"), HasSubstr("d = \"\": empty"));
}

TEST(ConfigError, ADurationNamesUnitsAndRange) {
  const ConfigTable root = config("age = \"5\"\n");
  EXPECT_EQ(
      refusal([&] {
        static_cast<void>(root.duration_ns("age", kNanosPerMilli, 90 * kNanosPerSecond));
      }),
      "demo.toml:1: age = \"5\": expected a duration in quotes, an integer with a unit ns, us, "
      "ms, s, m or h, from \"1ms\" to \"90s\"");
}

TEST(Config, ReadsEveryDurationUnit) {
  const ConfigTable root = config(
      "a = \"3ns\"\nb = \"3us\"\nc = \"3ms\"\nd = \"3s\"\ne = \"3m\"\nf = \"3h\"\ng = \"0s\"\n");
  constexpr std::int64_t kDay = 86'400 * kNanosPerSecond;
  EXPECT_EQ(root.duration_ns("a", 0, kDay), 3);
  EXPECT_EQ(root.duration_ns("b", 0, kDay), 3'000);
  EXPECT_EQ(root.duration_ns("c", 0, kDay), 3'000'000);
  EXPECT_EQ(root.duration_ns("d", 0, kDay), 3 * kNanosPerSecond);
  EXPECT_EQ(root.duration_ns("e", 0, kDay), 180 * kNanosPerSecond);
  EXPECT_EQ(root.duration_ns("f", 0, kDay), 10'800 * kNanosPerSecond);
  EXPECT_EQ(root.duration_ns("g", 0, kDay), 0);
}

TEST(ConfigError, RefusesDurationsThatOverflowOrAreMalformed) {
  for (const char* text : {"", "s", "1.5s", "-1s", "1 s", "1S", "1d", "99999999999999999999s",
                           "9223372036854775807h", "1s1s"}) {
    const ConfigTable root = config(std::string("age = \"") + text + "\"\n");
    EXPECT_THAT(
        refusal([&] { static_cast<void>(root.duration_ns("age", 0, 3'600 * kNanosPerSecond)); }),
        HasSubstr("expected a duration"))
        << text;
  }
}

TEST(ConfigError, ADurationRangeIsShownInItsLongestWholeUnits) {
  const ConfigTable root = config("age = 8\n");
  EXPECT_THAT(
      refusal([&] {
        static_cast<void>(root.duration_ns("age", 1, std::numeric_limits<std::int64_t>::max()));
      }),
      HasSubstr("from \"1ns\" to \"9223372036854775807ns\""));
  EXPECT_THAT(
      refusal([&] { static_cast<void>(root.duration_ns("age", 0, 7'200 * kNanosPerSecond)); }),
      HasSubstr("from \"0s\" to \"2h\""));
}

TEST(ConfigError, AClosedListIsNamedInFull) {
  const ConfigTable root = config("mode = \"spni\"\n");
  EXPECT_EQ(refusal([&] {
              static_cast<void>(root.one_of("mode", {"spin", "yield", "backoff"}));
            }),
            "demo.toml:1: mode = \"spni\": expected one of \"spin\", \"yield\", \"backoff\"");
}

TEST(ConfigError, AnArrayOfStringsNamesTheIntruder) {
  const ConfigTable root = config("symbols = [\"a\", 5]\nother = \"a\"\n");
  EXPECT_THAT(refusal([&] { static_cast<void>(root.strings("symbols")); }),
              HasSubstr("expected an array of strings, [\"a\", \"b\"]; it contains 5"));
  EXPECT_THAT(refusal([&] { static_cast<void>(root.strings("other")); }),
              HasSubstr("demo.toml:2: other = \"a\": expected an array of strings"));
}

TEST(ConfigError, ASingleTableIsNoArrayOfTables) {
  const ConfigTable root = config("[feed]\nname = \"a\"\n[[risk]]\n");
  EXPECT_EQ(refusal([&] { static_cast<void>(root.tables("feed")); }),
            "demo.toml:1: feed = a table: expected an array of tables, each written [[feed]]");
  EXPECT_THAT(refusal([&] { static_cast<void>(root.table("risk")); }),
              HasSubstr("risk = an array: expected a table, written [risk]"));
}

TEST(ConfigError, AnUnknownKeyGetsTheNearestKnownName) {
  const ConfigTable root = config("\nmax_notionl = \"5\"\n");
  EXPECT_EQ(root.decimal("max_notional", 0, kScale, 0), 0);
  EXPECT_EQ(refusal([&] { root.finish(); }),
            "demo.toml:2: max_notionl is not a known key; did you mean \"max_notional\"?");
}

TEST(ConfigError, AnUnknownKeyLikeNothingKnownIsToBeRemoved) {
  const ConfigTable root = config("zzz = 5\n");
  EXPECT_EQ(root.str("name", "x"), "x");
  EXPECT_EQ(refusal([&] { root.finish(); }), "demo.toml:1: zzz is not a known key; remove it");
}

TEST(ConfigError, FinishReachesIntoTablesAndTheirElements) {
  const ConfigTable root =
      config("[risk]\nlimit = 1\n[[feed]]\nname = \"a\"\n[[feed]]\nnaem = \"b\"\n");
  EXPECT_EQ(root.table("risk").integer("limit", 0, 10), 1);
  for (const ConfigTable& feed : root.tables("feed")) {
    EXPECT_NO_THROW(static_cast<void>(feed.str("name", "")));
  }
  EXPECT_EQ(refusal([&] { root.finish(); }),
            "demo.toml:6: feed[1].naem is not a known key; did you mean \"name\"?");
}

TEST(ConfigError, AWholeTableNobodyAskedForIsUnknown) {
  const ConfigTable root = config("[rsik]\nlimit = 1\n");
  static_cast<void>(root.table("risk"));
  EXPECT_EQ(refusal([&] { root.finish(); }),
            "demo.toml:1: rsik is not a known key; did you mean \"risk\"?");
}

TEST(Config, TwoReadersOfOneTableShareWhatWasAsked) {
  const ConfigTable root = config("[risk]\na = 1\nb = 2\n");
  EXPECT_EQ(root.table("risk").integer("a", 0, 9), 1);
  EXPECT_EQ(root.table("risk").integer("b", 0, 9), 2);
  EXPECT_NO_THROW(root.finish());
}

TEST(ConfigError, RulesBetweenKeysFailWithPlaceAndValue) {
  const ConfigTable root = config("[risk]\nsoft = 9\nhard = 5\n");
  EXPECT_EQ(
      refusal([&] { root.table("risk").fail("soft", "must not pass risk.hard; lower it to 5"); }),
      "demo.toml:2: risk.soft = 9: must not pass risk.hard; lower it to 5");
  EXPECT_EQ(refusal([&] { root.table("risk").fail("idle", "needed with spin; add it"); }),
            "demo.toml:1: risk.idle: needed with spin; add it");
}

TEST(ConfigError, LongAndMultilineValuesAreShownInOneLine) {
  const ConfigTable root = config("mode = \"\"\"x\n" + std::string(500, 'y') + "\"\"\"\n");
  const std::string message = refusal([&] { static_cast<void>(root.one_of("mode", {"spin"})); });
  EXPECT_LT(message.size(), 150U);
  EXPECT_THAT(message, HasSubstr("mode = \"x yyy"));
}

TEST(ConfigError, MalformedTomlNamesLineAndColumn) {
  const std::string message = refusal([] { config("ok = 1\nbroken = \n"); });
  EXPECT_THAT(message, HasSubstr("demo.toml:2: malformed TOML, column "));
}

TEST(ConfigError, ADuplicateKeyIsMalformed) {
  EXPECT_THAT(refusal([] { config("a = 1\na = 2\n"); }), HasSubstr("demo.toml:2: malformed TOML"));
}

TEST(ConfigError, TextThatIsNotUtf8IsMalformed) {
  EXPECT_THAT(refusal([] { config("a = \"\xff\xfe\"\n"); }), HasSubstr("malformed TOML"));
}

TEST(ConfigFile, LoadsFromAPathAndKeepsTheContentsAlive) {
  std::string path = "/tmp/sluice_config_test.XXXXXX";
  const int descriptor = mkstemp(path.data());
  ASSERT_GE(descriptor, 0);
  ASSERT_EQ(write(descriptor, "name = \"demo\"\n", 14), 14);
  close(descriptor);
  const ConfigTable root = ConfigFile::load(path).root();
  unlink(path.c_str());
  EXPECT_EQ(root.str("name"), "demo");
}

TEST(ConfigFile, AMissingFileIsNamedWithTheReason) {
  EXPECT_EQ(
      refusal([] { static_cast<void>(ConfigFile::load("/nonexistent/demo.toml")); }),
      "/nonexistent/demo.toml: cannot open the configuration: No such file or directory; name a "
      "readable file with --config");
}

TEST(ConfigFile, ADirectoryIsNoConfiguration) {
  EXPECT_THAT(refusal([] { static_cast<void>(ConfigFile::load("/tmp")); }),
              HasSubstr("/tmp: cannot read the configuration: Is a directory"));
}

}  // namespace
}  // namespace sluice
