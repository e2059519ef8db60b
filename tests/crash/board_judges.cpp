#include "tests/crash/board_judges.hpp"

namespace sluice::shm::test {
namespace {

// The number that stands in a row, 0 for one that was never written.
template <class Board>
std::uint64_t number_in(const Board& board, std::uint32_t row, Faults& faults) {
  FourLines value{};
  const BoardRead read = board.load(row, value);
  faults.expect(read != BoardRead::kContended, "contended without a writer");
  if (read != BoardRead::kOk)
    return 0;
  faults.expect(value.whole(), "a row that mixes values");
  return value.sequence;
}

}  // namespace

std::uint64_t judge_dead_writer(Scene& scene, std::uint64_t number, const Image& before,
                                const Image& image, Faults& faults) {
  const RoleLock role = scene.role("producer");
  scene.files.restore(before.bytes);
  const BoardReader<FourLines> reader(scene.instance, kBoard);
  faults.expect(number_in(reader, kWritten, faults) == number - 1, "the old value does not stand");
  scene.files.restore(image.bytes);

  const std::uint64_t found = number_in(reader, kWritten, faults);
  faults.expect(found == number || found == number - 1, "neither the old value nor the new one");
  faults.expect(image.said == 0 || found == number, "a row said to be written is lost");
  const auto others_stand = [&] {
    faults.expect(number_in(reader, kNeverWritten, faults) == 0 &&
                      number_in(reader, kUntouched, faults) == kUntouchedNumber,
                  "another row changed");
  };
  others_stand();

  BoardWriter<FourLines> successor(scene.instance, kBoard);
  faults.expect(number_in(successor, kWritten, faults) == found,
                "the successor finds another value than the reader");
  for (std::uint64_t next = number + 1; next < number + 4; ++next) {
    const std::uint64_t version = reader.version(kWritten);
    successor.store(kWritten, FourLines::of(next));
    faults.expect(number_in(reader, kWritten, faults) == next, "the successor's row is not seen");
    faults.expect(reader.version(kWritten) == version + 1, "a version was left out");
  }
  others_stand();
  return found == number ? 1 : 0;
}

}  // namespace sluice::shm::test
