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
  ASSERT_EQ(config.instruments.size(), 1u);
  EXPECT_EQ(config.instrument_table()[0].position_symbol(), "BTCUSD");
  EXPECT_EQ(config.strategies.at(0).instruments, std::vector<std::uint32_t>{0});
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
        Mistake{"instruments = [\"BTC/USD\"]", "instruments = [\"ETH/USD\"]", "ETH/USD"},
        Mistake{"instruments = [\"BTC/USD\"]", "instruments = []", "at least one"},
        Mistake{"channels = [\"quotes\", \"trades\"]", "channels = [\"trades\"]",
                "quotes are needed"},
        Mistake{"market_data_max_age = \"3s\"\nrisk", "market_data_max_age = \"0s\"\nrisk",
                "bench_profile"},
        Mistake{"settle = \"300ms\"", "settle = 300", "settle"},
        Mistake{"reduce_collar_bps = 300", "reduce_collar_bps = 50", "wider collar"},
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

TEST_F(InstanceConfigTest, TwoStrategiesMayNotShareAnInstrument) {
  std::string text = demo_text();
  const std::size_t from = text.find("[[strategy]]");
  const std::size_t to = text.find("[risk]");
  std::string second = text.substr(from, to - from);
  second.replace(second.find("\"momentum\""), 10, "\"other\"");
  text.insert(to, second);
  std::ofstream(path) << text;
  EXPECT_NE(refusal().find("disjoint"), std::string::npos);
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

}  // namespace
}  // namespace sluice
