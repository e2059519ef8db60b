#include "tools/shm_top/view.hpp"

#include <algorithm>

#include "tools/shm_top/panels.hpp"

namespace sluice::top {
namespace {

using Kind = Key::Kind;
constexpr std::size_t kFilterBytes = 40;
constexpr std::size_t kFar = 100'000;  // beyond any last row; drawing stops at the end
constexpr std::size_t kPage = 10;

void type(View& view, Key key) {
  switch (key.kind) {
    case Kind::kCharacter:
      if (view.filter.size() < kFilterBytes)
        view.filter.push_back(key.character);
      break;
    case Kind::kBackspace:
      if (!view.filter.empty())
        view.filter.pop_back();
      break;
    case Kind::kEscape:
      view.filter.clear();
      view.filtering = false;
      break;
    case Kind::kEnter:
      view.filtering = false;
      break;
    default:
      break;
  }
  view.scroll = {};
}

void choose(View& view, std::size_t panel) {
  view.panel = static_cast<Panel>(panel % kPanels);
}

void sort_by(View& view, std::size_t step) {
  std::size_t& sort = view.sort[static_cast<std::size_t>(view.panel)];
  sort = (sort + step) % sort_keys(view.panel);
  view.scroll_of(view.panel) = 0;
}

Request press_character(View& view, char c) {
  if (c >= '1' && c < static_cast<char>('1' + kPanels)) {
    choose(view, static_cast<std::size_t>(c - '1'));
    return Request::kNone;
  }
  switch (c) {
    case 'q':
      return Request::kQuit;
    case 'r':
      return Request::kResetMaxima;
    case 's':
      sort_by(view, 1);
      break;
    case 'S':
      sort_by(view, sort_keys(view.panel) - 1);
      break;
    case '/':
      view.filtering = true;
      break;
    case 'p':
    case ' ':
      view.paused = !view.paused;
      break;
    case 'c':
      view.colour = !view.colour;
      break;
    case '?':
    case 'h':
      view.help = true;
      break;
    default:
      break;
  }
  return Request::kNone;
}

void move(View& view, Kind kind) {
  std::size_t& scroll = view.scroll_of(view.panel);
  const auto panel = static_cast<std::size_t>(view.panel);
  switch (kind) {
    case Kind::kUp:
      scroll -= std::min<std::size_t>(scroll, 1);
      break;
    case Kind::kDown:
      scroll += 1;
      break;
    case Kind::kPageUp:
      scroll -= std::min(scroll, kPage);
      break;
    case Kind::kPageDown:
      scroll += kPage;
      break;
    case Kind::kHome:
      scroll = 0;
      break;
    case Kind::kEnd:
      scroll = kFar;
      break;
    case Kind::kTab:
    case Kind::kRight:
      choose(view, panel + 1);
      break;
    case Kind::kBackTab:
    case Kind::kLeft:
      choose(view, panel + kPanels - 1);
      break;
    case Kind::kEnter:
      view.zoomed = !view.zoomed;
      break;
    case Kind::kEscape:
      view.zoomed = false;
      view.filter.clear();
      break;
    default:
      break;
  }
}

}  // namespace

const char* to_string(Panel panel) noexcept {
  constexpr std::array<const char*, kPanels> kNames{"stages", "rings", "latency", "limits",
                                                    "errors"};
  return kNames[static_cast<std::size_t>(panel)];
}

Request press(View& view, Key key) {
  if (view.filtering) {
    type(view, key);
    return Request::kNone;
  }
  if (view.help) {
    view.help = false;  // any key leaves the page; q quits all the same
    return key.kind == Kind::kCharacter && key.character == 'q' ? Request::kQuit : Request::kNone;
  }
  if (key.kind == Kind::kCharacter)
    return press_character(view, key.character);
  move(view, key.kind);
  return Request::kNone;
}

}  // namespace sluice::top
