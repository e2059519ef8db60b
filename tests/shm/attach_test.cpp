// The handshake at attach: every way it can end, and what the message says.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <cstddef>
#include <fstream>
#include <map>
#include <set>

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

TEST_F(Attach, CalibrationThatIsNoClockIsWrongLayout) {
  create_layout(small_layout(), false);
  poke(control_file(), kHeaderBytes + offsetof(ClockCalibration, shift), std::uint32_t{64});
  EXPECT_EQ(status_of([&] { static_cast<void>(attach()); }), AttachStatus::kWrongLayout);
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

TEST_F(Attach, EveryAnswerHasItsOwnName) {
  std::set<std::string> names;
  for (const AttachStatus status :
       {AttachStatus::kReady, AttachStatus::kNotYet, AttachStatus::kWrongLayout,
        AttachStatus::kWrongSize, AttachStatus::kWrongGeneration, AttachStatus::kRoleTaken})
    names.insert(to_string(status));
  EXPECT_EQ(names.size(), 6u);
  EXPECT_FALSE(names.contains("unknown status"));
}

TEST_F(Attach, ReadyLayoutIsReadyForEveryKindOfAttach) {
  create_layout(small_layout(), false);
  const RoleLock producing = role("producer");
  const RoleLock consuming = role("consumer");
  const Instance instance = attach();
  EXPECT_EQ(status_of([&] {
              RingProducer<OneLine> producer(instance, "md");
              RingConsumer<OneLine> consumer(instance, "md");
              RingProbe probe(instance, "md");
              BoardWriter<FourLines> writer(instance, "quotes");
              BoardReader<FourLines> reader(instance, "quotes");
              OperatorTrip::View trips(instance);
            }),
            AttachStatus::kReady);
}

TEST_F(Attach, OtherRowTypeIsWrongLayoutNamingBothHashes) {
  create_layout(small_layout(), false);
  const Instance instance = attach();
  const auto read = [&] { BoardReader<OneLine>{instance, "quotes"}; };
  EXPECT_EQ(status_of(read), AttachStatus::kWrongLayout);
  EXPECT_TRUE(says(error_of(read).what(), {"board.quotes", "schema hash is 0x", "expects 0x"}));
}

// The header is the producer's: it may name a record beside slots that are too small for it.
TEST_F(Attach, ToolReadsNoRecordLargerThanTheSlotsTheHeaderSpeaksOf) {
  Layout layout = small_layout();
  layout.rings[0] = ring_spec<FourLines>("md", 16, RingPolicy::kRefuse, "producer", "consumer");
  create_layout(layout, false);
  for (const std::string& half : {ring_data_file("md"), ring_cursor_file("md")}) {
    poke(half, offsetof(SegmentHeader, elements), std::uint64_t{64});
    poke(half, offsetof(SegmentHeader, element_bytes), std::uint32_t{64});
  }
  const std::uint64_t last = 63;
  poke(ring_data_file("md"), kRingSlotsOffset + last * 64, stamp_of(last));
  poke(ring_data_file("md"), kRingWordsOffset, last + 1);
  const RingProbe probe(attach(), "md");
  FourLines copy{};
  EXPECT_FALSE(probe.read(last, copy)) << "three lines of it lie behind the end of the file";
}

TEST_F(Attach, ClockThatCannotBeComputedWithIsWrongLayout) {
  create_layout(small_layout(), false);
  poke(control_file(), kHeaderBytes + offsetof(ClockCalibration, shift), std::uint32_t{200});
  const auto attach_now = [&] { static_cast<void>(attach()); };
  EXPECT_EQ(status_of(attach_now), AttachStatus::kWrongLayout);
  EXPECT_TRUE(says(error_of(attach_now).what(), {"clock calibration is", "2^200", "at most"}));
}

TEST_F(Attach, OwnerThatIsNoRoleIsWrongLayout) {
  create_layout(small_layout(), false);
  const Instance instance = attach();
  const RoleLock producing = role("producer");
  poke(ring_data_file("md"), offsetof(SegmentHeader, owner),
       std::array<char, 4>{'.', '.', '/', 'x'});
  EXPECT_EQ(status_of([&] { RingProducer<OneLine>{instance, "md"}; }), AttachStatus::kWrongLayout);
}

TEST_F(Attach, PipeInPlaceOfASegmentIsAnErrorAndNoWaiting) {
  create_layout(small_layout(), false);
  std::filesystem::remove(path(board_file("quotes")));
  ASSERT_EQ(mkfifo(path(board_file("quotes")).c_str(), 0600), 0);
  const Error error = error_of([&] { BoardReader<FourLines>{attach(), "quotes"}; });
  EXPECT_EQ(error.code(), ExitCode::kResource);
  EXPECT_TRUE(says(error.what(), {"board.quotes", "no regular file"}));
}

// How /proc/self/smaps describes each mapping of a file of ours: permissions and flags.
std::map<std::string, std::pair<std::string, std::string>> mappings_below(const std::string& dir) {
  std::map<std::string, std::pair<std::string, std::string>> found;
  std::ifstream smaps("/proc/self/smaps");
  std::string line;
  std::string file;
  while (std::getline(smaps, line)) {
    if (line.find('-') < line.find(' ') && line.find(':') != line.npos && line[0] != 'V' &&
        std::isxdigit(static_cast<unsigned char>(line[0])) != 0) {
      const std::size_t at = line.find(dir + '/');
      file = at == line.npos ? "" : line.substr(at + dir.size() + 1);
      if (!file.empty())
        found[file].first = line.substr(line.find(' ') + 1, 4);
    } else if (!file.empty() && line.starts_with("VmFlags:")) {
      found[file].second = line.substr(8) + ' ';
    }
  }
  return found;
}

// A forked child must not be a second writer, and a core dump must not carry the rings along.
TEST_F(Attach, OnlyTheOwnersMappingIsWritableAndItIsNeitherForkedNorDumped) {
  create_layout(small_layout(), false);
  const RoleLock producing = role("producer");
  const Instance instance = attach();
  const RingProducer<OneLine> producer(instance, "md");
  const BoardWriter<FourLines> writer(instance, "quotes");
  const OperatorTrip::View trips(instance);
  const auto mappings = mappings_below(dir());
  ASSERT_EQ(mappings.size(), 5u);
  for (const auto& [file, how] : mappings) {
    const auto& [permissions, flags] = how;
    const bool own = file == ring_data_file("md") || file == board_file("quotes");
    EXPECT_EQ(permissions, own ? "rw-s" : "r--s") << file;
    EXPECT_EQ(flags.find(" dc ") != flags.npos, own) << file << ": " << flags;
    EXPECT_EQ(flags.find(" dd ") != flags.npos, own) << file << ": " << flags;
    // Without "may write" mprotect cannot make it writable either.
    EXPECT_EQ(flags.find(" mw ") != flags.npos, own) << file << ": " << flags;
  }
}

TEST_F(Attach, DescriptorsAreClosedOnceEverythingIsMapped) {
  create_layout(small_layout(), false);
  const RoleLock producing = role("producer");
  const RoleLock consuming = role("consumer");
  const Instance instance = attach();
  const RingProducer<OneLine> producer(instance, "md");
  const RingConsumer<OneLine> consumer(instance, "md");
  const BoardWriter<FourLines> writer(instance, "quotes");
  const OperatorTrip::View trips(instance);
  std::set<std::string> open_files;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;  // the folder's own descriptor
    const std::string target = std::filesystem::read_symlink(entry.path(), gone).string();
    if (target.starts_with(dir() + '/'))
      open_files.insert(target.substr(dir().size() + 1));
  }
  EXPECT_EQ(open_files, (std::set<std::string>{"locks/consumer", "locks/producer"}));
}

TEST_F(Attach, FileModesSayTheSameAsTheMappings) {
  create_layout(small_layout(), false);
  for (const auto& entry : std::filesystem::directory_iterator(dir())) {
    if (!entry.is_regular_file())
      continue;
    const auto mode = static_cast<unsigned>(entry.status().permissions()) & 0777;
    const bool everybodys = entry.path().filename() == operator_trip_file();
    EXPECT_EQ(mode, everybodys ? 0660u : 0640u) << entry.path();
  }
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
