// Exit codes, the one line a process dies with, and the assertion.
#include "common/base/error.hpp"

#include <gtest/gtest.h>

#include <new>

namespace sluice {
namespace {

int ends_well(int argc, char** /*argv*/) {
  return argc;
}
int misconfigured(int /*argc*/, char** /*argv*/) {
  throw Error(ExitCode::kConfig, "demo.toml:3: risk.limit = 0: expected more");
}
int out_of_memory(int /*argc*/, char** /*argv*/) {
  throw std::bad_alloc();
}

TEST(RunMain, ReturnsWhatTheBodyReturns) {
  EXPECT_EQ(run_main("sluice-test", &ends_well, 3, nullptr), 3);
}

TEST(RunMain, AnErrorBecomesOneLineAndItsExitCode) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_main("sluice-test", &misconfigured, 0, nullptr), 78);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "sluice-test: demo.toml:3: risk.limit = 0: expected more\n");
}

TEST(RunMain, AnUnexpectedExceptionIsABug) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_main("sluice-test", &out_of_memory, 0, nullptr), 70);
  const std::string line = testing::internal::GetCapturedStderr();
  EXPECT_NE(line.find("sluice-test: bug: unexpected exception: std::bad_alloc"), std::string::npos);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST(ExitCode, HasTheDocumentedValues) {
  EXPECT_EQ(static_cast<int>(ExitCode::kDone), 0);
  EXPECT_EQ(static_cast<int>(ExitCode::kNotReconciled), 1);
  EXPECT_EQ(static_cast<int>(ExitCode::kUsage), 64);
  EXPECT_EQ(static_cast<int>(ExitCode::kVenueUnavailable), 69);
  EXPECT_EQ(static_cast<int>(ExitCode::kBug), 70);
  EXPECT_EQ(static_cast<int>(ExitCode::kResource), 73);
  EXPECT_EQ(static_cast<int>(ExitCode::kRoleTaken), 75);
  EXPECT_EQ(static_cast<int>(ExitCode::kCredentials), 77);
  EXPECT_EQ(static_cast<int>(ExitCode::kConfig), 78);
}

TEST(SluiceAssertDeathTest, DiesNamingPlaceExpressionAndMeaning) {
  EXPECT_DEATH(SLUICE_ASSERT(1 + 1 == 3, "sums must agree"),
               "error_test.cpp:[0-9]+: assertion failed: 1 \\+ 1 == 3: sums must agree");
}

TEST(SluiceAssert, IsSilentWhileTheInvariantHolds) {
  int evaluations = 0;
  SLUICE_ASSERT(++evaluations == 1, "evaluated once");
  EXPECT_EQ(evaluations, 1);
}

}  // namespace
}  // namespace sluice
