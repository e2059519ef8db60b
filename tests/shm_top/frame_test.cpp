// The screen as text: what stands where, at every size; and that nothing is ever wider than asked.

#include "tools/shm_top/frame.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "tools/shm_top/text.hpp"

namespace sluice::top {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

StageFacts stage_of(const std::string& name, StageCondition condition) {
  StageFacts s;
  s.name = name;
  s.condition = condition;
  s.pid = 4242;
  s.heartbeat_age_ns = 1'230'000;
  s.duty_ns = 44'800'000;
  s.incarnation = 3;
  if (!is_alarming(condition)) {
    s.core = 1;
    s.affinity = "0-1";
    s.busy = 0.125;
    s.cpu = 0.02;
  }
  return s;
}

RingFacts ring_of(const std::string& name, double rate, std::uint64_t depth) {
  RingFacts r;
  r.name = name;
  r.producer = "feed.x";
  r.consumer = "risk";
  r.policy = shm::RingPolicy::kConflate;
  r.slots = 16'384;
  r.messages = 15'900;
  r.rate = rate;
  r.depth = depth;
  r.depth_max = 8192;
  if (depth != 0)
    r.lag_ns = 3'210'000'000;
  return r;
}

Snapshot sample() {
  Snapshot s;
  s.dir = "/dev/shm/sluice/demo";
  s.instance = "demo";
  s.generation = 7;
  s.window_ns = kNanosPerSecond;
  s.trading.state = "Active";
  s.trading.active = true;
  s.trading.sheet_age_ns = 9'010'000;
  s.trading.account = true;
  s.trading.stream_proven = true;
  s.trading.halted = 0;
  s.trading.cash = "76728.410619429";
  s.trading.refusals = {{"collar", 12}};
  s.stages = {stage_of("feed.crypto", StageCondition::kLive),
              stage_of("gateway", StageCondition::kLive), stage_of("risk", StageCondition::kLive),
              stage_of("strategy.momentum", StageCondition::kDead)};
  s.rings = {ring_of("cmd.risk", 0, 0), ring_of("intent.momentum", 2, 0),
             ring_of("md.crypto.momentum", 12'345, 4096), ring_of("order", 40, 0)};
  for (const char* name : {"gate", "decide"}) {
    LatencyFacts l;
    l.name = name;
    l.stage = "gateway";
    l.hop = name[0] == 'd' ? 2 : 6;
    l.last = Spread{.count = 5, .p50 = 1250, .p99 = 2580, .p999 = 2580, .max = 2580};
    l.since = Spread{
        .count = 15'900, .p50 = 1000, .p99 = 45'000'000, .p999 = 46'000'000, .max = 2'000'000'000};
    s.latencies.push_back(l);
  }
  s.limits = {{.what = "account",
               .limit = "gross exposure",
               .money = true,
               .used = "26545.3147",
               .allowed = "60000",
               .share = 0.44,
               .note = ""},
              {.what = "BTC/USD",
               .limit = "position",
               .used = "0.57",
               .allowed = "0.6",
               .share = 0.95,
               .note = "halted: conflict"}};
  s.errors = {{.stage = "gateway",
               .code = 10,
               .count = 3,
               .first_age_ns = 90'000'000'000,
               .last_age_ns = 5'910'000'000,
               .text = "the venue answered status 422"}};
  return s;
}

View view_of(std::size_t width, std::size_t height) {
  View view;
  view.width = width;
  view.height = height;
  return view;
}

std::string screen(const Snapshot& snapshot, View view) {
  std::string out;
  for (const Line& line : draw(snapshot, view))
    out += text_without_trailing_blanks(line) + '\n';
  return out;
}

std::string line_with(const std::string& text, const std::string& part) {
  const std::size_t at = text.find(part);
  if (at == text.npos)
    return "";
  const std::size_t begin = text.rfind('\n', at) + 1;
  return text.substr(begin, text.find('\n', at) - begin);
}

// The style of the first span that contains the text.
Style style_of(const Snapshot& snapshot, View view, const std::string& text) {
  for (const Line& line : draw(snapshot, view)) {
    for (const Span& span : line) {
      if (span.text.find(text) != span.text.npos)
        return span.style;
    }
  }
  ADD_FAILURE() << text << " is not on the screen";
  return Style::kPlain;
}

TEST(Frame, AtEightyColumnsTheNumbersThatMatterStayAndTheRestIsLeftOut) {
  const std::string text = screen(sample(), view_of(80, 60));
  EXPECT_EQ(line_with(text, "strategy.momentum  "),
            "strategy.momentum  dead            –  1.23ms         0      –   44.8ms      –");
  EXPECT_EQ(line_with(text, "md.crypto.momentum"),
            "md.crypto.momentum  feed.x → risk  12.3k   4096   8192  ██▌──·····   3.21s");
  EXPECT_THAT(text, Not(HasSubstr("MAY USE")));
  EXPECT_THAT(text, HasSubstr("last second"));
}

TEST(Frame, AtHundredTwentyColumnsEveryTableIsWhole) {
  const std::string text = screen(sample(), view_of(120, 60));
  EXPECT_THAT(text, HasSubstr("STAGE              STATE            PID  CORE  MAY USE    BEAT  "
                              "RESTARTS   BUSY  LONGEST    CPU  INC"));
  EXPECT_EQ(line_with(text, "feed.crypto"),
            "feed.crypto        live            4242     1  0-1      1.23ms         0    12%   "
            "44.8ms   2.0%    3");
  EXPECT_THAT(line_with(text, "decide"),
              HasSubstr("1.25µs  2.58µs  2.58µs  2.58µs  15.9k  1.00µs  45.0ms  46.0ms   2.00s"));
  EXPECT_THAT(line_with(text, "BTC/USD"), HasSubstr("95%  ███████████▍  halted: conflict"));
  EXPECT_THAT(line_with(text, "gross exposure"), HasSubstr("26545.31    60000"));
  EXPECT_THAT(line_with(text, "422"), HasSubstr("5.91s   90.0s      3  gateway    10  the venue"));
}

TEST(Frame, TwoStandSideBySideOnlyWhereBothAreWhole) {
  EXPECT_EQ(line_with(screen(sample(), view_of(kTwoColumnsWidth - 1, 60)), "─ stages 4")
                .find("─ latency"),
            std::string::npos);
  const std::string text = screen(sample(), view_of(kTwoColumnsWidth, 40));
  EXPECT_THAT(line_with(text, "─ stages 4"), HasSubstr("─ latency 2"));
  EXPECT_THAT(text, HasSubstr("feed.x → risk"));
  EXPECT_THAT(text, HasSubstr("1.25µs  2.58µs  2.58µs  2.58µs  "));
}

TEST(Frame, WhoWritesAndReadsARingAndEverySpreadStandAtTheUsualWidths) {
  Snapshot s = sample();
  RingFacts& ring = s.rings[2];
  ring.producer = "feed.crypto";
  ring.consumer = "strategy.momentum";
  ring.drops = 200;
  ring.snapshots = 1;
  for (const std::size_t width : {120u, 160u, 200u}) {
    const std::string text = screen(s, view_of(width, 60));
    const std::string row = line_with(text, "md.crypto.momentum");
    EXPECT_THAT(row, HasSubstr("feed.crypto → strategy.momentum")) << width;
    EXPECT_THAT(row, HasSubstr("200 lost · 0 gaps · 1 snap")) << width;
    EXPECT_THAT(text, HasSubstr("FROM, TO")) << width;
    EXPECT_THAT(line_with(text, "decide"),
                HasSubstr("1.25µs  2.58µs  2.58µs  2.58µs  15.9k  1.00µs  45.0ms  46.0ms   2.00s"))
        << width;
  }
}

TEST(Frame, RowsFollowATicksWayByDefault) {
  const std::string text = screen(sample(), view_of(120, 60));
  EXPECT_LT(text.find("\nfeed.crypto"), text.find("\nstrategy.momentum"));
  EXPECT_LT(text.find("\nstrategy.momentum"), text.find("\nrisk"));
  EXPECT_LT(text.find("md.crypto.momentum"), text.find("intent.momentum"));
  EXPECT_LT(text.find("intent.momentum"), text.find("\norder"));
  EXPECT_LT(text.find("\norder"), text.find("\ncmd.risk"));
  EXPECT_LT(text.find("\ndecide"), text.find("\ngate "));
  EXPECT_LT(text.find("\nBTC/USD"), text.find("\naccount")) << "the account's after its parts";
}

TEST(Frame, SortingByRatePutsTheBusiestFirst) {
  View view = view_of(120, 60);
  view.sort[static_cast<std::size_t>(Panel::kRings)] = 1;
  const std::string text = screen(sample(), view);
  EXPECT_LT(text.find("md.crypto.momentum"), text.find("\norder"));
  EXPECT_LT(text.find("\norder"), text.find("intent.momentum"));
  EXPECT_EQ(style_of(sample(), view, "MSG/S"), Style::kSorted);
}

TEST(Frame, FilterKeepsRowsThatContainItWhateverTheirCase) {
  View view = view_of(120, 60);
  view.filter = "MOMENTUM";
  const std::string text = screen(sample(), view);
  EXPECT_THAT(text, HasSubstr("stages 1, filtered from 4"));
  EXPECT_THAT(text, HasSubstr("rings 2, filtered from 4"));
  EXPECT_THAT(text, HasSubstr("errors 0, filtered from 1"));
  EXPECT_THAT(text, Not(HasSubstr("cmd.risk")));
}

TEST(Frame, OnlyWhatAlarmsIsRed) {
  Snapshot s = sample();
  EXPECT_EQ(style_of(s, view_of(120, 60), "dead: strategy.momentum"), Style::kAlarm);
  EXPECT_EQ(style_of(s, view_of(120, 60), "trading Active"), Style::kGood);
  s.stages.pop_back();
  s.limits.pop_back();
  View view = view_of(120, 60);
  for (const Line& line : draw(s, view)) {
    for (const Span& span : line)
      EXPECT_FALSE(span.style == Style::kAlarm && !span.text.empty()) << span.text;
  }
}

TEST(Frame, KillWordsStandInTheHeadAndManyAreCounted) {
  Snapshot s = sample();
  for (int i = 0; i < 128; ++i)
    s.trading.kills.push_back({"operator", "scope " + std::to_string(i), "stop"});
  s.trading.kill_stamp_age_ns = 2'000'000'000;
  const std::string text = screen(s, view_of(120, 40));
  EXPECT_THAT(text, HasSubstr("KILLED by operator: stop (scope 0)"));
  EXPECT_THAT(text, HasSubstr("and 124 kill words more"));
  EXPECT_THAT(text, HasSubstr("nothing leaves since 2.00s"));
}

TEST(Frame, KillWordsThatCannotBeReadAreRedAndNeverCalledOff) {
  Snapshot s = sample();
  EXPECT_THAT(screen(s, view_of(120, 40)), HasSubstr("kill switch off"));
  s.trading.kills_unread = {"operator", "risk"};
  EXPECT_EQ(style_of(s, view_of(120, 40), "KILL WORDS UNREADABLE: operator, risk"), Style::kAlarm);
  EXPECT_THAT(screen(s, view_of(120, 40)), Not(HasSubstr("switch off")));
  s.trading.kills_unread.clear();
  s.trading.operator_trip_cut = true;
  EXPECT_EQ(style_of(s, view_of(120, 40), "KILLED: trip.operator was cut"), Style::kAlarm);
  EXPECT_THAT(screen(s, view_of(120, 40)), Not(HasSubstr("switch off")));
}

TEST(Frame, TradingIsGreenOnlyWhileNothingInTheWayOfNewRiskIsKnownOrUnknown) {
  const auto colour = [](const Snapshot& s) {
    return style_of(s, view_of(120, 40), "trading Active");
  };
  EXPECT_EQ(colour(sample()), Style::kGood);
  const auto changed = [&](const std::function<void(Snapshot&)>& change) {
    Snapshot s = sample();
    change(s);
    return colour(s);
  };
  EXPECT_EQ(changed([](Snapshot& s) {
              s.trading.kills = {{"operator", "everything", "stop"}};
            }),
            Style::kNote);
  EXPECT_EQ(changed([](Snapshot& s) { s.trading.kills_unread = {"operator"}; }), Style::kNote);
  EXPECT_EQ(changed([](Snapshot& s) { s.trading.operator_trip_cut = true; }), Style::kNote);
  EXPECT_EQ(changed([](Snapshot& s) { s.trading.trouble = {"board.positions is missing"}; }),
            Style::kNote);
  EXPECT_EQ(changed([](Snapshot& s) { s.trading.account = false; }), Style::kNote);
  EXPECT_EQ(changed([](Snapshot& s) { s.trading.blocked = true; }), Style::kNote);
  EXPECT_EQ(changed([](Snapshot& s) { s.trading.halted.reset(); }), Style::kNote);
  for (const std::size_t stage : {1u, 2u}) {  // gateway, risk
    for (const auto condition :
         {StageCondition::kUnreadable, StageCondition::kNotStarted, StageCondition::kStarting,
          StageCondition::kRecovering, StageCondition::kHung, StageCondition::kDraining,
          StageCondition::kStopped, StageCondition::kFailed, StageCondition::kDead}) {
      EXPECT_EQ(changed([&](Snapshot& s) { s.stages[stage].condition = condition; }), Style::kNote)
          << to_string(condition);
    }
  }
  EXPECT_EQ(changed([](Snapshot& s) { s.stages.erase(s.stages.begin() + 1); }), Style::kNote);
  EXPECT_EQ(changed([](Snapshot& s) { s.stages[3].condition = StageCondition::kFailed; }),
            Style::kGood)
      << "the other strategies trade";
}

TEST(Frame, OrdersOfADeadGatewayMayStillWork) {
  Snapshot s = sample();
  s.trading.working = 2;
  s.trading.in_flight = 1;
  EXPECT_THAT(screen(s, view_of(120, 40)), Not(HasSubstr("may still work")));
  s.stages[1].condition = StageCondition::kDead;
  EXPECT_THAT(screen(s, view_of(120, 40)), HasSubstr("3 orders may still work at the venue"));
  s.trading.account = false;
  EXPECT_EQ(style_of(s, view_of(120, 40), "unknown whether orders still work at the venue"),
            Style::kAlarm);
}

TEST(Frame, BoardsThatCannotBeReadAreRedAndNeverCalledNotYet) {
  Snapshot s = sample();
  s.trading.state.clear();
  s.trading.account = false;
  EXPECT_THAT(screen(s, view_of(120, 40)), HasSubstr("no limit sheet"));
  EXPECT_THAT(screen(s, view_of(120, 40)), HasSubstr("no account row yet"));
  s.trading.sheet_unreadable = true;
  s.trading.account_unreadable = true;
  s.trading.trouble = {"board.limits was cut short", "board.account is missing"};
  EXPECT_EQ(style_of(s, view_of(120, 40), "limit sheet UNREADABLE"), Style::kAlarm);
  EXPECT_EQ(style_of(s, view_of(120, 40), "account UNREADABLE"), Style::kAlarm);
  EXPECT_EQ(style_of(s, view_of(120, 40), "board.account is missing"), Style::kAlarm);
  EXPECT_THAT(screen(s, view_of(120, 40)), Not(HasSubstr("no account row yet")));
}

TEST(Frame, TradingStateAndKillsSurviveOnTheSmallestScreens) {
  Snapshot s = sample();
  s.reset_age_ns = kNanosPerSecond;
  std::vector<Line> lines;
  const auto line = [&](std::size_t i) { return text_without_trailing_blanks(lines[i]); };
  View view = view_of(40, 8);
  view.paused = true;
  lines = draw(s, view);
  EXPECT_EQ(line(0), "shm-top   demo in /dev/shm/slu…   PAUSED");
  EXPECT_EQ(line(1), "trading Active   kill switch off");
  s.trading.kills = {{"operator", "everything", "stop + cancel all"}};
  s.trading.kills_unread = {"risk"};
  lines = draw(s, view);
  EXPECT_EQ(line(1), "trading Active");
  EXPECT_THAT(line(2), HasSubstr("KILLED by operator: stop + cancel all"));
}

TEST(Frame, LastPictureOfALayoutThatIsRemovedStandsUnderARedLine) {
  Snapshot s = sample();
  s.problem = "control: not yet: no layout";
  s.removed_age_ns = 3'200'000'000;
  const View view = view_of(120, 60);
  EXPECT_EQ(style_of(s, view, "layout removed 3.20s ago"), Style::kAlarm);
  EXPECT_EQ(style_of(s, view, "trading was Active"), Style::kNote);
  const std::string text = screen(s, view);
  EXPECT_THAT(text, HasSubstr("control: not yet: no layout"));
  EXPECT_THAT(text, HasSubstr("kill switch was off"));
  EXPECT_THAT(text, HasSubstr("md.crypto.momentum"));
  EXPECT_THAT(line_with(text, "layout removed"), Not(HasSubstr("trading")));
}

TEST(Frame, BrokenRingSaysSoInItsRowAndInTheHead) {
  Snapshot s = sample();
  s.rings[0].broken = true;
  s.rings[0].depth = ~std::uint64_t{0};
  s.rings[1].trouble = "ring.x.data: wrong size";
  const std::string text = screen(s, view_of(140, 60));
  EXPECT_THAT(text, HasSubstr("2 of 4 rings broken"));
  EXPECT_THAT(line_with(text, "cmd.risk"), HasSubstr("its words contradict each other"));
  EXPECT_THAT(line_with(text, "intent.momentum"), HasSubstr("ring.x.data: wrong size"));
}

TEST(Frame, RingThatIsCutOffIsRedInItsRowAndInTheHead) {
  Snapshot s = sample();
  s.rings[0].detached = true;
  s.rings[0].refused = 17;
  const View view = view_of(140, 60);
  EXPECT_EQ(style_of(s, view, "CUT OFF: cmd.risk"), Style::kAlarm);
  EXPECT_EQ(style_of(s, view, "CUT OFF: 17 refused by consumer"), Style::kAlarm);
  s.rings[0].detached = false;
  EXPECT_EQ(style_of(s, view, "17 refused by consumer"), Style::kNote);
  EXPECT_THAT(screen(s, view), Not(HasSubstr("CUT OFF")));
}

TEST(Frame, HeadNamesRingsThatLostWhatTheyPromisedOrAreNearlyFull) {
  Snapshot s = sample();
  s.rings[0].drops = 4;
  EXPECT_THAT(screen(s, view_of(120, 60)), Not(HasSubstr("LOST RECORDS"))) << "it may conflate";
  s.rings[0].policy = shm::RingPolicy::kLossless;
  EXPECT_EQ(style_of(s, view_of(120, 60), "LOST RECORDS: cmd.risk"), Style::kAlarm);
  s.rings[1].depth = s.rings[1].slots * 89 / 100;
  EXPECT_THAT(screen(s, view_of(120, 60)), Not(HasSubstr("nearly full")));
  for (RingFacts& ring : s.rings)
    ring.depth = ring.slots * 91 / 100;
  EXPECT_EQ(style_of(s, view_of(120, 60),
                     "nearly full: cmd.risk, intent.momentum, md.crypto.momentum and 1 rings more"),
            Style::kAlarm);
}

TEST(Frame, HaltedInstrumentsStandInTheHeadAndTradingIsNotGreenWhenAllAre) {
  Snapshot s = sample();
  s.trading.instruments = 3;
  s.trading.halted = 2;
  EXPECT_EQ(style_of(s, view_of(120, 60), "2 instruments take no new risk"), Style::kAlarm);
  EXPECT_EQ(style_of(s, view_of(120, 60), "trading Active"), Style::kGood);
  s.trading.halted = 3;
  EXPECT_EQ(style_of(s, view_of(120, 60), "trading Active"), Style::kNote);
}

TEST(Frame, LowerBoundsAreMarkedAsSuch) {
  Snapshot s = sample();
  s.stages[0].duty_at_least = true;
  s.rings[0].depth_max_at_least = true;
  View view = view_of(120, 60);
  EXPECT_THAT(screen(s, view), HasSubstr("≥44.8ms"));
  EXPECT_THAT(line_with(screen(s, view), "cmd.risk"), HasSubstr("≥8192"));
  EXPECT_THAT(line_with(screen(s, view), "intent.momentum"), Not(HasSubstr("≥")));
  view.utf8 = false;
  EXPECT_THAT(screen(s, view), HasSubstr(">44.8ms"));
}

TEST(Frame, WhatIsNotKnownOfALimitIsADash) {
  Snapshot s = sample();
  s.limits[1].used.clear();
  s.limits[1].share.reset();
  EXPECT_THAT(line_with(screen(s, view_of(120, 60)), "BTC/USD"),
              HasSubstr("position               –      0.6      –"));
}

TEST(Frame, LatencyRowsOfTwoStrategiesCanBeToldApartAtEveryWidth) {
  Snapshot s = sample();
  for (const char* stage : {"strategy.momentum", "strategy.meanrevert", "persistence"}) {
    s.latencies.push_back(s.latencies.front());
    s.latencies.back().name = "strategy_to_risk";
    s.latencies.back().stage = stage;
  }
  for (const std::size_t width : {40u, 60u, 80u, 120u, 160u, 230u, 240u}) {
    const std::string text = screen(s, view_of(width, 0));
    EXPECT_THAT(text, HasSubstr("HOP               STAGE")) << width;
    for (const char* name : {"momentum ", "meanrevert ", "persistence ", "gateway "})
      EXPECT_NE(line_with(text.substr(text.find("HOP")), name), "") << name << width;
  }
  const std::string text = screen(s, view_of(240, 60));
  EXPECT_THAT(text, HasSubstr("strategy_to_risk  strategy.momentum"));
  EXPECT_THAT(screen(s, view_of(60, 0)), HasSubstr("1.25µs  2.58µs  15.9k  45.0ms"));
}

TEST(Frame, FilterIsVisibleInAFrameWithoutAFoot) {
  View view = view_of(120, 0);
  EXPECT_THAT(screen(sample(), view), Not(HasSubstr("? help")));
  view.filtering = true;
  view.filter = "mom";
  EXPECT_THAT(screen(sample(), view), HasSubstr("filter: mom_   Enter keeps, Esc drops"));
  view.filtering = false;
  EXPECT_THAT(screen(sample(), view), HasSubstr("rows with 'mom'"));
}

TEST(Frame, PanelsWithoutRoomAreNamed) {
  EXPECT_THAT(screen(sample(), view_of(80, 24)), HasSubstr("below: "));
  EXPECT_THAT(screen(sample(), view_of(80, 24)), HasSubstr("errors (1)"));
  EXPECT_THAT(screen(sample(), view_of(80, 60)), Not(HasSubstr("below: ")));
}

TEST(Frame, WithoutAnythingToShowTheProblemStandsAlone) {
  Snapshot s;
  s.dir = "/dev/shm/sluice/demo";
  s.problem = "control: not yet: no layout";
  const std::string text = screen(s, view_of(80, 24));
  EXPECT_THAT(text, HasSubstr("control: not yet: no layout"));
  EXPECT_THAT(text, Not(HasSubstr("stages")));
}

TEST(Frame, WithoutUtf8ThereIsNothingButAscii) {
  View view = view_of(120, 60);
  view.utf8 = false;
  for (const char c : screen(sample(), view))
    ASSERT_TRUE(c == '\n' || (c >= ' ' && c <= '~')) << static_cast<int>(c);
}

TEST(Frame, TheChosenPanelKeepsItsLinesOnASmallScreen) {
  Snapshot s = sample();
  for (int i = 0; i < 30; ++i)
    s.errors.push_back({.stage = "risk", .text = "error " + std::to_string(i)});
  View view = view_of(80, 14);
  view.panel = Panel::kErrors;
  EXPECT_THAT(screen(s, view), HasSubstr("errors 1-"));
  view.panel = Panel::kStages;
  EXPECT_THAT(screen(s, view), HasSubstr("below: latency (2), limits (2), errors (31)"));
}

TEST(Frame, ScrollingStopsAtTheLastRow) {
  Snapshot s = sample();
  for (int i = 0; i < 50; ++i)
    s.rings.push_back(ring_of("tap." + std::to_string(i + 10), 0, 0));
  View view = view_of(80, 20);
  view.panel = Panel::kRings;
  view.zoomed = true;
  view.scroll_of(Panel::kRings) = 100'000;
  EXPECT_THAT(screen(s, view), HasSubstr("cmd.risk"));
  static_cast<void>(draw(s, view));
  EXPECT_LT(view.scroll_of(Panel::kRings), 54u);
}

// Every size from tiny to wide, every panel, with and without help, filter and UTF-8.
TEST(Frame, NoLineIsWiderAndNoScreenHigherThanAsked) {
  Snapshot s = sample();
  s.errors.front().text = std::string(500, 'x');
  s.stages.front().name = std::string(63, 'n');
  s.trading.trouble = {std::string(300, 't')};
  for (const std::size_t width : {1u, 5u, 20u, 79u, 80u, 119u, 120u, 189u, 190u, 200u, 400u}) {
    for (const std::size_t height : {1u, 2u, 5u, 10u, 11u, 24u, 60u, 200u}) {
      for (std::size_t kind = 0; kind < kPanels * 4; ++kind) {
        View view = view_of(width, height);
        view.panel = static_cast<Panel>(kind % kPanels);
        view.zoomed = kind % 2 == 0;
        view.help = kind / kPanels == 1;
        view.filtering = kind / kPanels == 2;
        view.utf8 = kind / kPanels != 3;
        const std::vector<Line> lines = draw(s, view);
        ASSERT_EQ(lines.size(), height);
        for (const Line& line : lines)
          ASSERT_LE(width_of(line), width) << width << "x" << height << ": " << text_of(line);
      }
    }
  }
}

TEST(Frame, OnceTakesAsManyLinesAsThereAreRows) {
  View view = view_of(120, 0);
  const std::string text = screen(sample(), view);
  EXPECT_THAT(text, HasSubstr("cmd.risk"));
  EXPECT_THAT(text, HasSubstr("the venue answered"));
  EXPECT_THAT(text, Not(HasSubstr("q quit")));
}

// ---- the words the screen is made of ----

TEST(Text, DurationsHaveThreeDigitsAndAUnit) {
  const auto text = [](std::int64_t ns) { return duration_text(ns, false); };
  EXPECT_EQ(text(-5), "0ns");
  EXPECT_EQ(text(0), "0ns");
  EXPECT_EQ(text(999), "999ns");
  EXPECT_EQ(text(1000), "1.00us");
  EXPECT_EQ(text(9'994), "9.99us");
  EXPECT_EQ(text(9'996), "10.0us");
  EXPECT_EQ(text(999'499), "999us");
  EXPECT_EQ(text(999'500), "1.00ms");
  EXPECT_EQ(text(999'499'999), "999ms");
  EXPECT_EQ(text(59'900'000'000), "59.9s");
  EXPECT_EQ(text(125'000'000'000), "2m05s");
  EXPECT_EQ(text(11'400'000'000'000), "3h10m");
  EXPECT_EQ(text(std::int64_t{4} * 86'400'000'000'000), "4d00h");
  EXPECT_EQ(duration_text(~std::uint64_t{0}, true), "106751d23h");
  EXPECT_EQ(duration_text(std::int64_t{1500}, true), "1.50µs");
}

TEST(Text, CountsAreExactToFourDigitsThenShort) {
  EXPECT_EQ(count_text(9999), "9999");
  EXPECT_EQ(count_text(10'000), "10.0k");
  EXPECT_EQ(count_text(999'499), "999k");
  EXPECT_EQ(count_text(999'500), "1.00M");
  EXPECT_EQ(count_text(~std::uint64_t{0}), "18.4E");
  EXPECT_EQ(rate_text(0.44), "0.4");
  EXPECT_EQ(rate_text(12.6), "13");
  EXPECT_EQ(rate_text(1e300), "9.00E");
  EXPECT_EQ(rate_text(-1), "0");
  EXPECT_EQ(percent_text(0.0004), "<0.1%");
  EXPECT_EQ(percent_text(0.994), "99%");
  EXPECT_EQ(short_decimal("18504.19552504", 2), "18504.19");
  EXPECT_EQ(short_decimal("18504", 2), "18504");
}

TEST(Text, CutCountsCharactersNotBytes) {
  EXPECT_EQ(cut("µµµµ", 4, true), "µµµµ");
  EXPECT_EQ(cut("µµµµ", 3, true), "µµ…");
  EXPECT_EQ(cut("abcd", 3, false), "ab~");
  EXPECT_EQ(cut("abcd", 0, true), "");
}

TEST(Text, BarIsAsWideAsAskedAndShowsTheLeastAmount) {
  for (const double now : {0.0, 1e-9, 0.3, 0.999, 1.0, 7.0, -1.0}) {
    for (const double most : {0.0, 0.5, 1.0, 1e18}) {
      for (const bool utf8 : {true, false}) {
        const BarParts bar = bar_parts(now, most, 10, utf8);
        EXPECT_EQ(width_of(bar.now + bar.most + bar.rest), 10u) << now << " " << most;
        EXPECT_EQ(bar.now.empty(), now <= 0);
      }
    }
  }
  EXPECT_EQ(bar_parts(0.5, 0.75, 8, false).now, "####");
  EXPECT_EQ(bar_parts(0.5, 0.75, 8, false).most, "==");
}

}  // namespace
}  // namespace sluice::top
