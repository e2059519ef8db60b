// Judge of a board whose writer died while it stored row kWritten for the `number`-th time.
#pragma once

#include <string>

#include "tests/crash/crash_fixture.hpp"

namespace sluice::shm::test {

inline constexpr const char* kBoard = "quotes";
inline constexpr std::uint32_t kNeverWritten = 0;
inline constexpr std::uint32_t kWritten = 1;
inline constexpr std::uint32_t kUntouched = 2;  // written once, before
inline constexpr std::uint64_t kUntouchedNumber = 500;

// Returns 1 when the row is the new value.
std::uint64_t judge_dead_writer(Scene& scene, std::uint64_t number, const Image& before,
                                const Image& image, Faults& faults);

struct StoreRow {
  template <class Writer>
  void operator()(Writer& writer, std::uint64_t number, Dying& dying) const {
    writer.store(kWritten, FourLines::of(number));
    dying.say(1);
  }
};

template <class Writer, class Store>
[[nodiscard]] Operation board_operation(const std::string& dir, const std::string& name,
                                        std::uint64_t number, Store store) {
  Operation operation;
  operation.name = name;
  operation.layout.dir = dir;
  operation.layout.instance = "crash";
  operation.layout.build_id = 1;
  operation.layout.boards.push_back(board_spec<FourLines>(kBoard, 3, "producer"));
  operation.files = {board_file(kBoard)};
  operation.role = "producer";
  operation.whole = 1;
  operation.least_images = 1 + 31 + 1;  // each word of the copy, then the version
  operation.act = [number, store](const std::string& folder, Dying& dying) {
    const RoleLock role = RoleLock::acquire(folder, "producer", "the one who dies");
    const Instance instance = Instance::attach(folder, std::chrono::milliseconds{0});
    Writer writer(instance, kBoard);
    writer.store(kUntouched, FourLines::of(kUntouchedNumber));
    for (std::uint64_t i = 1; i < number; ++i)
      writer.store(kWritten, FourLines::of(i));
    dying.begin();
    store(writer, number, dying);
    dying.end();
  };
  operation.judge = [number](Scene& scene, const Image& before, const Image& image,
                             Faults& faults) {
    return judge_dead_writer(scene, number, before, image, faults);
  };
  return operation;
}

}  // namespace sluice::shm::test
