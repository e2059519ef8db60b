#include "common/base/fault.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace sluice {
namespace {

#if defined(SLUICE_PLANT_BUGS)

TEST(PlantedBug, IsTheOneTheEnvironmentNames) {
  const char* named = std::getenv("SLUICE_PLANTED_BUG");
  for (int number = 1; number <= 10; ++number) {
    EXPECT_EQ(SLUICE_PLANTED(number), named != nullptr && std::to_string(number) == named);
  }
}

#else

TEST(PlantedBug, IsNotCompiledIntoAnOrdinaryBuild) {
  static_assert(!SLUICE_PLANTED(1));
  setenv("SLUICE_PLANTED_BUG", "1", 1);
  EXPECT_FALSE(SLUICE_PLANTED(1));
  unsetenv("SLUICE_PLANTED_BUG");
}

#endif

}  // namespace
}  // namespace sluice
