// The terminal: ncurses where it can move the cursor, plain frames one below the other where it
// cannot. The only file that knows ncurses is screen.cpp.
#pragma once

#include <cstdint>
#include <string>

#include "tools/shm_top/collector.hpp"
#include "tools/shm_top/view.hpp"

namespace sluice::top {

struct ScreenOptions {
  std::int64_t interval_ms{1000};
  bool utf8{true};
  bool colour{true};
};

// Whether the locale of this process says UTF-8. Sets the locale from the environment.
[[nodiscard]] bool locale_is_utf8();
// Columns of the terminal on stdout, then $COLUMNS, then 120.
[[nodiscard]] std::size_t output_width();

// Shows the instance until q, a signal, or the end of the terminal. Returns the exit code.
int run_screen(Collector& collector, const ScreenOptions& options);

}  // namespace sluice::top
