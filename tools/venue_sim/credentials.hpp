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

  // The value of an Authorization header: "Basic " and key:secret in base64 (RFC 7617). False for
  // any other scheme and for what is not base64.
  [[nodiscard]] bool match_basic(std::string_view authorization) const;
};

}  // namespace sluice::sim
