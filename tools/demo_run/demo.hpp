// The demo's runner: starts the simulator, the byte relay and an instance of Sluice, lets a session
// pass through, winds down, and has three judges compare the books.
//
// It is no part of the trading side and knows what it knows as a judge: the simulator's status and
// ledger never reach a stage.
#pragma once

#include <cstdint>
#include <string>

#include "tools/demo_run/input.hpp"

namespace sluice::demo {

struct DemoOptions {
  std::string root;  // run folders and durable counters live here
  InputOptions input;
  std::string speed{"6"};         // session seconds per second, or "max"
  std::int64_t seconds{0};        // wind down after this many seconds; 0: with the session's end
  std::int64_t quiet_within{60};  // seconds from the wind-down until flat and quiescent
  std::string fault;              // of the simulator, empty: none
  std::string variant;            // of the simulator, empty: its defaults
  std::string judge;              // path of judge.py
  bool json{false};
  bool require_activity{true};  // fills, partial fills and cancels must all have happened
};

// Exit code 0: reconciled. 1: ended, but not reconciled. Throws Error for what kept it from
// running.
int run_demo(const DemoOptions& options);

}  // namespace sluice::demo
