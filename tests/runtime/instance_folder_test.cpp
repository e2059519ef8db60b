// Which folder a tool looks at when it is told little or nothing.

#include "common/runtime/instance_folder.hpp"

#include "tests/shm/shm_fixture.hpp"

namespace sluice {
namespace {

using shm::test::error_of;
using shm::test::says;

class InstanceFolder : public shm::test::ShmTest {
 protected:
  void create(const std::string& name) {
    shm::Layout layout = small_layout();
    layout.dir = path(name);
    shm::create_layout(layout, false);
  }
  [[nodiscard]] InstanceChoice nothing_said() const {
    return {.dir = "", .config = "", .root = dir()};
  }
};

TEST_F(InstanceFolder, IsTheOnlyInstanceBelowTheRoot) {
  create("one");
  std::filesystem::create_directories(path("empty"));
  std::filesystem::create_directories(path("one.up"));
  EXPECT_EQ(instance_folder(nothing_said()), path("one"));
}

TEST_F(InstanceFolder, LayoutThatWasSetAsideIsNoInstance) {
  create("one");
  create("old");
  std::filesystem::rename(path("old"), path("one.aside-7"));
  EXPECT_EQ(instance_folder(nothing_said()), path("one"));
}

TEST_F(InstanceFolder, SeveralAreListedAndNoneIsSaid) {
  const Error none = error_of([&] { static_cast<void>(instance_folder(nothing_said())); });
  EXPECT_EQ(none.code(), ExitCode::kUsage);
  EXPECT_TRUE(says(none.what(), {"no instance", dir()}));
  create("one");
  create("two");
  const Error several = error_of([&] { static_cast<void>(instance_folder(nothing_said())); });
  EXPECT_EQ(several.code(), ExitCode::kUsage);
  EXPECT_TRUE(says(several.what(), {"one, two", "--dir"}));
}

TEST_F(InstanceFolder, FolderThatIsNamedMustExist) {
  EXPECT_EQ(instance_folder({.dir = dir(), .config = ""}), dir());
  const Error error =
      error_of([&] { static_cast<void>(instance_folder({.dir = path("nope"), .config = ""})); });
  EXPECT_EQ(error.code(), ExitCode::kResource);
}

TEST_F(InstanceFolder, TwoWaysOfNamingItAreOneTooMany) {
  const Error error =
      error_of([&] { static_cast<void>(instance_folder({.dir = dir(), .config = "x.toml"})); });
  EXPECT_EQ(error.code(), ExitCode::kUsage);
}

}  // namespace
}  // namespace sluice
