#include "tests/crash/crash_fixture.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <random>
#include <set>
#include <string_view>

namespace sluice::shm::test {
namespace {

constexpr std::size_t kSampledKills = 1;
// In a long run: at every instruction of an operation that has no more than this, else at a sample,
// for to come to the n-th instruction means to step n times.
constexpr std::uint64_t kKilledAtEach = 2'000;
constexpr std::size_t kSampledKillsLong = 100;

std::uint64_t judge(const Operation& operation, Scene& scene, const Image& before,
                    const Image& image, Faults& faults) {
  try {
    return operation.judge(scene, before, image, faults);
  } catch (const Error& refused) {
    faults.expect(false, std::string("refused: ") + refused.what());
    return 0;
  }
}

void judge_images(const Operation& operation, Scene& scene, const Recording& recording,
                  Faults& faults) {
  std::uint64_t there = 0;
  for (const Image& image : recording.images) {
    faults.at("dead after instruction " + std::to_string(image.instruction) + ": ");
    const std::uint64_t now = judge(operation, scene, recording.images.front(), image, faults);
    faults.expect(now >= there, "what was there before is gone");
    there = now;
    if (&image == &recording.images.front())
      faults.expect(now == 0, "something is there before the operation");
  }
  faults.expect(there == operation.whole, "the whole operation left " + std::to_string(there) +
                                              " of " + std::to_string(operation.whole));
}

std::vector<std::uint64_t> kill_points(const Operation& operation, std::uint64_t instructions) {
  std::vector<std::uint64_t> points;
  if (long_run() && instructions <= kKilledAtEach) {
    for (std::uint64_t i = 0; i <= instructions; ++i)
      points.push_back(i);
    return points;
  }
  // The same points in every run: a failure can be looked at again.
  std::mt19937_64 random(std::hash<std::string>{}(operation.name));
  const std::size_t samples = long_run() ? kSampledKillsLong : kSampledKills;
  for (std::size_t i = 0; i < samples; ++i)
    points.push_back(random() % (instructions + 1));
  return points;
}

}  // namespace

bool long_run() {
  const char* const value = std::getenv("SLUICE_LONG");
  return value != nullptr && std::string_view(value) == "1";
}

void CrashTest::SetUp() {
  ShmTest::SetUp();
  if (const auto why = stepping_refused())
    GTEST_SKIP() << "ptrace is not permitted here, so nothing can be stepped: " << *why;
}

Verdict CrashTest::run(const Operation& operation, bool with_kills) const {
  create_layout(operation.layout, true);
  Scene scene{dir(), attach(), SharedFiles(dir(), operation.files)};
  const Bytes start = operation.start.empty() ? scene.files.copy() : operation.start;
  const Act act = [&](Dying& dying) { operation.act(scene.dir, dying); };

  Verdict verdict;
  Faults faults;
  scene.files.restore(start);
  verdict.recording = step_through(scene.files, act);
  faults.expect(!RoleLock::holder(dir(), operation.role), "the dead one still holds its role");
  std::set<Bytes> known;
  for (const Image& image : verdict.recording.images)
    known.insert(image.bytes);
  verdict.distinct = known.size();
  judge_images(operation, scene, verdict.recording, faults);

  const auto points = with_kills ? kill_points(operation, verdict.recording.instructions)
                                 : std::vector<std::uint64_t>{};
  for (const std::uint64_t point : points) {
    scene.files.restore(start);
    const Image left = kill_after(scene.files, act, point);
    ++verdict.kills;
    faults.at("SIGKILL after instruction " + std::to_string(point) + ": ");
    faults.expect(!RoleLock::holder(dir(), operation.role), "the dead one still holds its role");
    faults.expect(!operation.repeatable || known.contains(left.bytes),
                  "it left an image that stepping did not find");
    judge(operation, scene, verdict.recording.images.front(), left, faults);
  }
  verdict.faults = faults.texts();
  return verdict;
}

Recording CrashTest::prove(const Operation& operation) const {
  Verdict verdict = run(operation, true);
  std::printf("crash  %-56s %6llu instructions %4zu images %5zu kills\n", operation.name.c_str(),
              static_cast<unsigned long long>(verdict.recording.instructions), verdict.distinct,
              verdict.kills);
  EXPECT_GE(verdict.distinct, operation.least_images) << operation.name << ": was it stepped?";
  for (std::size_t i = 0; i < std::min<std::size_t>(verdict.faults.size(), 5); ++i)
    ADD_FAILURE() << operation.name << ": " << verdict.faults[i];
  return std::move(verdict.recording);
}

void CrashTest::expect_caught(const Operation& operation, const std::string& because) const {
  const Verdict verdict = run(operation, false);
  const auto seen =
      std::find_if(verdict.faults.begin(), verdict.faults.end(),
                   [&](const std::string& fault) { return fault.find(because) != fault.npos; });
  if (seen == verdict.faults.end()) {
    ADD_FAILURE() << "nobody noticed: " << operation.name;
    return;
  }
  std::printf("mutant %-44s %6zu faults, one: %s\n", operation.name.c_str(), verdict.faults.size(),
              seen->c_str());
}

}  // namespace sluice::shm::test
