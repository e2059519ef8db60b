#include "tools/shm_top/screen.hpp"

#include <langinfo.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <clocale>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "common/runtime/stage.hpp"
#include "tools/shm_top/frame.hpp"

#define NCURSES_WIDECHAR 1
#include <ncurses.h>
#include <term.h>
#undef columns  // macros of term.h that would reach into our names
#undef lines

namespace sluice::top {
namespace {

using Clock = std::chrono::steady_clock;

// ---- what both kinds of terminal share ----

// The view, the latest snapshot, and when the next is due.
class Session {
 public:
  Session(Collector& collector, const ScreenOptions& options)
      : collector_(collector), interval_(options.interval_ms) {
    view_.utf8 = options.utf8;
    view_.colour = options.colour;
    take();
  }

  [[nodiscard]] View& view() noexcept { return view_; }
  [[nodiscard]] std::vector<Line> frame() { return draw(snapshot_, view_); }

  // False for quit.
  [[nodiscard]] bool handle(Key key) {
    switch (press(view_, key)) {
      case Request::kQuit:
        return false;
      case Request::kResetMaxima:
        collector_.reset_maxima();
        if (!view_.paused)  // a picture that stands still is not replaced, whatever begins anew
          take();
        break;
      case Request::kNone:
        break;
    }
    return true;
  }

  // A new snapshot, when one is due. True when there is one.
  bool refresh() {
    if (Clock::now() < due_)
      return false;
    if (view_.paused) {
      due_ = Clock::now() + interval_;
      return false;
    }
    take();
    return true;
  }
  [[nodiscard]] int wait_ms() const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(due_ - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, interval_.count()));
  }

 private:
  void take() {
    snapshot_ = collector_.collect();
    due_ = Clock::now() + interval_;
  }

  Collector& collector_;
  std::chrono::milliseconds interval_;
  Clock::time_point due_{};
  View view_;
  Snapshot snapshot_;
};

enum class Input : std::uint8_t { kNothing, kReady, kGone };

// A signal (a resize, a stop) ends the wait early.
Input wait_for_input(int timeout_ms) {
  pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  if (::poll(&input, 1, timeout_ms) <= 0)
    return Input::kNothing;
  // A terminal that hung up stays readable for ever and never says anything.
  return (input.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0 ? Input::kGone : Input::kReady;
}

winsize terminal_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
    size = {};
  return size;
}

// ---- a terminal that can move its cursor ----

class Curses {
 public:
  Curses() {
    ::initscr();
    ::cbreak();
    ::noecho();
    ::nonl();
    ::keypad(stdscr, TRUE);
    ::nodelay(stdscr, TRUE);
    ::set_escdelay(25);
    ::curs_set(0);
    if (::has_colors()) {
      ::start_color();
      ::use_default_colors();
      ::init_pair(kGreen, COLOR_GREEN, -1);
      ::init_pair(kYellow, COLOR_YELLOW, -1);
      ::init_pair(kRed, COLOR_RED, -1);
      ::init_pair(kCyan, COLOR_CYAN, -1);
      ::init_pair(kBlue, COLOR_BLUE, -1);
      // Grey, where there is one; the terminal's own idea of dim elsewhere.
      grey_ = COLORS >= 256 && ::init_pair(kGrey, 244, -1) == OK;
    }
  }
  ~Curses() { ::endwin(); }
  Curses(const Curses&) = delete;
  Curses& operator=(const Curses&) = delete;

  void show(const std::vector<Line>& lines, bool colour) {
    for (int y = 0; y < LINES; ++y) {
      ::move(y, 0);
      if (static_cast<std::size_t>(y) < lines.size()) {
        for (const Span& span : lines[static_cast<std::size_t>(y)]) {
          ::attrset(static_cast<int>(attributes(span.style, colour && ::has_colors())));
          ::addnstr(span.text.data(), static_cast<int>(span.text.size()));
        }
      }
      ::attrset(A_NORMAL);
      // A line that fills the screen leaves the cursor on the next one: nothing to clear there.
      if (getcury(stdscr) == y && getcurx(stdscr) < COLS)
        ::clrtoeol();
    }
    ::refresh();
  }

 private:
  enum Pair : short { kGreen = 1, kYellow, kRed, kCyan, kBlue, kGrey };

  // Without colour, what alarms stands reversed.
  [[nodiscard]] chtype attributes(Style style, bool colour) const {
    const auto pair = [&](short number) {
      return colour ? static_cast<chtype>(COLOR_PAIR(number)) : chtype{A_NORMAL};
    };
    switch (style) {
      case Style::kPlain:
        return A_NORMAL;
      case Style::kDim:
        return colour && grey_ ? pair(kGrey) : A_DIM;
      case Style::kTitle:
        return A_BOLD | pair(kCyan);
      case Style::kChosen:
        return A_BOLD | A_REVERSE | pair(kCyan);
      case Style::kHead:
        return pair(kCyan);
      case Style::kSorted:
        return A_UNDERLINE | pair(kCyan);
      case Style::kName:
        return A_BOLD;
      case Style::kGood:
        return pair(kGreen);
      case Style::kNote:
        return colour ? pair(kYellow) : A_BOLD;
      case Style::kAlarm:
        return A_BOLD | (colour ? pair(kRed) : chtype{A_REVERSE});
      case Style::kBar:
        return pair(kBlue);
    }
    return A_NORMAL;
  }

