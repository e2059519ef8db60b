// Creating and destroying a layout: what is refused, what is said, what is left behind.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>

#include "shm/ring_probe.hpp"
#include "shm/stage_page.hpp"
#include "tests/shm/shm_fixture.hpp"

namespace sluice::shm::test {
namespace {

class LayoutFiles : public ShmTest {
 protected:
  [[nodiscard]] std::vector<std::string> segments() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(dir()))
      if (entry.is_regular_file())
        names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }
  [[nodiscard]] Layout lossless_layout() const {
    Layout layout = small_layout();
    layout.rings.push_back(ring_spec<OneLine>("exec.persistence", 16, RingPolicy::kLossless,
                                              "gateway", "persistence"));
    return layout;
  }
  void publish(const std::string& ring, const std::string& producer, std::uint64_t records) const {
    const RoleLock held = role(producer);
    RingProducer<OneLine> end(attach(), ring);
    for (std::uint64_t i = 0; i < records; ++i)
      ASSERT_TRUE(end.try_push(OneLine::of(i)));
  }
  void poke_build(std::uint64_t build_id) const {
    const int control = open(path(control_file()).c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_EQ(pwrite(control, &build_id, sizeof(build_id), offsetof(SegmentHeader, build_id)), 8);
    close(control);
  }
  void poke_version(std::uint32_t version) const {
    const int control = open(path(control_file()).c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_EQ(pwrite(control, &version, sizeof(version), offsetof(SegmentHeader, layout_version)),
              4);
    close(control);
  }
};

TEST_F(LayoutFiles, CreateLaysOutEveryFileAndNoTemporaryOne) {
  const CreateReport report = create_layout(small_layout(), false);
  EXPECT_EQ(segments(), (std::vector<std::string>{"board.quotes", "control", "ring.md.cursor",
                                                  "ring.md.data", "trip.operator"}));
  EXPECT_GT(report.generation, 0u);
  EXPECT_GE(report.bytes, 64u * 64u);
  EXPECT_TRUE(report.lost.empty());
}

TEST_F(LayoutFiles, EveryByteIsReserved) {
  create_layout(small_layout(16'384), false);
  struct stat status {};
  ASSERT_EQ(stat(path(ring_data_file("md")).c_str(), &status), 0);
  EXPECT_GE(status.st_blocks * 512, status.st_size);
}

// With its name the layout exists: whoever sees it finds everything else in place. The clock is
// calibrated for 20 ms before it is named, so its time of change is later beyond doubt; without a
// TSC to calibrate, the names may all be of one tick of the file system's clock.
TEST_F(LayoutFiles, ControlSegmentIsNamedLast) {
  create_layout(small_layout(), false);
  if (attach().clock().mult == 0)
    GTEST_SKIP() << "the TSC of this machine is not invariant: nothing separates the times";
  const auto named_at = [&](const std::string& file) {
    struct stat status {};
    EXPECT_EQ(stat(path(file).c_str(), &status), 0);
    return status.st_ctim.tv_sec * 1'000'000'000 + status.st_ctim.tv_nsec;
  };
  for (const std::string& file : segments()) {
    if (file != control_file()) {
      EXPECT_LT(named_at(file), named_at(control_file())) << file;
    }
  }
}

// The first message must not pay for a page fault; what a stage writes stays in memory where the
// limit on locked memory allows it.
TEST_F(LayoutFiles, AttachedSegmentsAreResidentAndOnesOwnAreLocked) {
  create_layout(small_layout(4096), false);
  const RoleLock producing = role("producer");
  const AttachReport before = attach_report();
  const Instance instance = attach();
  const RingMapping ring =
      attach_ring_producer(instance, "md", kSchemaHash<OneLine>, sizeof(OneLine));
  for (const Region* const region : {&ring.data, &ring.cursor}) {
    std::vector<unsigned char> pages(region->size() / kPageBytes);
    ASSERT_EQ(mincore(region->data(), region->size(), pages.data()), 0);
    EXPECT_TRUE(std::all_of(pages.begin(), pages.end(), [](auto page) { return (page & 1) != 0; }));
  }
  const AttachReport after = attach_report();
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
  if (limit.rlim_cur == RLIM_INFINITY) {
    EXPECT_EQ(after.locked_bytes - before.locked_bytes, ring.data.size());
  }
  EXPECT_EQ(after.writable_bytes - before.writable_bytes, ring.data.size());
}

TEST_F(LayoutFiles, DestroyRemovesAllSegmentsAndKeepsTheLocks) {
  create_layout(small_layout(), false);
  EXPECT_TRUE(destroy_layout(dir(), false).empty());
  EXPECT_TRUE(segments().empty());
  EXPECT_TRUE(std::filesystem::exists(locks_folder(dir()) + "/producer"));
  EXPECT_TRUE(destroy_layout(dir(), false).empty()) << "nothing to destroy is no error";
}

TEST_F(LayoutFiles, LayoutThatCannotBeIsAConfigurationError) {
  const auto refused = [&](auto&& spoil, std::initializer_list<std::string> parts) {
    Layout layout = small_layout();
    spoil(layout);
    const Error error = error_of([&] { create_layout(layout, false); });
    EXPECT_EQ(error.code(), ExitCode::kConfig);
    EXPECT_TRUE(says(error.what(), parts));
    EXPECT_TRUE(segments().empty());
  };
  refused([](Layout& l) { l.rings[0].slots = 48; }, {"ring md", "48 slots", "power of two"});
  refused([](Layout& l) { l.rings[0].slots = 0; }, {"0 slots"});
  refused([](Layout& l) { l.rings[0].slots = 2; }, {"2 slots"});
  refused([](Layout& l) { l.rings[0].payload_bytes = 64; }, {"64 bytes", "cache lines"});
  refused([](Layout& l) { l.rings[0].policy = RingPolicy{}; }, {"policy"});
  refused([](Layout& l) { l.rings[0].name = "a/b"; }, {"ring 'a/b'"});
  refused([](Layout& l) { l.rings.push_back(l.rings[0]); }, {"two segments", "ring.md.data"});
  refused([](Layout& l) { l.boards[0].rows = 0; }, {"board quotes", "0 rows"});
  refused([](Layout& l) { l.boards[0].row_bytes = 20; }, {"20 bytes", "multiple of 8"});
  refused([](Layout& l) { l.boards[0].owner = ""; }, {"owner of board quotes"});
  refused([](Layout& l) { l.pages.push_back({"risk", nullptr}); }, {"stage risk", "metrics"});
}

TEST_F(LayoutFiles, CreateAndDestroyAreRefusedWhileARoleIsHeld) {
  create_layout(small_layout(), false);
  const std::vector<std::string> before = segments();
  Child holder([&] {
    const RoleLock held = RoleLock::acquire(dir(), "consumer", "a running stage");
    for (;;)
      pause();
    return 0;
  });
  ASSERT_TRUE(eventually([&] {
    const auto held = RoleLock::holder(dir(), "consumer");
    return held && held->purpose == "a running stage";
  }));
  for (const bool force : {false, true}) {
    const Error create = error_of([&] { create_layout(small_layout(), force); });
    EXPECT_EQ(create.code(), ExitCode::kRoleTaken);
    EXPECT_TRUE(says(create.what(), {"role 'consumer'", "a running stage"}));
    EXPECT_EQ(error_of([&] { destroy_layout(dir(), force); }).code(), ExitCode::kRoleTaken);
  }
  EXPECT_EQ(segments(), before);
}

TEST_F(LayoutFiles, RoleThatOnlyAnOlderLayoutKnewIsRespected) {
  create_layout(lossless_layout(), false);
  const RoleLock gateway = role("gateway");
  EXPECT_EQ(error_of([&] { create_layout(small_layout(), false); }).code(), ExitCode::kRoleTaken);
}

TEST_F(LayoutFiles, UndrainedLosslessRingIsNotThrownAwayUnlessForced) {
  create_layout(lossless_layout(), false);
  publish("exec.persistence", "gateway", 3);
  for (const Error& error : {error_of([&] { destroy_layout(dir(), false); }),
                             error_of([&] { create_layout(lossless_layout(), false); })}) {
    EXPECT_EQ(error.code(), ExitCode::kResource);
    EXPECT_TRUE(
        says(error.what(), {"ring exec.persistence", "3 records", "'persistence'", "--force"}));
  }
  EXPECT_EQ(RingProbe(dir(), "exec.persistence").depth(), 3u) << "a refusal changed something";
  const CreateReport report = create_layout(lossless_layout(), true);
  ASSERT_EQ(report.lost.size(), 1u);
  EXPECT_TRUE(says(report.lost[0], {"ring exec.persistence", "3 records"}));
}

TEST_F(LayoutFiles, WhatALosslessRingsProducerLostUntoldIsSaidAndStopsNothing) {
  create_layout(lossless_layout(), false);
  EXPECT_TRUE(inspect_layout(dir()).untold.empty());
  {
    const RoleLock held = role("gateway");
    RingProducer<OneLine> end(attach(), "exec.persistence");
    end.set_owed(7);
  }
  const LayoutState state = inspect_layout(dir());
  EXPECT_TRUE(state.undrained.empty());
  ASSERT_EQ(state.untold.size(), 1u);
  EXPECT_TRUE(says(state.untold[0], {"ring exec.persistence", "'gateway' lost 7 records"}));
  EXPECT_NO_THROW(destroy_layout(dir(), false));
}

TEST_F(LayoutFiles, RecordPublishedJustBeforeTheProducerDiedCountsAsUndrained) {
  create_layout(lossless_layout(), false);
  publish("exec.persistence", "gateway", 1);
  const int data = open(path(ring_data_file("exec.persistence")).c_str(), O_RDWR | O_CLOEXEC);
  const std::uint64_t tail = 0;  // stamped, but the hint was never stored
  ASSERT_EQ(pwrite(data, &tail, sizeof(tail), kRingWordsOffset), 8);
  close(data);
  EXPECT_TRUE(says(error_of([&] { destroy_layout(dir(), false); }).what(), {"1 records"}));
}

TEST_F(LayoutFiles, DrainedLosslessRingAndUndrainedOthersDoNotStopADestroy) {
  create_layout(lossless_layout(), false);
  publish("exec.persistence", "gateway", 3);
  publish("md", "producer", 5);
  {
    const RoleLock held = role("persistence");
    RingConsumer<OneLine> end(attach(), "exec.persistence");
    ASSERT_EQ(end.drain([](const OneLine&) {}, 10), 3u);
  }
  EXPECT_TRUE(destroy_layout(dir(), false).empty());
}

TEST_F(LayoutFiles, LeftoverOfACreationThatDiedIsReplaced) {
  create_layout(small_layout(), false);
  std::filesystem::remove(path(control_file()));
  std::filesystem::rename(path(board_file("quotes")), path(board_file("quotes") + ".tmp"));
  EXPECT_EQ(inspect_layout(dir()).kind, LayoutState::Kind::kIncomplete);
  create_layout(small_layout(), false);
  EXPECT_EQ(inspect_layout(dir()).kind, LayoutState::Kind::kComplete);
  EXPECT_EQ(segments().size(), 5u) << "the temporary file is gone";
}

TEST_F(LayoutFiles, LeftoverOfARunOfThisBuildIsRecognisedAndReplaced) {
  EXPECT_EQ(inspect_layout(dir()).kind, LayoutState::Kind::kNone);
  const CreateReport first = create_layout(lossless_layout(), false);
  publish("md", "producer", 5);
  const LayoutState state = inspect_layout(dir());
  EXPECT_EQ(state.kind, LayoutState::Kind::kComplete);
  EXPECT_EQ(state.build_id, 1u);
  EXPECT_EQ(state.generation, first.generation);
  EXPECT_TRUE(state.undrained.empty());
  EXPECT_GT(create_layout(small_layout(), false).generation, first.generation);
  EXPECT_EQ(segments().size(), 5u) << "rings that are no longer configured are gone";
}

TEST_F(LayoutFiles, LayoutOfAnotherBuildIsRefusedAndSaidClearly) {
  create_layout(small_layout(), false);
  poke_build(77);
  const Error error = error_of([&] { create_layout(small_layout(), false); });
  EXPECT_EQ(error.code(), ExitCode::kResource);
  EXPECT_TRUE(says(error.what(), {"another build", "77", "this build has 1", "--force"}));
  EXPECT_EQ(segments().size(), 5u);
  EXPECT_NO_THROW(create_layout(small_layout(), true));
}

TEST_F(LayoutFiles, LayoutOfAnotherVersionIsNeverInterpreted) {
  create_layout(small_layout(), false);
  poke_version(kLayoutVersion + 1);
  EXPECT_EQ(inspect_layout(dir()).kind, LayoutState::Kind::kForeign);
  const Error error = error_of([&] { destroy_layout(dir(), false); });
  EXPECT_EQ(error.code(), ExitCode::kResource);
  EXPECT_TRUE(says(error.what(), {"layout version " + std::to_string(kLayoutVersion + 1),
                                  "this build has " + std::to_string(kLayoutVersion), "--force"}));
  EXPECT_EQ(destroy_layout(dir(), true).size(), 1u);
  EXPECT_TRUE(segments().empty());
}

TEST_F(LayoutFiles, LayoutOfAnotherBuildCanBeSetAsideAndNothingIsLost) {
  create_layout(lossless_layout(), false);
  publish("exec.persistence", "gateway", 3);
  poke_build(77);
  const std::string aside = set_aside_layout(dir());
  EXPECT_TRUE(segments().empty());
  EXPECT_EQ(inspect_layout(aside).undrained.size(), 1u);
  EXPECT_EQ(inspect_layout(aside).build_id, 77u);
  create_layout(lossless_layout(), false);
  EXPECT_EQ(RingProbe(aside, "exec.persistence").depth(), 3u);
  EXPECT_EQ(RingProbe(dir(), "exec.persistence").depth(), 0u);
}

TEST_F(LayoutFiles, CreationThatFailsHalfWayLeavesNoSegmentBehind) {
  Child creator([&] {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{2 << 20, 2 << 20};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
      return 1;
    Layout layout = small_layout();
    layout.rings.push_back(
        ring_spec<OneLine>("zz.large", 1 << 16, RingPolicy::kRefuse, "producer", "consumer"));
    const Error error = error_of([&] { create_layout(layout, false); });
    const bool clear = error.code() == ExitCode::kResource &&
                       says(error.what(), {"ring.zz.large.data", "cannot reserve", "bytes free"});
    return clear && segments().empty() ? 0 : 2;
  });
  EXPECT_EQ(creator.wait(), 0);
}

// In a mount namespace of its own, so that the machine is left as it was.
TEST_F(LayoutFiles, FileSystemWithoutSpaceIsOneClearErrorAndNothingLeft) {
  Child creator([&] {
    if (unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", dir().c_str(), "tmpfs", 0, "size=1m") != 0)
      return 50;
    Layout layout = small_layout(1 << 16);
    layout.dir += "/instance";
    const Error early = error_of([&] { create_layout(layout, false); });
    const bool clear = early.code() == ExitCode::kResource &&
                       says(early.what(), {"no space", "bytes", "free", "larger"});
    const bool untouched = std::filesystem::is_empty(dir());
    // The same when the space goes away between the check and the reservation.
    const Error late = error_of(
        [&] { static_cast<void>(Region::create(path("x.tmp"), std::size_t{4} << 20, 0600)); });
    const bool removed = late.code() == ExitCode::kResource && std::filesystem::is_empty(dir());
    return clear && untouched && removed ? 0 : 2;
  });
  const int code = creator.wait();
  if (code == 50)
    GTEST_SKIP() << "no right to mount a tmpfs in a namespace of our own";
  EXPECT_EQ(code, 0);
}

TEST_F(LayoutFiles, NamesAreThoseOfTheFilesAndOnlyOfFinishedOnes) {
  EXPECT_TRUE(segment_names(dir()).rings.empty());
  create_layout(small_layout(), false);
  std::filesystem::copy_file(path("board.quotes"), path("board.late.tmp"));
  std::filesystem::copy_file(path("board.quotes"), path("notes.txt"));
  const SegmentNames names = segment_names(dir());
  EXPECT_EQ(names.rings, std::vector<std::string>{"md"});
  EXPECT_EQ(names.boards, std::vector<std::string>{"quotes"});
  EXPECT_TRUE(names.stages.empty());
}

TEST_F(LayoutFiles, ReplacingALayoutMayUseTheSpaceOfTheOldOne) {
  Child creator([&] {
    if (unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", dir().c_str(), "tmpfs", 0, "size=2m") != 0)
      return 50;
    create_layout(small_layout(1 << 14), false);  // more than half of it
    create_layout(small_layout(1 << 14), false);
    return 0;
  });
  const int code = creator.wait();
  if (code == 50)
    GTEST_SKIP() << "no right to mount a tmpfs in a namespace of our own";
  EXPECT_EQ(code, 0);
}

}  // namespace
}  // namespace sluice::shm::test
