// What the demo's runner asks the simulator, as a judge and not as a trader: status and ledger.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

namespace sluice::demo {

class VenueClient {
 public:
  explicit VenueClient(std::uint16_t port);
  ~VenueClient();

  // The answer of GET `target`, parsed. Throws Error{kVenueUnavailable} when none comes in time.
  [[nodiscard]] nlohmann::ordered_json get(const std::string& target);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::demo
