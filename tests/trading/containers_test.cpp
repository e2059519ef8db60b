// The fixed-size containers under the gateway's core: index, rate window, tombstones, order table
// and execution book.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "common/trading/execution_book.hpp"
#include "common/trading/order_table.hpp"
#include "common/trading/rate_window.hpp"
#include "common/trading/tombstones.hpp"

namespace sluice {
namespace {

constexpr std::int64_t kSec = 1'000'000'000;

IntentId id(std::uint64_t sequence, std::uint32_t incarnation = 1) {
  return {.incarnation = incarnation, .strategy = 0, .reserved = 0, .sequence = sequence};
}

TEST(FlatIndex, AgreesWithMapUnderRandomPutsAndErases) {
  const std::uint64_t seed = 20'240'808;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  FlatIndex<Id128> index(256);
  std::map<Id128, std::uint32_t> model;
  for (int step = 0; step < 50'000; ++step) {
    const Id128 key{0, random() % 400};
    if (random() % 2 == 0 && (model.size() < 256 || model.contains(key))) {
      const auto value = static_cast<std::uint32_t>(random() % 1000);
      index.put(key, value);
      model[key] = value;
    } else {
      index.erase(key);
      model.erase(key);
    }
    const Id128 probe{0, random() % 400};
    const auto found = model.find(probe);
    ASSERT_EQ(index.find(probe), found == model.end() ? FlatIndex<Id128>::kNone : found->second);
    ASSERT_EQ(index.size(), model.size());
  }
}

TEST(RateWindow, AllowsLimitTakesPerWindow) {
  RateWindow window(3, kSec);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(window.has_room({kSec + i}));
    window.take({kSec + i});
  }
  EXPECT_FALSE(window.has_room({kSec + 3}));
  EXPECT_FALSE(window.has_room({2 * kSec - 1}));
  EXPECT_TRUE(window.has_room({2 * kSec}));  // the first take has left the window
}

TEST(RateWindow, ReserveIsLeftUntouched) {
  RateWindow window(3, kSec);
  window.take({1});
  window.take({2});
  EXPECT_TRUE(window.has_room({3}));
  EXPECT_FALSE(window.has_room({3}, 1));
  EXPECT_FALSE(window.has_room({3}, 3));
}

TEST(RateWindow, ZeroLimitAllowsNothing) {
  EXPECT_FALSE(RateWindow(0, kSec).has_room({kSec}));
}

TEST(Tombstones, TakenOnceByItsOrder) {
  Tombstones stones(1, 2);
  ASSERT_TRUE(stones.add(id(5)));
  EXPECT_TRUE(stones.add(id(5)));  // a repeat needs no second place
  EXPECT_EQ(stones.count(0), 1U);
  EXPECT_TRUE(stones.take(id(5)));
  EXPECT_FALSE(stones.take(id(5)));
}

TEST(Tombstones, ReleasedUpToTheMarkOfTheirIncarnation) {
  Tombstones stones(1, 4);
  ASSERT_TRUE(stones.add(id(9, 1)));
  ASSERT_TRUE(stones.add(id(5, 2)));
  ASSERT_TRUE(stones.add(id(6, 2)));
  stones.release(0, 2, 5);
  EXPECT_FALSE(stones.take(id(9, 1)));
  EXPECT_FALSE(stones.take(id(5, 2)));
  EXPECT_TRUE(stones.take(id(6, 2)));
}

TEST(Tombstones, RefusesWhenFull) {
  Tombstones stones(1, 1);
  ASSERT_TRUE(stones.add(id(1)));
  EXPECT_FALSE(stones.add(id(2)));
}

void finish(OrderTable& table, std::uint32_t row, bool sent, std::int64_t at) {
  table.aux(row).sent = sent;
  table.row(row).state = OrderState::kCancelled;
  table.row(row).terminal_ns = {at};
  table.retire(row);
}

TEST(OrderTable, FindsByIntentAndByVenueId) {
  OrderTable table(4, kSec);
  const std::uint32_t row = table.allocate(id(1), {0}).row;
  table.bind_venue(row, {1, 2});
  EXPECT_EQ(table.find(id(1)), row);
  EXPECT_EQ(table.find_venue({1, 2}), row);
  EXPECT_EQ(table.find(id(2)), kNoRow);
  EXPECT_EQ(table.find_venue({0, 0}), kNoRow);
}

TEST(OrderTable, FullTableRefusesUntilTheRetentionIsOver) {
  OrderTable table(2, 10 * kSec);
  const std::uint32_t first = table.allocate(id(1), {0}).row;
  static_cast<void>(table.allocate(id(2), {0}));
  EXPECT_EQ(table.allocate(id(3), {0}).row, kNoRow);
  finish(table, first, true, kSec);
  EXPECT_EQ(table.allocate(id(3), {11 * kSec - 1}).row, kNoRow);
  EXPECT_EQ(table.allocate(id(3), {11 * kSec}).row, first);
  EXPECT_EQ(table.find(id(1)), kNoRow);
  EXPECT_EQ(table.find(id(3)), first);
}

TEST(OrderTable, WhatNeverLeftGoesAtOnce) {
  OrderTable table(1, 10 * kSec);
  finish(table, table.allocate(id(1), {0}).row, false, 0);
  EXPECT_EQ(table.allocate(id(2), {0}).row, 0U);
}

TEST(OrderTable, KeepsRowsThatStillWaitForSomething) {
  OrderTable table(1, 0);
  const std::uint32_t row = table.allocate(id(1), {0}).row;
  finish(table, row, true, 0);
  table.row(row).fees_pending = 1;
  EXPECT_EQ(table.allocate(id(2), {kSec}).row, kNoRow);
  table.row(row).fees_pending = 0;
  table.row(row).venue_filled = Qty{1};  // filled at the venue, not booked
  EXPECT_EQ(table.allocate(id(2), {kSec}).row, kNoRow);
  table.row(row).filled = Qty{1};
  table.activate(row);
  EXPECT_EQ(table.allocate(id(2), {kSec}).row, kNoRow);
  table.deactivate(row);
  table.aux(row).uncovered = true;
  EXPECT_EQ(table.allocate(id(2), {kSec}).row, kNoRow);
  table.aux(row).uncovered = false;
  EXPECT_EQ(table.allocate(id(2), {kSec}).row, row);
}

TEST(ExecutionBook, SeesOverlapsOfIntervals) {
  ExecutionBook book(8);
  const std::uint32_t record = book.insert({1, 1});
  book.record(record).qty = Qty{3};
  book.record(record).cum_qty = Qty{5};  // (2, 5]
  const std::uint32_t head = book.attach(record, 0, ExecutionBook::kNone);
  EXPECT_FALSE(book.overlaps(head, Qty{2}, Qty{2}));  // (0, 2]
  EXPECT_FALSE(book.overlaps(head, Qty{2}, Qty{7}));  // (5, 7]
  EXPECT_TRUE(book.overlaps(head, Qty{1}, Qty{3}));
  EXPECT_TRUE(book.overlaps(head, Qty{3}, Qty{5}));
  EXPECT_TRUE(book.overlaps(head, Qty{9}, Qty{9}));
}

TEST(ExecutionBook, ForgetsOnlyWhatNothingWaitsFor) {
  ExecutionBook book(2);
  const std::uint32_t first = book.insert({1, 1});
  const std::uint32_t head = book.attach(first, 0, ExecutionBook::kNone);
  const std::uint32_t second = book.insert({1, 2});
  static_cast<void>(book.attach(second, 1, ExecutionBook::kNone));
  EXPECT_EQ(book.pinned(), 2U);
  EXPECT_TRUE(book.nearly_full());
  EXPECT_EQ(book.insert({1, 3}), ExecutionBook::kNone);
  book.settle(first);
  EXPECT_EQ(book.insert({1, 3}), ExecutionBook::kNone);  // its order still has a row
  book.detach_chain(head);
  EXPECT_EQ(book.find({1, 1}), first);  // still known
  EXPECT_EQ(book.insert({1, 3}), first);
  EXPECT_EQ(book.find({1, 1}), ExecutionBook::kNone);
}

}  // namespace
}  // namespace sluice
