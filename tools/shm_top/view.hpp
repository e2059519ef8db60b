// View: what the person at the screen has chosen; and what each key does to it. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace sluice::top {

enum class Panel : std::uint8_t { kStages, kRings, kLatency, kLimits, kErrors };
inline constexpr std::size_t kPanels = 5;
[[nodiscard]] const char* to_string(Panel panel) noexcept;

struct View {
  std::size_t width{120};
  std::size_t height{40};  // 0: as many lines as it takes (--once)
  bool utf8{true};
  bool colour{true};
  Panel panel{Panel::kStages};  // the one that keys mean, and the last to lose its lines
  bool zoomed{false};           // that panel alone
  bool help{false};
  bool paused{false};
  bool filtering{false};  // the filter is being typed
  std::string filter;     // rows that contain it; of all panels
  std::array<std::size_t, kPanels> scroll{};
  std::array<std::size_t, kPanels> sort{};  // index of the panel's sort key

  [[nodiscard]] std::size_t& scroll_of(Panel p) { return scroll[static_cast<std::size_t>(p)]; }
  [[nodiscard]] std::size_t scroll_of(Panel p) const { return scroll[static_cast<std::size_t>(p)]; }
  [[nodiscard]] std::size_t sort_of(Panel p) const { return sort[static_cast<std::size_t>(p)]; }
};

struct Key {
  enum class Kind : std::uint8_t {
    kCharacter,
    kUp,
    kDown,
    kPageUp,
    kPageDown,
    kHome,
    kEnd,
    kLeft,
    kRight,
    kTab,
    kBackTab,
    kEnter,
    kBackspace,
    kEscape,
    kOther,
  };
  Kind kind{Kind::kOther};
  char character{0};
};

// What the shell must do beside drawing anew.
enum class Request : std::uint8_t { kNone, kQuit, kResetMaxima };

[[nodiscard]] Request press(View& view, Key key);

// The keys and what they do, one line each, for the help page and --help.
inline constexpr std::array<std::array<const char*, 2>, 11> kKeyHelp{{
    {"q", "quit"},
    {"Tab, arrows left and right, 1-5", "choose a panel; it keeps its lines longest"},
    {"arrows up and down, PgUp, PgDn, Home, End", "scroll it"},
    {"Enter", "that panel alone, and back"},
    {"s, S", "sort it by its next, previous column"},
    {"/", "show only rows with a text, in all panels; Enter keeps it, Esc drops it"},
    {"p, Space", "pause the picture; the instance goes on"},
    {"r", "maxima, longest turns and \"since\" count from now on"},
    {"c", "with or without colour"},
    {"?, h", "this page"},
    {"Esc", "back to the whole picture"},
}};

}  // namespace sluice::top
