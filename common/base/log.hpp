// The log of a process: one line per call, on stderr.
//
//   2026-11-20T12:00:00.123456Z INFO  risk  limit sheet published
//
// Any thread may log. Never on a hot path (a lock and a write), never a secret, never per event.
// A message stays one line whatever a venue put into it: control characters are written as \xNN.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string_view>
#include <utility>

namespace sluice {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError };

// "debug", "info", "warn", "error" (the values of --log-level). False for anything else.
[[nodiscard]] bool parse_log_level(std::string_view text, LogLevel& out) noexcept;

// Names the process and sets the lowest level written. Before the first call lines carry the name
// "-" from kInfo up.
void log_init(std::string_view process, LogLevel level);

[[nodiscard]] bool log_enabled(LogLevel level) noexcept;

// Formats and writes one line; what the level excludes costs no formatting. The wrappers below
// check the format string at compile time.
void log_line(LogLevel level, fmt::string_view format, fmt::format_args arguments);

template <class... A>
void log_debug(fmt::format_string<A...> format, A&&... arguments) {
  log_line(LogLevel::kDebug, format, fmt::make_format_args(arguments...));
}
template <class... A>
void log_info(fmt::format_string<A...> format, A&&... arguments) {
  log_line(LogLevel::kInfo, format, fmt::make_format_args(arguments...));
}
template <class... A>
void log_warn(fmt::format_string<A...> format, A&&... arguments) {
  log_line(LogLevel::kWarn, format, fmt::make_format_args(arguments...));
}
template <class... A>
void log_error(fmt::format_string<A...> format, A&&... arguments) {
  log_line(LogLevel::kError, format, fmt::make_format_args(arguments...));
}

}  // namespace sluice
