// A stage that writes anything into its page, while somebody has it open: names that do not end,
// kinds, offsets and counts out of range, error texts, trips, histograms full of garbage.
#include <cstdint>

#include "shm/stage_format.hpp"
#include "tests/shm/fuzz/fuzz_layout.hpp"

namespace {

using namespace sluice::shm;
using namespace sluice::shm::fuzz;

constexpr std::size_t kEntriesEnd = kMetricEntriesOffset + 3 * sizeof(MetricEntry);

void spoil(std::uint64_t* page, std::size_t bytes, FuzzInput& input) {
  for (std::size_t turns = input.below(16); turns != 0; --turns) {
    switch (input.below(4)) {
      case 0:  // the table
        page[(kMetricEntriesOffset - kHeaderBytes) / 8 +
             input.below((kEntriesEnd - kMetricEntriesOffset) / 8)] = input.number(bytes, 3);
        break;
      case 1:  // names full to the brim
        page[(kMetricEntriesOffset - kHeaderBytes) / 8 +
             input.below((kEntriesEnd - kMetricEntriesOffset) / 8)] = 0x7878'7878'7878'7878;
        break;
      default:
        page[input.below((bytes - kHeaderBytes) / 8)] = input.number(bytes, 3);
    }
  }
}

void read_all(const StageView& view, FuzzInput& input) {
  require(view.state() >= StageState::kStarting && view.state() <= StageState::kFailed,
          "a state that does not exist");
  static_cast<void>(view.pid() + view.heartbeat_ns().ns);
  for (int i = 0; i < 4; ++i) {
    const auto scope = static_cast<std::uint32_t>(input.number(kTripScopes, 0));
    require(view.tripped(scope) || (scope < kTripScopes && view.trip(scope) == 0),
            "a trip that is set, or of a scope that does not exist, is no permission");
    static_cast<void>(view.mark(scope));
    static_cast<void>(view.counter(scope) + view.histogram(scope).count());
  }
  for (std::uint32_t i = 0; i < view.metrics().size(); ++i) {
    const MetricLine& metric = view.metrics()[i];
    require(metric.name.size() <= kMetricNameBytes && metric.unit.size() <= kMetricUnitBytes,
            "a name longer than its place");
    require(view.find(metric.name) <= i, "a metric that its own name does not find");
    HistogramSnapshot histogram = view.histogram(i);
    static_cast<void>(histogram.percentile(0.5) + histogram.percentile(1.0));
    static_cast<void>(histogram.mean());
    histogram.merge(view.histogram(i));
  }
  const std::vector<ErrorLine> errors = view.errors();
  require(errors.size() <= kErrorLines, "more errors than lines");
  for (const ErrorLine& error : errors)
    require(error.text.size() <= kErrorTextBytes, "a text longer than its place");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzLayout& layout = fuzz_layout();
  layout.restore();
  FuzzInput input(data, size);
  const Instance instance = layout.attach();
  const Segment own = attach_segment(instance, stage_file("producer"),
                                     {.kind = SegmentKind::kStagePage, .name = "producer"},
                                     Region::Access::kReadWrite);
  std::uint64_t* const page = hands_on(own.region, kHeaderBytes);
  spoil(page, own.region.size(), input);
  const StageView view(instance, "producer");
  require(view.metrics().size() <= 3, "more metrics than the header says");
  read_all(view, input);
  spoil(page, own.region.size(), input);  // while it is open
  read_all(view, input);

  StagePage successor(instance, "producer", kMetrics);  // on what such a predecessor left
  successor.record(Metric::kHistogram, 7);
  successor.add(Metric::kCounter, 1);
  for (std::uint32_t code = 0; code < 3; ++code)
    successor.error(code, "text", {});
  read_all(view, input);
  return 0;
}
