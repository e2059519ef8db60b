// What each key does to the view.

#include "tools/shm_top/view.hpp"

#include <gtest/gtest.h>

#include <string_view>

#include "tools/shm_top/panels.hpp"

namespace sluice::top {
namespace {

using Kind = Key::Kind;

Request press_character(View& view, char c) {
  return press(view, {.kind = Kind::kCharacter, .character = c});
}
void type(View& view, std::string_view text) {
  for (const char c : text)
    EXPECT_EQ(press_character(view, c), Request::kNone);
}

TEST(Keys, QQuitsAndRAsksForAReset) {
  View view;
  EXPECT_EQ(press_character(view, 'q'), Request::kQuit);
  EXPECT_EQ(press_character(view, 'r'), Request::kResetMaxima);
  EXPECT_EQ(press_character(view, 'x'), Request::kNone);
}

TEST(Keys, TabAndArrowsWalkThroughThePanelsAndNumbersJump) {
  View view;
  for (std::size_t i = 0; i < kPanels; ++i)
    static_cast<void>(press(view, {.kind = Kind::kTab}));
  EXPECT_EQ(view.panel, Panel::kStages) << "once around";
  static_cast<void>(press(view, {.kind = Kind::kBackTab}));
  EXPECT_EQ(view.panel, Panel::kErrors);
  static_cast<void>(press(view, {.kind = Kind::kRight}));
  EXPECT_EQ(view.panel, Panel::kStages);
  static_cast<void>(press(view, {.kind = Kind::kLeft}));
  EXPECT_EQ(view.panel, Panel::kErrors);
  type(view, "2");
  EXPECT_EQ(view.panel, Panel::kRings);
  type(view, "6");
  EXPECT_EQ(view.panel, Panel::kRings);
}

TEST(Keys, ScrollingMovesTheChosenPanelOnlyAndNeverAboveItsFirstRow) {
  View view;
  view.panel = Panel::kRings;
  static_cast<void>(press(view, {.kind = Kind::kUp}));
  EXPECT_EQ(view.scroll_of(Panel::kRings), 0u);
  static_cast<void>(press(view, {.kind = Kind::kDown}));
  static_cast<void>(press(view, {.kind = Kind::kPageDown}));
  EXPECT_EQ(view.scroll_of(Panel::kRings), 11u);
  static_cast<void>(press(view, {.kind = Kind::kPageUp}));
  static_cast<void>(press(view, {.kind = Kind::kPageUp}));
  EXPECT_EQ(view.scroll_of(Panel::kRings), 0u);
  static_cast<void>(press(view, {.kind = Kind::kEnd}));
  EXPECT_GT(view.scroll_of(Panel::kRings), 1000u);
  EXPECT_EQ(view.scroll_of(Panel::kStages), 0u);
  static_cast<void>(press(view, {.kind = Kind::kHome}));
  EXPECT_EQ(view.scroll_of(Panel::kRings), 0u);
}

TEST(Keys, SGoesThroughThePanelsSortsAndShiftSBack) {
  for (std::size_t panel = 0; panel < kPanels; ++panel) {
    View view;
    view.panel = static_cast<Panel>(panel);
    const std::size_t keys = sort_keys(view.panel);
    for (std::size_t i = 1; i <= keys; ++i) {
      type(view, "s");
      EXPECT_EQ(view.sort_of(view.panel), i % keys);
    }
    type(view, "S");
    EXPECT_EQ(view.sort_of(view.panel), keys - 1);
  }
}

TEST(Keys, FilterTakesEveryKeyUntilEnterKeepsItOrEscapeDropsIt) {
  View view;
  type(view, "/qrs");
  EXPECT_EQ(view.filter, "qrs");
  EXPECT_FALSE(view.paused);
  static_cast<void>(press(view, {.kind = Kind::kBackspace}));
  static_cast<void>(press(view, {.kind = Kind::kEnter}));
  EXPECT_FALSE(view.filtering);
  EXPECT_EQ(view.filter, "qr");
  EXPECT_EQ(press_character(view, 'q'), Request::kQuit);
  type(view, "/");
  static_cast<void>(press(view, {.kind = Kind::kEscape}));
  EXPECT_EQ(view.filter, "");
  EXPECT_FALSE(view.filtering);
  type(view, "/");
  type(view, std::string(1000, 'x'));
  EXPECT_LT(view.filter.size(), 100u);
}

TEST(Keys, EscapeLeadsBackToTheWholePicture) {
  View view;
  static_cast<void>(press(view, {.kind = Kind::kEnter}));
  EXPECT_TRUE(view.zoomed);
  view.filter = "md";
  static_cast<void>(press(view, {.kind = Kind::kEscape}));
  EXPECT_FALSE(view.zoomed);
  EXPECT_EQ(view.filter, "");
}

TEST(Keys, PauseAndColourAreSwitches) {
  View view;
  type(view, "p");
  EXPECT_TRUE(view.paused);
  type(view, " ");
  EXPECT_FALSE(view.paused);
  type(view, "c");
  EXPECT_FALSE(view.colour);
}

TEST(Keys, AnyKeyLeavesTheHelpPageAndDoesNothingElse) {
  View view;
  type(view, "?");
  EXPECT_TRUE(view.help);
  type(view, "p");
  EXPECT_FALSE(view.help);
  EXPECT_FALSE(view.paused);
  type(view, "h");
  EXPECT_EQ(press_character(view, 'q'), Request::kQuit);
}

}  // namespace
}  // namespace sluice::top
