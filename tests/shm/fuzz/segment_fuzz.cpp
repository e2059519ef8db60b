// Any bytes in the headers of any files of a layout, and any lengths: every attach ends in a usable
// segment or in an Error that names the file, and none of them takes memory that the files do not
// already occupy, but for a page to look at each header.
#include <cstdint>
#include <functional>

#include "shm/operator_trip.hpp"
#include "shm/ring_probe.hpp"
#include "tests/shm/fuzz/fuzz_layout.hpp"

namespace {

using namespace sluice::shm;
using namespace sluice::shm::fuzz;

constexpr std::size_t kHuge = std::size_t{1} << 30;  // of holes: far more than any of these files

void spoil(FuzzLayout& layout, FuzzInput& input) {
  const std::size_t file = input.below(layout.files());
  const std::size_t bytes = layout.file_bytes(file);
  switch (input.below(8)) {
    case 0: {
      const std::size_t sizes[] = {0,    1, kHeaderBytes, bytes / 2, bytes - 1, bytes + kPageBytes,
                                   kHuge};
      const std::size_t size = sizes[input.below(std::size(sizes))];
      layout.cut_or_extend(file, size);
      if (input.below(2) == 0 && size >= kHeaderBytes) {  // the header says so too
        const std::uint64_t file_bytes = size;
        layout.write(file, offsetof(SegmentHeader, file_bytes), &file_bytes, 8);
      }
      break;
    }
    case 1: {  // behind the header: calibration, table, words
      const std::uint64_t word = input.number(bytes, kSlots);
      layout.write(file, kHeaderBytes + 8 * input.below(kPageBytes / 8), &word, 8);
      break;
    }
    case 2: {
      const std::uint8_t byte = input.byte();
      layout.write(file, input.below(sizeof(SegmentHeader)), &byte, 1);
      break;
    }
    case 3: {  // numbers that lie about the size, in step in both halves of the ring
      const std::uint64_t elements = input.number(kSlots, bytes);
      const std::uint32_t element_bytes = static_cast<std::uint32_t>(input.number(64, 256));
      for (const std::string& half : {ring_data_file("md"), ring_cursor_file("md")}) {
        layout.write(layout.index_of(half), offsetof(SegmentHeader, elements), &elements, 8);
        layout.write(layout.index_of(half), offsetof(SegmentHeader, element_bytes), &element_bytes,
                     4);
      }
      break;
    }
    default: {
      const std::uint64_t word = input.number(bytes, kSlots);
      layout.write(file, 8 * input.below(sizeof(SegmentHeader) / 8), &word, 8);
    }
  }
}

// Runs `use`; whatever it throws must be an Error that says where.
void attach_and(const FuzzLayout& layout, const std::function<void()>& use) {
  try {
    use();
  } catch (const AttachError& refused) {
    require(refused.status() != AttachStatus::kReady, "refused as ready");
    require(std::string(refused.what()).find(layout.dir()) != std::string::npos,
            "a refusal does not name the file");
  } catch (const sluice::Error& refused) {
    require(std::string(refused.what()).find(layout.dir()) != std::string::npos,
            "an error does not name the file");
  }
}

void use_ring(const Instance& instance) {
  RingProducer<Line> producer(instance, "md");
  RingConsumer<Line> consumer(instance, "md");
  for (std::uint64_t i = 0; i < 2 * kSlots; ++i) {
    static_cast<void>(producer.try_push(Line{}));
    static_cast<void>(consumer.drain([](const Line&) {}, 1));
  }
}

void use_probe(const Instance& instance) {
  const RingProbe probe(instance, "md");
  Line copy{};
  for (std::uint64_t i = 0; i < 2 * kSlots; ++i)
    static_cast<void>(probe.read(probe.tail() - i, copy));
  static_cast<void>(probe.depth() + probe.depth_max() + probe.oldest());
  static_cast<void>(probe.producer() + probe.consumer() + to_string(probe.policy()));
}

void use_board(const Instance& instance) {
  const BoardReader<Row> reader(instance, "quotes");
  BoardWriter<Row> writer(instance, "quotes");
  const std::uint32_t rows = std::min(reader.rows(), 2 * kBoardRows);
  for (std::uint32_t i = 0; i < rows; ++i) {
    writer.store(i, Row{});
    Row row{};
    require(reader.load(i, row) != BoardRead::kContended, "contended without a writer");
  }
}

void use_page(const Instance& instance) {
  const StageView view(instance, "producer");
  for (std::uint32_t i = 0; i < view.metrics().size(); ++i)
    static_cast<void>(view.histogram(i).count() + view.counter(i));
  static_cast<void>(view.errors());
  StagePage page(instance, "producer", kMetrics);
  page.record(Metric::kHistogram, 5);
  page.error(1, "text", {});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzLayout& layout = fuzz_layout();
  layout.restore();
  FuzzInput input(data, size);
  for (std::size_t turns = 1 + input.below(6); turns != 0; --turns)
    spoil(layout, input);
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < layout.files(); ++i)
    before += layout.occupied(i);

  attach_and(layout, [&] {
    const Instance instance = layout.attach();
    static_cast<void>(instance.now());
    attach_and(layout, [&] { use_ring(instance); });
    attach_and(layout, [&] { use_probe(instance); });
    attach_and(layout, [&] { use_board(instance); });
    attach_and(layout, [&] { use_page(instance); });
    attach_and(layout, [&] { static_cast<void>(OperatorTrip::View(instance).any(1)); });
  });
  const LayoutState state = inspect_layout(layout.dir());
  require(state.kind != LayoutState::Kind::kNone, "a folder full of files counts as empty");

  std::uint64_t after = 0;
  for (std::size_t i = 0; i < layout.files(); ++i)
    after += layout.occupied(i);
  // A header page that is a hole comes into being by being read; whole files do not.
  require(after <= before + layout.files() * kHeaderBytes,
          "an attach took memory that the files did not have");
  return 0;
}
