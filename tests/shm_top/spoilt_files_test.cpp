// What the collector makes of files that are missing, cut short or garbled: what is unknown is said
// to be unknown, never 'off', 'none' or 'not yet'.

#include <gmock/gmock.h>

#include <fstream>
#include <random>
#include <vector>

#include "shm/layout_files.hpp"
#include "tests/shm_top/world.hpp"
#include "tools/shm_top/frame.hpp"
#include "tools/shm_top/json.hpp"

namespace sluice::top::test {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::array kBoards{"account", "instruments", "limits", "orders", "positions", "quotes.x"};

std::string screen(const Snapshot& s) {
  View view;
  view.height = 0;
  std::string out;
  for (const Line& line : draw(s, view))
    out += text_of(line) + '\n';
  return out;
}

TEST_F(Collecting, KillWordsThatCannotBeReadAreUnknownNotOff) {
  EXPECT_EQ(kill_switch_of(collector().collect().trading), KillSwitch::kOff);
  for (const bool empty : {true, false}) {
    create();
    if (empty) {
      std::filesystem::resize_file(path(shm::operator_trip_file()), 0);
    } else {
      std::ofstream(path(shm::operator_trip_file()), std::ios::in) << std::string(4096, 'x');
    }
    Collector fresh(dir());
    const Snapshot s = fresh.collect();
    EXPECT_THAT(s.trading.kills_unread, ElementsAre("operator"));
    EXPECT_EQ(kill_switch_of(s.trading), KillSwitch::kUnknown);
    EXPECT_NE(to_json(s).find(R"("kill_switch": "unknown")"), std::string::npos);
  }
}

TEST_F(Collecting, OperatorsFileThatIsCutWhileItIsReadCountsAsAKill) {
  static_cast<void>(collector().collect());
  std::filesystem::resize_file(path(shm::operator_trip_file()), 4096);
  const Snapshot s = collector().collect();
  EXPECT_TRUE(s.trading.operator_trip_cut);
  EXPECT_EQ(kill_switch_of(s.trading), KillSwitch::kKilled);
  EXPECT_NE(to_json(s).find(R"("operator_trip_cut": true)"), std::string::npos);
}

TEST_F(Collecting, UnreadablePagesOfGatewayAndRiskLeaveTheirKillWordsUnknown) {
  std::filesystem::resize_file(path(shm::stage_file("risk")), 100);
  static_cast<void>(collector().collect());
  std::filesystem::resize_file(path(shm::stage_file("gateway")), 4096);
  std::filesystem::resize_file(path(shm::stage_file("feed.x")), 4096);
  const Snapshot s = collect_twice();
  EXPECT_THAT(s.trading.kills_unread, ::testing::UnorderedElementsAre("gateway", "risk"))
      << "nobody obeys a feed's words";
  EXPECT_EQ(kill_switch_of(s.trading), KillSwitch::kUnknown);
}

TEST_F(Collecting, MissingPageOfGatewayOrRiskLeavesItsKillWordsUnknown) {
  for (const std::string stage : {"gateway", "risk"}) {
    create();
    std::filesystem::remove(path(shm::stage_file(stage)));
    Collector fresh(dir());
    const Snapshot s = fresh.collect();
    EXPECT_EQ(named(s.stages, stage).condition, StageCondition::kUnreadable);
    EXPECT_THAT(s.trading.kills_unread, ElementsAre(stage));
    EXPECT_EQ(kill_switch_of(s.trading), KillSwitch::kUnknown);
    EXPECT_THAT(screen(s), HasSubstr("KILL WORDS UNREADABLE: " + stage));
    EXPECT_THAT(screen(s), Not(HasSubstr("kill switch off")));
  }
}

TEST_F(Collecting, WithoutGatewayAndAccountItIsUnknownWhetherOrdersStillWork) {
  std::filesystem::remove(path(shm::stage_file("gateway")));
  EXPECT_THAT(screen(collector().collect()),
              HasSubstr("unknown whether orders still work at the venue"));
}

TEST_F(Collecting, RingOfWhichOneHalfIsLeftIsListedAsUnreadable) {
  std::filesystem::remove(path(shm::ring_data_file("order")));
  std::filesystem::remove(path(shm::ring_cursor_file("md.x.s")));
  const Snapshot s = collector().collect();
  EXPECT_EQ(s.rings.size(), 9u);
  EXPECT_THAT(named(s.rings, "order").trouble, Eq("ring.order.data is missing"));
  EXPECT_THAT(named(s.rings, "md.x.s").trouble, Eq("ring.md.x.s.cursor is missing"));
  EXPECT_THAT(screen(s), HasSubstr("2 of 9 rings broken"));
}

TEST_F(Collecting, BoardThatIsMissingIsNamed) {
  EXPECT_THAT(collector().collect().trading.trouble, IsEmpty());
  for (const std::string name : kBoards) {
    create();
    std::filesystem::remove(path(shm::board_file(name)));
    Collector fresh(dir());
    const Snapshot s = fresh.collect();
    EXPECT_THAT(s.trading.trouble, ElementsAre("board." + name + " is missing"));
    EXPECT_THAT(screen(s), HasSubstr("board." + name + " is missing"));
    EXPECT_EQ(s.trading.sheet_unreadable, name == "limits");
    EXPECT_EQ(s.trading.account_unreadable, name == "account");
    EXPECT_EQ(s.trading.halted.has_value(), name != "positions");
  }
}

TEST_F(Collecting, BoardThatIsCutShortWhileItIsReadIsNamed) {
  for (const std::string name : kBoards) {
    create();
    Collector fresh(dir());
    EXPECT_THAT(fresh.collect().trading.trouble, IsEmpty());
    std::filesystem::resize_file(path(shm::board_file(name)), 4096);
    const Snapshot s = fresh.collect();
    EXPECT_THAT(s.trading.trouble, ElementsAre("board." + name + " was cut short"));
    EXPECT_EQ(s.trading.sheet_unreadable, name == "limits");
    EXPECT_EQ(s.trading.account_unreadable, name == "account");
    EXPECT_EQ(s.trading.halted.has_value(), name != "positions");
    EXPECT_THAT(screen(s), Not(HasSubstr(name == "limits"    ? "no limit sheet"
                                         : name == "account" ? "no account row yet"
                                                             : "nothing of that kind")));
  }
}

TEST_F(Collecting, FilesThatAreRemovedUnderTheScreenAreNamed) {
  EXPECT_THAT(collector().collect().trading.trouble, IsEmpty());
  for (const std::string& file : {shm::operator_trip_file(), shm::stage_file("gateway"),
                                  shm::board_file("limits"), shm::ring_data_file("order")})
    std::filesystem::remove(path(file));
  const Snapshot s = collector().collect();
  EXPECT_THAT(
      s.trading.trouble,
      ElementsAre("removed: board.limits, ring.order.data, stage.gateway and 1 files more"));
  EXPECT_THAT(s.trading.kills_unread, ElementsAre("operator", "gateway"));
  EXPECT_EQ(kill_switch_of(s.trading), KillSwitch::kUnknown);
}

TEST_F(Collecting, SpoiltBoardOfSymbolsHidesNoLimitAndNoHalt) {
  {
    const shm::RoleLock gateway_role = role("gateway");
    const shm::RoleLock risk_role = role("risk");
    const shm::Instance instance = attach();
    shm::BoardWriter<LimitRow> limits(instance, "limits");
    limits.store(2, LimitRow{.max_position = Qty{kScale}});
    shm::BoardWriter<PositionRow> positions(instance, "positions");
    positions.store(1, PositionRow{.position = kScale / 2, .halted = 1});
  }
  std::ofstream(path(shm::board_file("instruments")), std::ios::in) << std::string(4096, 'x');
  Snapshot s = collector().collect();
  EXPECT_THAT(s.trading.trouble, ElementsAre(HasSubstr("board.instruments")));
  EXPECT_EQ(s.trading.instruments, 2u);
  EXPECT_EQ(s.trading.halted, 1u);
  EXPECT_DOUBLE_EQ(limit_of(s, "instrument 1", "position").share.value_or(0), 0.5);

  // One of the two that are left is enough.
  std::filesystem::remove(path(shm::board_file("positions")));
  Collector limits_alone(dir());
  EXPECT_EQ(limits_alone.collect().trading.instruments, 2u);
}

TEST_F(Collecting, FileThatIsTooShortIsNamedAndTheRestIsStillShown) {
  std::filesystem::resize_file(path(shm::ring_data_file("md.x.s")), 4096);
  std::filesystem::resize_file(path(shm::stage_file("risk")), 100);
  const Snapshot s = collect_twice();
  EXPECT_TRUE(
      shm::test::says(named(s.rings, "md.x.s").trouble, {"wrong size", "ring.md.x.s.data"}));
  EXPECT_EQ(named(s.stages, "risk").condition, StageCondition::kUnreadable);
  EXPECT_TRUE(shm::test::says(named(s.stages, "risk").trouble, {"wrong size"}));
  EXPECT_EQ(named(s.rings, "order").trouble, "");
}

TEST_F(Collecting, FileThatIsCutShortWhileItIsReadBreaksOnlyItself) {
  static_cast<void>(collector().collect());
  std::filesystem::resize_file(path(shm::ring_data_file("md.x.s")), 4096);
  std::filesystem::resize_file(path(shm::stage_file("risk")), 4096);
  std::filesystem::resize_file(path(shm::board_file("limits")), 4096);
  const Snapshot s = collect_twice();
  EXPECT_TRUE(named(s.rings, "md.x.s").broken);
  EXPECT_EQ(named(s.stages, "risk").condition, StageCondition::kUnreadable);
  EXPECT_EQ(named(s.stages, "gateway").condition, StageCondition::kNotStarted);
  EXPECT_FALSE(named(s.rings, "order").broken);
}

TEST_F(Collecting, ImpossibleCursorIsABrokenPeerNotAnEndlessRing) {
  shm::Region cursor =
      *shm::Region::open(path(shm::ring_cursor_file("order")), shm::Region::Access::kReadWrite);
  *cursor.at<std::uint64_t>(shm::kRingWordsOffset) = std::uint64_t{1} << 63;
  EXPECT_TRUE(named(collect_twice().rings, "order").broken);
  *cursor.at<std::uint64_t>(shm::kRingWordsOffset) = ~std::uint64_t{0} - 1000;
  EXPECT_TRUE(named(collect_twice().rings, "order").broken);
}

TEST_F(Collecting, CursorBeyondWhatAProducerCanHaveStagedIsImpossible) {
  shm::Region cursor =
      *shm::Region::open(path(shm::ring_cursor_file("order")), shm::Region::Access::kReadWrite);
  const auto broken_at = [&](std::uint64_t position) {
    *cursor.at<std::uint64_t>(shm::kRingWordsOffset) = position;
    return named(collector().collect().rings, "order").broken;
  };
  EXPECT_FALSE(broken_at(0));
  EXPECT_FALSE(broken_at(shm::largest_batch(kSlots))) << "the tail is a hint";
  EXPECT_TRUE(broken_at(shm::largest_batch(kSlots) + 1));
  EXPECT_TRUE(broken_at(1'000'000'000));
}

// Every body byte of every file, and every header but the control segment's magic: nothing may
// crash, hang, or leave the lines' width.
TEST_F(Collecting, GarbageInAnyFileIsShownNotFollowed) {
  std::mt19937_64 random(20'261'120);
  SCOPED_TRACE("seed 20261120");
  const std::vector<std::string> files = shm::segment_files(dir());
  for (const std::string& file : files) {
    for (const int kind : {0, 1, 2}) {
      create();
      shm::Region bytes = *shm::Region::open(path(file), shm::Region::Access::kReadWrite);
      const std::size_t from = kind == 2 ? 24 : shm::kHeaderBytes;
      const std::size_t to = kind == 2 ? shm::kHeaderBytes : bytes.size();
      for (std::size_t i = from / 8; i < to / 8; ++i)
        bytes.at<std::uint64_t>(0)[i] = kind == 0 ? ~std::uint64_t{0} : random();
      if (kind == 2)  // a header that says it is ready
        *bytes.at<std::uint64_t>(offsetof(shm::SegmentHeader, ready)) = shm::kReadyWord;
      Collector fresh(dir());
      static_cast<void>(fresh.collect());
      fresh.reset_maxima();
      const Snapshot s = fresh.collect();
      View view;
      view.width = 120;
      for (const Line& line : draw(s, view))
        ASSERT_LE(width_of(line), 120u) << file << ": " << text_of(line);
      EXPECT_NE(to_json(s), "");
    }
  }
}

TEST_F(Collecting, LayoutOfAnotherVersionOrHalfCreatedIsAProblemInWords) {
  {
    std::fstream control(path(shm::control_file()), std::ios::in | std::ios::out);
    control.seekp(8);
    const std::uint32_t version = shm::kLayoutVersion + 1;
    control.write(reinterpret_cast<const char*>(&version), sizeof(version));
  }
  EXPECT_TRUE(shm::test::says(collector().collect().problem,
                              {"layout version is " + std::to_string(shm::kLayoutVersion + 1)}));
  std::filesystem::remove(path(shm::control_file()));
  EXPECT_TRUE(shm::test::says(collector().collect().problem, {"not yet"}));
  std::filesystem::remove_all(dir());
  EXPECT_TRUE(shm::test::says(collector().collect().problem, {"not yet"}));
}

}  // namespace
}  // namespace sluice::top::test
