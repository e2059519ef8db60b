// The demo's instance laid out in a folder of its own, and roles in it for the test to play.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "common/runtime/config.hpp"
#include "common/runtime/topology.hpp"
#include "shm/instance.hpp"
#include "shm/layout.hpp"
#include "shm/role.hpp"
#include "tests/shm/shm_fixture.hpp"
#include "tests/storage/journal_fixture.hpp"

namespace sluice::test {

using shm::test::eventually;

inline std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class InstanceTest : public ::testing::Test {
 protected:
  // `changes`: texts of config/demo.toml and what stands there instead.
  void lay_out(std::vector<std::pair<std::string, std::string>> changes) {
    std::string text = text_of(SLUICE_SOURCE_DIR "/config/demo.toml");
    changes.emplace_back("\nname = \"demo\"",
                         "\nname = \"procstest\"\nshm_dir = \"" + (temp_ / "shm") + "\"");
    for (const auto& [from, to] : changes) {
      const std::size_t at = text.find(from);
      ASSERT_NE(at, std::string::npos) << from << " is not in config/demo.toml";
      text.replace(at, from.size(), to);
    }
    std::ofstream(config_file()) << text;
    config_ = load_instance_config(config_file());
    shm::create_layout(layout_of(config_), false);
    instance_.emplace(shm::Instance::attach(config_.shm_dir, std::chrono::milliseconds{0}));
  }
  void TearDown() override {
    roles_.clear();
    shm::destroy_layout(config_.shm_dir, true);
  }
  void play(const std::string& role) {
    roles_.push_back(shm::RoleLock::acquire(config_.shm_dir, role, "test"));
  }
  [[nodiscard]] std::string config_file() const { return temp_ / "test.toml"; }

  TempDir temp_;
  InstanceConfig config_;
  std::optional<shm::Instance> instance_;
  std::vector<shm::RoleLock> roles_;
};

}  // namespace sluice::test
