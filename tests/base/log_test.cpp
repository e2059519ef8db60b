// The shape of a log line, the levels, and that hostile text cannot forge a line.
#include "common/base/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <string>

namespace sluice {
namespace {

using testing::MatchesRegex;

template <class F>
std::string logged(F&& body) {
  testing::internal::CaptureStderr();
  body();
  return testing::internal::GetCapturedStderr();
}

class Log : public testing::Test {
 protected:
  void TearDown() override { log_init("-", LogLevel::kInfo); }
};

TEST_F(Log, WritesUtcTimeLevelProcessAndMessage) {
  log_init("risk", LogLevel::kInfo);
  const std::string line = logged([] { log_info("limit {} at {}", 7, "BTC/USD"); });
  EXPECT_THAT(line,
              MatchesRegex("20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]"
                           "\\.[0-9]+Z INFO   risk  limit 7 at BTC/USD\n"));
}

TEST_F(Log, LevelsShareOneColumnWidth) {
  log_init("p", LogLevel::kDebug);
  EXPECT_NE(logged([] { log_debug("m"); }).find("Z DEBUG  p  m"), std::string::npos);
  EXPECT_NE(logged([] { log_warn("m"); }).find("Z WARN   p  m"), std::string::npos);
  EXPECT_NE(logged([] { log_error("m"); }).find("Z ERROR  p  m"), std::string::npos);
}

TEST_F(Log, WritesNothingBelowItsLevel) {
  log_init("p", LogLevel::kWarn);
  EXPECT_FALSE(log_enabled(LogLevel::kInfo));
  EXPECT_TRUE(log_enabled(LogLevel::kWarn));
  EXPECT_EQ(logged([] { log_info("hidden"); }), "");
}

TEST_F(Log, HostileTextStaysOnOneLine) {
  log_init("p", LogLevel::kInfo);
  const std::string line =
      logged([] { log_info("venue says {}", "a\nERROR forged\x1b[2J\x7f é"); });
  EXPECT_NE(line.find("venue says a\\x0aERROR forged\\x1b[2J\\x7f é\n"), std::string::npos) << line;
}

TEST_F(Log, BracesInArgumentsAreText) {
  log_init("p", LogLevel::kInfo);
  EXPECT_NE(logged([] { log_info("{}", "{not a format} %v"); }).find("p  {not a format} %v\n"),
            std::string::npos);
}

TEST_F(Log, LeavesErrnoAlone) {
  errno = EAGAIN;
  logged([] { log_info("x"); });
  errno = EAGAIN;
  testing::internal::CaptureStderr();
  log_info("x");
  const int after = errno;
  testing::internal::GetCapturedStderr();
  EXPECT_EQ(after, EAGAIN);
}

TEST_F(Log, ReadsTheNamesOfItsLevels) {
  LogLevel level = LogLevel::kInfo;
  EXPECT_TRUE(parse_log_level("debug", level));
  EXPECT_EQ(level, LogLevel::kDebug);
  EXPECT_TRUE(parse_log_level("error", level));
  EXPECT_EQ(level, LogLevel::kError);
  EXPECT_FALSE(parse_log_level("INFO", level));
  EXPECT_FALSE(parse_log_level("", level));
  EXPECT_EQ(level, LogLevel::kError) << "a refused name must not write";
}

}  // namespace
}  // namespace sluice
