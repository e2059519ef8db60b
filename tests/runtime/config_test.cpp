#include "common/runtime/config.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/base/error.hpp"

namespace sluice {
namespace {

std::string demo_text() {
  std::ifstream in(SLUICE_SOURCE_DIR "/config/demo.toml");
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

class InstanceConfigTest : public testing::Test {
 protected:
  void SetUp() override {
    path = testing::TempDir() + "/instance-" + std::to_string(::getpid()) + ".toml";
  }
  void TearDown() override { std::filesystem::remove(path); }

  // The demo's file with one piece of text replaced.
  void write_with(const std::string& from, const std::string& to) {
    std::string text = demo_text();
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    std::ofstream(path) << text;
  }
  // What load says; empty when it accepts.
  std::string refusal() {
    try {
      static_cast<void>(load_instance_config(path));
      return "";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kConfig);
      return error.what();
    }
  }
  std::string path;
};

TEST_F(InstanceConfigTest, ShippedDemoIsAccepted) {
  const InstanceConfig config = load_instance_config(SLUICE_SOURCE_DIR "/config/demo.toml");
  EXPECT_EQ(config.name, "demo");
  EXPECT_EQ(config.shm_dir, "/dev/shm/sluice/demo");
  ASSERT_EQ(config.instruments.size(), 2u);
  EXPECT_EQ(config.instrument_table()[0].position_symbol(), "BTCUSD");
  EXPECT_EQ(config.strategies.at(0).instruments, std::vector<std::uint32_t>{0});
  EXPECT_EQ(config.strategies.at(1).kind, "quoter");
  EXPECT_EQ(config.strategies.at(1).quoter.requote_bps, 20);
  EXPECT_EQ(config.strategies.at(1).momentum.lookback_ns, 0);
  EXPECT_EQ(config.gateway.settle_ns, 300'000'000);
}

struct Mistake {
  const char* from;
  const char* to;
  const char* says;  // key, value or remedy that the message must name
};

class MistakeTest : public InstanceConfigTest, public testing::WithParamInterface<Mistake> {};

TEST_P(MistakeTest, IsRefusedWithPlaceValueAndRemedy) {
  const Mistake& mistake = GetParam();
  write_with(mistake.from, mistake.to);
  const std::string said = refusal();
  EXPECT_NE(said.find(mistake.says), std::string::npos) << said;
  EXPECT_NE(said.find(path), std::string::npos) << said;
}

INSTANTIATE_TEST_SUITE_P(
    Each, MistakeTest,
    testing::Values(
        Mistake{"name = \"demo\"", "name = \"De-mo\"", "a-z"},
        Mistake{"rest_host = \"127.0.0.1\"", "rest_host = \"10.0.0.1\"", "loopback"},
        Mistake{"mode = \"simulator\"", "mode = \"practice\"", "practice"},
        Mistake{"rest_port = 8080", "rest_port = 80808", "80808"},
        Mistake{"order_slots = 4096", "order_slots = 4095", "power of two"},
        Mistake{"order_slots = 4096", "order_slotz = 4096", "order_slots"},
        Mistake{"tick = \"0.01\"", "tick = \"0\"", "tick"},
        Mistake{"min_qty = \"0.0001\"", "min_qty = \"0.000015\"", "multiple of lot"},
        Mistake{"feed = \"crypto\"\nvenue", "feed = \"stocks\"\nvenue", "known: crypto"},
        Mistake{"instruments = [\"BTC/USD\"]", "instruments = [\"LTC/USD\"]", "LTC/USD"},
        Mistake{"instruments = [\"ETH/USD\"]", "instruments = [\"BTC/USD\"]",
                "both strategies momentum and quoter"},
        Mistake{"kind = \"quoter\"", "kind = \"momentum\"", "signal_bps"},
        Mistake{"class = \"crypto\"", "class = \"us_equity\"", "carries the other class"},
        Mistake{"/v1beta3/crypto/us", "/v2/iex", "halt goes unseen"},
        Mistake{"\"trades\"]", "\"trades\", \"statuses\"]", "leave them out"},
        Mistake{"instruments = [\"BTC/USD\"]", "instruments = []", "at least one"},
        Mistake{"channels = [\"quotes\", \"trades\"]", "channels = [\"trades\"]",
                "quotes are needed"},
        Mistake{"market_data_max_age = \"3s\"\nrisk", "market_data_max_age = \"0s\"\nrisk",
                "bench_profile"},
        Mistake{"settle = \"300ms\"", "settle = 300", "settle"},
        Mistake{"reduce_collar_bps = 300", "reduce_collar_bps = 50", "wider collar"},
        Mistake{"duplicate_within = \"20ms\"", "duplicate_within = \"2s\"", "duplicate_within"},
        Mistake{"pin = []", "pin = [\"gateway\"]", "stage=cpu"},
        Mistake{"[risk]", "[[risk]]", "risk"}));

TEST_F(InstanceConfigTest, BrokenTomlNamesItsLine) {
  write_with("[gateway]", "[gateway");
  EXPECT_NE(refusal().find(path + ":"), std::string::npos);
}

TEST_F(InstanceConfigTest, BenchProfileIsForTheSimulatorOnly) {
  write_with("mode = \"simulator\"", "mode = \"paper\"");
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  std::string content = text.str();
  content.replace(content.find("[instance]"), 10, "[instance]\nbench_profile = true");
  std::ofstream(path) << content;
  EXPECT_NE(refusal().find("simulator only"), std::string::npos);
}

TEST_F(InstanceConfigTest, ShippedEquityDemoIsAccepted) {
  const InstanceConfig config = load_instance_config(SLUICE_SOURCE_DIR "/config/demo-equity.toml");
  EXPECT_EQ(config.feeds.at(0).asset_class(), AssetClass::kUsEquity);
  ASSERT_EQ(config.instruments.size(), 3u);
  EXPECT_EQ(config.strategies.at(1).instruments, (std::vector<std::uint32_t>{1, 2}));
  EXPECT_EQ(config.venues.at(0).taker_fee_bps, 0u);
}

// The demo's file as a stock feed with one equity.
std::string equity_text(const std::string& lot) {
  std::string text = demo_text();
  const auto put = [&](const std::string& from, const std::string& to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
      text.replace(at, from.size(), to);
  };
  put("/v1beta3/crypto/us", "/v2/sip");
  put("\"trades\"]", "\"trades\", \"statuses\"]");
  put("class = \"crypto\"", "");
  put("symbol = \"BTC/USD\"", "class = \"us_equity\"\nsymbol = \"IBM\"");
  put("symbol = \"ETH/USD\"", "class = \"us_equity\"\nsymbol = \"BAC\"");
  put("position_symbol = \"BTCUSD\"", "");
  put("position_symbol = \"ETHUSD\"", "");
  put("base = \"BTC\"", "");
  put("base = \"ETH\"", "");
  put("[\"BTC/USD\"]", "[\"IBM\"]");
  put("[\"ETH/USD\"]", "[\"BAC\"]");
  put("lot = \"0.00001\"", "lot = \"" + lot + "\"");
  put("lot = \"0.0001\"", "lot = \"" + lot + "\"");
  put("min_qty = \"0.0001\"", "min_qty = \"" + lot + "\"");
  put("min_qty = \"0.001\"", "min_qty = \"" + lot + "\"");
  return text;
}

TEST_F(InstanceConfigTest, EquitiesHaveWholeLotsAndTheirOwnClass) {
  std::ofstream(path) << equity_text("1");
  const InstanceConfig config = load_instance_config(path);
  EXPECT_TRUE(config.feeds.at(0).statuses);
  const InstrumentTable table = config.instrument_table();
  EXPECT_EQ(table[0].asset_class, AssetClass::kUsEquity);
  EXPECT_EQ(table[0].position_symbol(), "IBM");
  EXPECT_FALSE(table[0].has(kInstrumentFractional));
}

TEST_F(InstanceConfigTest, FractionalLotOfAnEquityIsRefused) {
  std::ofstream(path) << equity_text("0.5");
  EXPECT_NE(refusal().find("whole shares"), std::string::npos);
}

TEST_F(InstanceConfigTest, UnknownStageNameTellsTheKnownOnes) {
  const InstanceConfig config = load_instance_config(SLUICE_SOURCE_DIR "/config/demo.toml");
  try {
    static_cast<void>(config.strategy("nobody"));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    EXPECT_NE(std::string(error.what()).find("momentum"), std::string::npos);
  }
}

class CredentialsTest : public testing::Test {
 protected:
  void write(const std::string& text, mode_t mode) {
    path = testing::TempDir() + "/credentials-" + std::to_string(::getpid());
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
  }
  void TearDown() override { std::filesystem::remove(path); }
  std::string path;
};

TEST_F(CredentialsTest, TwoLinesAreRead) {
  write("key = ABC\nsecret = d=e f\n", 0600);
  const Credentials c = load_credentials(path);
  EXPECT_EQ(c.key, "ABC");
  EXPECT_EQ(c.secret, "d=e f");
}

TEST_F(CredentialsTest, FileReadableByOthersIsRefused) {
  write("key = ABC\nsecret = d\n", 0644);
  EXPECT_THROW(static_cast<void>(load_credentials(path)), Error);
}

TEST_F(CredentialsTest, MissingLineIsNamedAndTheSecretIsNot) {
  write("secret = verysecret\n", 0600);
  try {
    static_cast<void>(load_credentials(path));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kCredentials);
    EXPECT_NE(std::string(error.what()).find("key = "), std::string::npos);
    EXPECT_EQ(std::string(error.what()).find("verysecret"), std::string::npos);
  }
}

TEST_F(CredentialsTest, MissingFileIsNamed) {
  EXPECT_THROW(static_cast<void>(load_credentials("/nonexistent/credentials")), Error);
}

TEST_F(InstanceConfigTest, ADatabaseStandsBesideTheJournalUnlessItIsSwitchedOff) {
  write_with("database_file = \"sluice.db\"", "");
  const InstanceConfig config = load_instance_config(path);
  EXPECT_TRUE(config.persistence.database);
  EXPECT_EQ(config.persistence.database_file, config.run_dir + "/sluice.db");
  write_with("database = \"sqlite\"", "database = \"none\"");
  EXPECT_FALSE(load_instance_config(path).persistence.database);
  write_with("database = \"sqlite\"", "database = \"postgresql\"");
  EXPECT_NE(refusal().find("\"sqlite\", \"none\""), std::string::npos) << refusal();
  write_with("database_file = \"sluice.db\"", "database_file = \"\"");
  EXPECT_NE(refusal().find("database = \"none\""), std::string::npos) << refusal();
}

}  // namespace
}  // namespace sluice
