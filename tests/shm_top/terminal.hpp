// A terminal for the test of a screen program: a child on a pseudo-terminal, and what an xterm
// would show of what it writes. Knows the controls that ncurses sends for TERM=xterm-256color;
// anything else is counted, so that a test can say that it understood all it saw.
#pragma once

#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sluice::top::test {

class Terminal {
 public:
  Terminal(int width, int height) { resize_cells(width, height); }
  ~Terminal() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    if (master_ >= 0)
      ::close(master_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // Starts a program on the terminal, with these variables set (and NO_COLOR, COLUMNS, LINES
  // unset).
  void start(const std::vector<std::string>& command,
             const std::vector<std::pair<std::string, std::string>>& environment,
             int ignored_signal = 0) {
    winsize size = window();
    pid_ = ::forkpty(&master_, nullptr, nullptr, &size);
    if (pid_ != 0)
      return;
    for (const char* name : {"NO_COLOR", "COLUMNS", "LINES", "LC_ALL", "LC_CTYPE"})
      ::unsetenv(name);
    for (const auto& [name, value] : environment)
      ::setenv(name.c_str(), value.c_str(), 1);
    if (ignored_signal != 0)
      ::signal(ignored_signal, SIG_IGN);
    std::vector<char*> arguments;
    arguments.reserve(command.size() + 1);
    for (const std::string& word : command)
      arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

  void type(const std::string& keys) {
    if (::write(master_, keys.data(), keys.size()) != static_cast<ssize_t>(keys.size()))
      ++not_understood_;
  }
  // As a person pulling at the window's corner: the program gets SIGWINCH.
  void resize(int width, int height) {
    resize_cells(width, height);
    const winsize size = window();
    ::ioctl(master_, TIOCSWINSZ, &size);
  }
  // Takes what the program wrote within about a tenth of a second. False once it is gone.
  bool look() {
    fd_set ready;
    FD_ZERO(&ready);
    FD_SET(master_, &ready);
    timeval within{.tv_sec = 0, .tv_usec = 100'000};
    if (::select(master_ + 1, &ready, nullptr, nullptr, &within) <= 0)
      return true;
    std::array<char, 65536> bytes;
    const ssize_t count = ::read(master_, bytes.data(), bytes.size());
    if (count <= 0)
      return false;  // EIO: the other side was closed
    raw_.append(bytes.data(), static_cast<std::size_t>(count));
    for (; taken_ < raw_.size();) {
      const std::size_t used = take(taken_);
      if (used == 0)
        break;  // a sequence of which the rest is still to come
      taken_ += used;
    }
    return true;
  }
  // Closes our side, as a terminal emulator that is killed.
  void hang_up() { ::close(std::exchange(master_, -1)); }
  [[nodiscard]] bool ended() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == pid_;
  }
  // The exit code, or -signal, once it ended.
  [[nodiscard]] int wait() {
    while (master_ >= 0 && look()) {
    }
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }

  [[nodiscard]] std::string screen() const {
    std::string out;
    for (const auto& row : cells_) {
      std::string line;
      for (const std::string& cell : row)
        line += cell;
      line.resize(line.find_last_not_of(' ') + 1);
      out += line + '\n';
    }
    return out;
  }
  [[nodiscard]] bool shows(const std::string& text) const {
    return screen().find(text) != std::string::npos;
  }
  [[nodiscard]] const std::string& raw() const noexcept { return raw_; }
  [[nodiscard]] int not_understood() const noexcept { return not_understood_; }

 private:
  using Row = std::vector<std::string>;

  [[nodiscard]] winsize window() const {
    winsize size{};
    size.ws_row = static_cast<unsigned short>(cells_.size());
    size.ws_col = static_cast<unsigned short>(cells_.front().size());
    return size;
  }
  void resize_cells(int width, int height) {
    for (Row& row : cells_)
      row.resize(static_cast<std::size_t>(width), " ");
    cells_.resize(static_cast<std::size_t>(height), Row(static_cast<std::size_t>(width), " "));
    clamp();
  }
  void clamp() {
    y_ = std::clamp(y_, 0, static_cast<int>(cells_.size()) - 1);
    x_ = std::clamp(x_, 0, static_cast<int>(cells_.front().size()));
  }
  void put(const std::string& character) {
    if (x_ >= static_cast<int>(cells_.front().size())) {
      x_ = 0;
      ++y_;
    }
    clamp();
    cells_[static_cast<std::size_t>(y_)][static_cast<std::size_t>(x_++)] = character;
    last_ = character;
  }
  void erase(int y, int from, int to) {
    Row& row = cells_[static_cast<std::size_t>(y)];
    for (int x = std::max(from, 0); x < std::min(to, static_cast<int>(row.size())); ++x)
      row[static_cast<std::size_t>(x)] = " ";
  }

  // Takes one character or control at `at`; returns its bytes, 0 when it is not complete.
  std::size_t take(std::size_t at) {
    const auto c = static_cast<unsigned char>(raw_[at]);
    if (c == 0x1b)
      return take_escape(at);
    if (c < 0x20) {
      take_control(c);
      return 1;
    }
    const std::size_t bytes = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    if (at + bytes > raw_.size())
      return 0;
    put(raw_.substr(at, bytes));
    return bytes;
  }
  void take_control(unsigned char c) {
    switch (c) {
      case '\r':
        x_ = 0;
        break;
      case '\n':
        ++y_;
        break;
      case '\b':
        --x_;
        break;
      case '\t':
        x_ = (x_ / 8 + 1) * 8;
        break;
      case 0x0f:  // character set, bell
      case 0x0e:
      case 0x07:
        break;
      default:
        ++not_understood_;
    }
    clamp();
  }
  std::size_t take_escape(std::size_t at) {
    if (at + 1 >= raw_.size())
      return 0;
    const char kind = raw_[at + 1];
    if (kind == '(' || kind == ')')
      return at + 2 < raw_.size() ? 3 : 0;
    if (kind == '=' || kind == '>' || kind == '7' || kind == '8')
      return 2;
    if (kind == 'M') {
      --y_;
      clamp();
      return 2;
    }
    if (kind != '[') {
      ++not_understood_;
      return 2;
    }
    const std::size_t end = raw_.find_first_not_of("0123456789;?>", at + 2);
    if (end == raw_.npos)
      return 0;
    control_sequence(raw_.substr(at + 2, end - at - 2), raw_[end]);
    return end + 1 - at;
  }
  void control_sequence(const std::string& text, char what) {
    const bool own = !text.empty() && (text[0] == '?' || text[0] == '>');
    const int first = own || text.empty() ? 0 : std::atoi(text.c_str());
    const std::size_t semicolon = text.find(';');
    const int second = semicolon == text.npos ? 0 : std::atoi(text.c_str() + semicolon + 1);
    const int n = std::max(first, 1);
    const int width = static_cast<int>(cells_.front().size());
    const int height = static_cast<int>(cells_.size());
    switch (what) {
      case 'H':
        y_ = n - 1;
        x_ = std::max(second, 1) - 1;
        break;
      case 'A':
        y_ -= n;
        break;
      case 'B':
        y_ += n;
        break;
      case 'C':
        x_ += n;
        break;
      case 'D':
        x_ -= n;
        break;
      case 'G':
        x_ = n - 1;
        break;
      case 'd':
        y_ = n - 1;
        break;
      case 'K':
        erase(y_, first == 0 ? x_ : 0, first == 1 ? x_ + 1 : width);
        break;
      case 'J':
        if (first == 0)
          erase(y_, x_, width);
        for (int y = first == 0 ? y_ + 1 : 0; y < height; ++y)
          erase(y, 0, width);
        break;
      case 'X':
        erase(y_, x_, x_ + n);
        break;
      case 'b':
        for (int i = 0; i < n; ++i)
          put(last_);
        break;
      case 'P':
      case '@': {
        Row& row = cells_[static_cast<std::size_t>(y_)];
        const auto here = row.begin() + x_;
        if (what == 'P') {
          row.erase(here, here + std::min(n, width - x_));
        } else {
          row.insert(here, static_cast<std::size_t>(n), " ");
        }
        row.resize(static_cast<std::size_t>(width), " ");
        break;
      }
      case 'S':
      case 'T':
        scroll(what == 'S' ? n : -n, top_, bottom_.value_or(height));
        break;
      case 'L':
      case 'M':
        scroll(what == 'M' ? n : -n, y_, bottom_.value_or(height));
        break;
      case 'r':
        top_ = n - 1;
        bottom_ = second == 0 ? std::nullopt : std::optional(second);
        x_ = y_ = 0;
        break;
      case 'm':  // colours are looked at in raw()
      case 'h':
      case 'l':
      case 't':
      case 'c':
        break;
      default:
        ++not_understood_;
    }
    clamp();
  }
  // Moves the lines of [from, to) up by `lines`, or down when negative.
  void scroll(int lines, int from, int to) {
    for (int i = 0; i < std::abs(lines); ++i) {
      const Row blank(cells_.front().size(), " ");
      if (lines > 0) {
        cells_.erase(cells_.begin() + from);
        cells_.insert(cells_.begin() + to - 1, blank);
      } else {
        cells_.erase(cells_.begin() + to - 1);
        cells_.insert(cells_.begin() + from, blank);
      }
    }
  }

  std::vector<Row> cells_;
  int x_{0};
  int y_{0};
  int top_{0};
  std::optional<int> bottom_;
  std::string last_{" "};
  std::string raw_;
  std::size_t taken_{0};
  int not_understood_{0};
  pid_t pid_{-1};
  int master_{-1};
};

}  // namespace sluice::top::test
