// A board's writer that stores any version and any words between two readings. A reader answers at
// once, and what it accepts is the copy that the version selects.
#include <cstdint>

#include "tests/shm/fuzz/fuzz_layout.hpp"

namespace {

using namespace sluice::shm;
using namespace sluice::shm::fuzz;

constexpr std::size_t kRowWords = BoardRecord<Row>::kRowWords;
constexpr std::size_t kWords = BoardRecord<Row>::kWords;

void check_row(const BoardReader<Row>& reader, const std::uint64_t* words, std::uint32_t i) {
  Row row{};
  row.words.fill(77);
  const BoardRead result = reader.load(i, row);
  if (i >= kBoardRows) {
    require(result == BoardRead::kNever && reader.version(i) == 0, "a row outside the board");
    return;
  }
  const std::uint64_t* const shared = words + i * kRowWords;
  require(reader.version(i) == shared[0], "another version than the row's");
  require(result == (shared[0] == 0 ? BoardRead::kNever : BoardRead::kOk),
          "a row that nobody is writing is read at the first attempt");
  for (std::size_t w = 0; w < kWords; ++w)
    require(row.words[w] == (shared[0] == 0 ? 77 : shared[1 + (shared[0] & 1) * kWords + w]),
            "another value than the version selects, or a refused one that was touched");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzLayout& layout = fuzz_layout();
  layout.restore();
  FuzzInput input(data, size);
  const Instance instance = layout.attach();
  BoardWriter<Row> writer(instance, "quotes");
  const BoardReader<Row> reader(instance, "quotes");
  const Segment own = attach_board(instance, "quotes", sluice::kSchemaHash<Row>, sizeof(Row),
                                   Region::Access::kReadWrite);
  std::uint64_t* const words = hands_on(own.region, kBoardRowsOffset);
  while (!input.done()) {
    const auto i = static_cast<std::uint32_t>(input.below(kBoardRows));
    switch (input.below(4)) {
      case 0:
        words[i * kRowWords] = input.number(words[i * kRowWords], 0);
        break;
      case 1:
        words[input.below(kBoardRows * kRowWords)] = input.word();
        break;
      case 2: {  // a successor on a spoilt row
        Row value{};
        value.words.fill(input.word());
        const std::uint64_t version = words[i * kRowWords];
        writer.store(i, value);
        require(words[i * kRowWords] == version + 1, "a store raises the version by one");
        break;
      }
      default:
        check_row(reader, words, static_cast<std::uint32_t>(input.number(i, kBoardRows)));
    }
    for (std::uint32_t each = 0; each < kBoardRows; ++each)
      check_row(reader, words, each);
  }
  return 0;
}
