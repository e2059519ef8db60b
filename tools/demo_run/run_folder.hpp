// The demo's run folder: a fresh one each time, the last three kept, with its own configuration.
#pragma once

#include <cstdint>
#include <string>

namespace sluice::demo {

struct RunFolder {
  std::string path;         // <root>/runs/<UTC stamp>
  std::string config;       // <path>/instance.toml
  std::string capture;      // <path>/wire.capture
  std::string venue_state;  // <path>/venue
  std::string logs;         // <path>/logs
};

// Makes `<root>/runs/<stamp>` and removes all but the newest three. Throws Error{kResource}.
[[nodiscard]] RunFolder make_run_folder(const std::string& root);

struct Input;

struct Ports {
  std::uint16_t market_data{0};
  std::uint16_t trading{0};
};

// Copies the input's template with ports, folders and credentials of this run put in, and with the
// session's names for its symbols; everything else stands as the user wrote it. Throws
// Error{kConfig} when the template lacks a key that has to be set.
void write_instance_config(const RunFolder& run, const Input& input, const std::string& state_dir,
                           const Ports& ports);

// Mode 0600. Throws Error{kResource}.
void write_credentials(const RunFolder& run, const std::string& key, const std::string& secret);

}  // namespace sluice::demo
