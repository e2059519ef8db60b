#include "common/runtime/incarnation.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/base/error.hpp"

namespace sluice {
namespace {

class IncarnationTest : public testing::Test {
 protected:
  void SetUp() override {
    dir = testing::TempDir() + "/incarnation-" + std::to_string(::getpid());
    std::filesystem::remove_all(dir);
  }
  void TearDown() override { std::filesystem::remove_all(dir); }
  void write(const std::string& text) const {
    std::filesystem::create_directories(dir);
    std::ofstream(dir + "/incarnation.risk") << text;
  }
  std::string dir;
};

TEST_F(IncarnationTest, StartsAtOneAndIsRaisedByEveryCall) {
  EXPECT_EQ(raise_incarnation(dir, "risk"), 1u);
  EXPECT_EQ(raise_incarnation(dir, "risk"), 2u);
  EXPECT_EQ(raise_incarnation(dir, "risk"), 3u);
}

TEST_F(IncarnationTest, RolesCountApart) {
  EXPECT_EQ(raise_incarnation(dir, "risk"), 1u);
  EXPECT_EQ(raise_incarnation(dir, "gateway"), 1u);
}

TEST_F(IncarnationTest, UnreadableCounterIsRefusedAndNeverTakenForZero) {
  for (const char* garbage : {"", "abc", "-1", "0", "12x", "99999999999"}) {
    write(garbage);
    EXPECT_THROW(static_cast<void>(raise_incarnation(dir, "risk")), Error) << garbage;
    std::ifstream in(dir + "/incarnation.risk");
    std::string text;
    std::getline(in, text);
    EXPECT_EQ(text, garbage);
  }
}

TEST_F(IncarnationTest, LastNumberIsRefused) {
  write("4294967295\n");
  EXPECT_THROW(static_cast<void>(raise_incarnation(dir, "risk")), Error);
}

TEST_F(IncarnationTest, TornReplacementLeavesTheOldNumberInForce) {
  EXPECT_EQ(raise_incarnation(dir, "risk"), 1u);
  std::ofstream(dir + "/incarnation.risk.new") << "garbage of a process that died here";
  EXPECT_EQ(raise_incarnation(dir, "risk"), 2u);
}

}  // namespace
}  // namespace sluice
