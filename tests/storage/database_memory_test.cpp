// The writer of the database when memory runs out: the process that writes the journal goes on.
//
// This binary's operator new fails once where a test says so, at each allocation in turn.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "tests/storage/trade_fixture.hpp"

namespace {

thread_local std::int64_t left_until_failure = -1;  // < 0: never

void* allocate(std::size_t bytes) {
  if (left_until_failure >= 0 && left_until_failure-- == 0)
    throw std::bad_alloc();
  void* const memory = std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr)
    throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t bytes) {
  return allocate(bytes);
}
void* operator new[](std::size_t bytes) {
  return allocate(bytes);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace sluice {
namespace {

using namespace sluice::test;
using State = DatabaseWriter::State;
using ::testing::AnyOf;
using ::testing::HasSubstr;

TEST(DatabaseMemory, AFailureAtAnyAllocationIsAStatusAndNoRowIsLostOrDoubled) {
  const TempDir temp;
  const std::string dir = temp / "j";
  JournalMaker maker(dir);
  maker.push_random(1, 4);
  const std::uint64_t durable = maker.sync();
  TradeDatabase whole({.path = ":memory:", .journal = name_of_journal(dir)});
  apply_all(whole, dir, durable);
  const std::string expected = dump(whole.connection());

  int refusals = 0;
  bool through = false;
  // The first allocations, then samples: opening and applying make some thousands.
  for (std::int64_t at = 0; !through && at < 1'000'000; at += at < 300 ? 1 : 97) {
    const std::string path = temp / std::to_string(at) + ".db";
    DatabaseWriter writer({.journal_dir = dir, .path = path, .batch = 50});
    MonoNanos now{kNanosPerSecond};
    left_until_failure = at;
    while (writer.turn(durable, now)) {
    }
    through = left_until_failure >= 0;
    left_until_failure = -1;
    if (!through && writer.status().state != State::kCurrent) {
      ++refusals;
      ASSERT_EQ(writer.status().state, State::kRefused) << at;
      ASSERT_EQ(writer.status().errors, 1U) << at;
      // As it was told, unless the failure hit the words themselves.
      ASSERT_THAT(writer.status().problem,
                  AnyOf(HasSubstr("bad_alloc; tried again every 5 s"), "out of memory"))
          << at;
    }
    now.ns += 5 * kNanosPerSecond;
    while (writer.turn(durable, now)) {
    }
    ASSERT_EQ(writer.status().state, State::kCurrent) << at << ": " << writer.status().problem;
    ASSERT_EQ(dump(path), expected) << at;
    for (const char* end : {"", "-wal", "-shm"})
      std::filesystem::remove(path + end);
  }
  EXPECT_TRUE(through);
  EXPECT_GT(refusals, 100);
}

}  // namespace
}  // namespace sluice
