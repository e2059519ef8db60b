// credentials.hpp — the one key pair the simulated account answers to.
#pragma once

#include <string>
#include <string_view>

namespace sluice::sim {

struct Credentials {
  std::string key;
  std::string secret;

  // Both must be given: an empty key never matches.
  [[nodiscard]] bool match(std::string_view other_key, std::string_view other_secret) const {
    return !key.empty() && key == other_key && secret == other_secret;
  }
};

}  // namespace sluice::sim