  bool grey_{false};
};

Key key_of(int code) {
  using Kind = Key::Kind;
  struct Named {
    int code;
    Kind kind;
  };
  constexpr std::array kNamed{
      Named{KEY_UP, Kind::kUp},        Named{KEY_DOWN, Kind::kDown},
      Named{KEY_PPAGE, Kind::kPageUp}, Named{KEY_NPAGE, Kind::kPageDown},
      Named{KEY_HOME, Kind::kHome},    Named{KEY_END, Kind::kEnd},
      Named{KEY_LEFT, Kind::kLeft},    Named{KEY_RIGHT, Kind::kRight},
      Named{KEY_BTAB, Kind::kBackTab}, Named{KEY_BACKSPACE, Kind::kBackspace},
      Named{KEY_ENTER, Kind::kEnter},  Named{'\t', Kind::kTab},
      Named{'\r', Kind::kEnter},       Named{'\n', Kind::kEnter},
      Named{27, Kind::kEscape},        Named{127, Kind::kBackspace},
      Named{8, Kind::kBackspace}};
  const auto* const found =
      std::find_if(kNamed.begin(), kNamed.end(), [&](const Named& n) { return n.code == code; });
  if (found != kNamed.end())
    return {.kind = found->kind};
  if (code >= ' ' && code <= '~')
    return {.kind = Kind::kCharacter, .character = static_cast<char>(code)};
  return {};
}

int run_curses(Session& session) {
  Curses screen;
  for (bool draw_anew = true; !stop_requested();) {
    session.view().width = static_cast<std::size_t>(std::max(COLS, 1));
    session.view().height = static_cast<std::size_t>(std::max(LINES, 1));
    if (draw_anew)
      screen.show(session.frame(), session.view().colour);
    draw_anew = false;
    if (wait_for_input(session.wait_ms()) == Input::kGone)
      return 0;
    for (int code = ::getch(); code != ERR; code = ::getch()) {
      draw_anew = true;  // KEY_RESIZE among them: LINES and COLS are then new
      if (code == KEY_RESIZE)
        ::erase();
      else if (!session.handle(key_of(code)))
        return 0;
    }
    draw_anew = session.refresh() || draw_anew;
  }
  return 0;
}

// ---- a terminal that cannot ----

// Keys that come a line at a time. The line's end only sends them, unless nothing else stands on
// the line or a filter is being typed: then it is Enter.
class TypedLines {
 public:
  // False for quit.
  [[nodiscard]] bool take(Session& session, char typed) {
    const bool end = typed == '\n';
    const bool sends = end && !line_empty_ && !session.view().filtering;
    line_empty_ = end;
    return sends || session.handle(key_of(typed));
  }

 private:
  bool line_empty_{true};
};

// A frame every interval, one below the other.
int run_plain(Session& session) {
  session.view().height = 0;
  TypedLines lines;
  for (bool draw_anew = true; !stop_requested();) {
    if (const winsize size = terminal_size(); size.ws_col != 0)
      session.view().width = size.ws_col;
    if (draw_anew) {
      for (const Line& line : session.frame())
        std::printf("%s\n", text_without_trailing_blanks(line).c_str());
      std::printf("\n");
      if (std::fflush(stdout) != 0)
        return 0;
    }
    draw_anew = false;
    const Input input = wait_for_input(session.wait_ms());
    if (input == Input::kGone)
      return 0;
    if (input == Input::kReady) {
      std::array<char, 64> typed;
      const ssize_t count = ::read(STDIN_FILENO, typed.data(), typed.size());
      if (count <= 0)
        return 0;
      for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
        if (!lines.take(session, typed[i]))
          return 0;
      }
      draw_anew = true;
    }
    draw_anew = session.refresh() || draw_anew;
  }
  return 0;
}

bool can_move_cursor() {
  const char* const name = std::getenv("TERM");
  if (name == nullptr || *name == '\0' || std::strcmp(name, "dumb") == 0)
    return false;
  int error = 0;
  if (::setupterm(nullptr, STDOUT_FILENO, &error) != OK)
    return false;
  const char* const move_to = ::tigetstr("cup");
  // Either value is ncurses' "no such capability".
  return move_to != nullptr && reinterpret_cast<std::intptr_t>(move_to) != -1;
}

}  // namespace

bool locale_is_utf8() {
  std::setlocale(LC_CTYPE, "");
  return std::strcmp(::nl_langinfo(CODESET), "UTF-8") == 0;
}

std::size_t output_width() {
  if (const winsize size = terminal_size(); size.ws_col != 0)
    return size.ws_col;
  const char* const columns = std::getenv("COLUMNS");
  const long width = columns == nullptr ? 0 : std::strtol(columns, nullptr, 10);
  return width > 0 && width <= 1000 ? static_cast<std::size_t>(width) : 120;
}

int run_screen(Collector& collector, const ScreenOptions& options) {
  install_stop_signals();
  Session session(collector, options);
  return can_move_cursor() ? run_curses(session) : run_plain(session);
}

}  // namespace sluice::top
