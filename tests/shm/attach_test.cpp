// The handshake at attach: every way it can end, and what the message says.

#include <fcntl.h>
#include <unistd.h>

#include <cstddef>

#include "common/base/tsc.hpp"
#include "shm/ring_probe.hpp"
#include "shm/stage_page.hpp"
#include "tests/shm/shm_fixture.hpp"

namespace sluice::shm::test {
namespace {

class Attach : public ShmTest {
 protected:
  // Overwrites bytes of a file, as another build or a broken creator would have left them.
  template <class T>
  void poke(const std::string& file, std::size_t offset, const T& value) const {
    const int descriptor = open(path(file).c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_GE(descriptor, 0);
    ASSERT_EQ(pwrite(descriptor, &value, sizeof(T), static_cast<off_t>(offset)),
              static_cast<ssize_t>(sizeof(T)));
    close(descriptor);
  }
};

TEST_F(Attach, InstanceWithoutLayoutIsNotYet) {
  const auto attach_now = [&] {
    static_cast<void>(Instance::attach(dir(), std::chrono::milliseconds{1}));
  };
  EXPECT_EQ(status_of(attach_now), AttachStatus::kNotYet);
  const Error error = error_of(attach_now);
  EXPECT_EQ(error.code(), ExitCode::kResource);
  EXPECT_TRUE(says(error.what(), {dir().c_str(), "not yet", "sluicectl shm create"}));
}

TEST_F(Attach, InstanceWaitsForTheControlSegment) {
  Child creator([&] {
    create_layout(small_layout(), false);
    return 0;
  });
  const Instance instance = attach();
  EXPECT_EQ(instance.name(), "test");
  EXPECT_EQ(instance.build_id(), 1u);
  EXPECT_EQ(creator.wait(), 0);
}

TEST_F(Attach, ClocksOfTwoAttachesAreTheSameClock) {
  create_layout(small_layout(), false);
  const Instance one = attach();
  const Instance two = attach();
  const MonoNanos a = one.now();
  const MonoNanos b = two.now();
  const MonoNanos c = one.now();
  EXPECT_LE(a, b);
  EXPECT_LE(b, c);
}

TEST_F(Attach, UnknownRingIsNotYetAndNamesTheFile) {
  create_layout(small_layout(), false);
  const Instance instance = attach();
  const auto probe = [&] { RingProbe{instance, "nowhere"}; };
  EXPECT_EQ(status_of(probe), AttachStatus::kNotYet);
  EXPECT_TRUE(says(error_of(probe).what(), {"ring.nowhere.data", "sluicectl shm create"}));
}

TEST_F(Attach, ReadyWordNotSetIsNotYet) {
  create_layout(small_layout(), false);
  const Instance instance = attach();
  poke(ring_cursor_file("md"), offsetof(SegmentHeader, ready), std::uint64_t{0});
  EXPECT_EQ(status_of([&] { RingProbe{instance, "md"}; }), AttachStatus::kNotYet);
}

TEST_F(Attach, OtherRecordTypeIsWrongLayoutNamingBothHashes) {
  create_layout(small_layout(), false);
  const RoleLock producing = role("producer");
  const Instance instance = attach();
  const auto produce = [&] { RingProducer<OtherOneLine>{instance, "md"}; };
  EXPECT_EQ(status_of(produce), AttachStatus::kWrongLayout);
  EXPECT_TRUE(says(error_of(produce).what(),
                   {"ring.md.data", "schema hash is 0x", "this program expects 0x", "build both"}));
}

TEST_F(Attach, OtherRecordSizeIsWrongSize) {
  Layout layout = small_layout();
  layout.rings[0].payload_bytes = 120;  // two lines under the hash of a one-line record
  create_layout(layout, false);
  const RoleLock consuming = role("consumer");
  const Instance instance = attach();
  const auto consume = [&] { RingConsumer<OneLine>{instance, "md"}; };
  EXPECT_EQ(status_of(consume), AttachStatus::kWrongSize);
  EXPECT_TRUE(says(error_of(consume).what(), {"element size is 128", "expects 64"}));
}

TEST_F(Attach, FileOfAnotherLengthThanItsHeaderIsWrongSize) {
  create_layout(small_layout(), false);
  const Instance instance = attach();
  ASSERT_EQ(truncate(path(ring_data_file("md")).c_str(), 2 * kPageBytes), 0);
  EXPECT_EQ(status_of([&] { RingProbe{instance, "md"}; }), AttachStatus::kWrongSize);
  ASSERT_EQ(truncate(path(ring_data_file("md")).c_str(), 100), 0);
  EXPECT_EQ(status_of([&] { RingProbe{instance, "md"}; }), AttachStatus::kWrongSize);
}

TEST_F(Attach, HeaderWhoseSlotsDoNotFitTheFileIsWrongSize) {
  create_layout(small_layout(), false);
  const Instance instance = attach();
  for (const std::uint64_t slots :
       {std::uint64_t{128}, std::uint64_t{1} << 58, std::uint64_t{63}}) {
    poke(ring_data_file("md"), offsetof(SegmentHeader, elements), slots);
    poke(ring_cursor_file("md"), offsetof(SegmentHeader, elements), slots);
    EXPECT_EQ(status_of([&] { RingProbe{instance, "md"}; }), AttachStatus::kWrongSize) << slots;
  }
}

TEST_F(Attach, HalvesThatContradictEachOtherAreWrongLayout) {
  create_layout(small_layout(), false);
  const Instance instance = attach();
  poke(ring_cursor_file("md"), offsetof(SegmentHeader, elements), std::uint64_t{32});
  EXPECT_EQ(status_of([&] { RingProbe{instance, "md"}; }), AttachStatus::kWrongLayout);
}

TEST_F(Attach, SegmentOfAnotherGenerationIsRefusedNamingBoth) {
  create_layout(small_layout(), false);
  const Instance before = attach();
  const std::uint64_t generation = create_layout(small_layout(), false).generation;
  EXPECT_GT(generation, before.generation());
  const auto probe = [&] { RingProbe{before, "md"}; };
  EXPECT_EQ(status_of(probe), AttachStatus::kWrongGeneration);
  EXPECT_TRUE(says(error_of(probe).what(),
                   {std::to_string(generation).c_str(), std::to_string(before.generation()).c_str(),
                    "start this process again"}));
}

TEST_F(Attach, InstanceNoticesThatTheLayoutWasReplacedOrDestroyed) {
  create_layout(small_layout(), false);
  const Instance first = attach();
  EXPECT_TRUE(first.still_current());
  create_layout(small_layout(), false);
  EXPECT_FALSE(first.still_current());
  const Instance second = attach();
  EXPECT_TRUE(second.still_current());
  destroy_layout(dir(), false);
  EXPECT_FALSE(second.still_current());
}

TEST_F(Attach, OtherLayoutVersionIsWrongLayoutNamingBoth) {
  create_layout(small_layout(), false);
  poke(control_file(), offsetof(SegmentHeader, layout_version), kLayoutVersion + 41);
  const auto attach_now = [&] { static_cast<void>(attach()); };
  EXPECT_EQ(status_of(attach_now), AttachStatus::kWrongLayout);
  EXPECT_TRUE(
      says(error_of(attach_now).what(), {"layout version is " + std::to_string(kLayoutVersion + 41),
                                         "expects " + std::to_string(kLayoutVersion)}));
}

TEST_F(Attach, FileThatIsNoSegmentIsWrongLayout) {
  create_layout(small_layout(), false);
  poke(control_file(), 0, std::uint64_t{0x1122334455667788});
  EXPECT_EQ(status_of([&] { static_cast<void>(attach()); }), AttachStatus::kWrongLayout);
}

TEST_F(Attach, SegmentUnderAnotherNameIsWrongLayout) {
  create_layout(small_layout(), false);
  const Instance instance = attach();
  std::filesystem::rename(path(board_file("quotes")), path(board_file("books")));
  EXPECT_EQ(status_of([&] {
              BoardReader<FourLines>{instance, "books"};
            }),
            AttachStatus::kWrongLayout);
  std::filesystem::rename(path(ring_cursor_file("md")), path(board_file("quotes")));
  EXPECT_EQ(status_of([&] {
              BoardReader<FourLines>{instance, "quotes"};
            }),
            AttachStatus::kWrongLayout);
}

TEST_F(Attach, WritingWithoutTheRoleIsABugOfTheCaller) {
  create_layout(small_layout(), false);
  const Instance instance = attach();
  const Error error = error_of([&] { RingProducer<OneLine>{instance, "md"}; });
  EXPECT_EQ(error.code(), ExitCode::kBug);
  EXPECT_TRUE(says(error.what(), {"role 'producer'", "RoleLock"}));
}

TEST_F(Attach, WritingWhereAnotherProcessHoldsTheRoleIsRoleTaken) {
  create_layout(small_layout(), false);
  const Instance instance = attach();
  Child holder([&] {
    const RoleLock held = RoleLock::acquire(dir(), "producer", "the other producer");
    pause();
    return 0;
  });
  ASSERT_TRUE(eventually([&] { return RoleLock::holder(dir(), "producer").has_value(); }));
  const auto produce = [&] { RingProducer<OneLine>{instance, "md"}; };
  ASSERT_TRUE(eventually([&] { return RoleLock::holder(dir(), "producer")->pid != 0; }));
  EXPECT_EQ(status_of(produce), AttachStatus::kRoleTaken);
  const Error error = error_of(produce);
  EXPECT_EQ(error.code(), ExitCode::kRoleTaken);
  EXPECT_TRUE(says(error.what(), {"role 'producer'", "the other producer",
                                  std::to_string(holder.pid()).c_str()}));
}

TEST_F(Attach, ReportCountsWhatWasMapped) {
  create_layout(small_layout(), false);
  const Instance instance = attach();
  const AttachReport before = attach_report();
  const BoardReader<FourLines> reader(instance, "quotes");
  const AttachReport after = attach_report();
  EXPECT_EQ(after.mappings, before.mappings + 1);
  EXPECT_GT(after.bytes, before.bytes);
  EXPECT_EQ(after.writable_bytes, before.writable_bytes);
}

}  // namespace
}  // namespace sluice::shm::test
