// The one translation unit that knows relacy.

#include "tests/model/model.hpp"

#include "tests/model/board_scenarios.hpp"
#include "tests/model/conflation_scenarios.hpp"
#include "tests/model/ring_scenarios.hpp"

namespace sluice::model {

struct Search {
  rl::test_params params;
};

namespace {

// More accesses than any schedule needs; past it a thread waits for something that cannot come.
constexpr unsigned kLongestSchedule = 20'000;

template <class Suite>
bool simulate(Search& search) {
  return rl::simulate<Suite>(search.params);
}

}  // namespace

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all{
      {"stream", false, &simulate<Stream>},
      {"batches", false, &simulate<Batches>},
      {"tool", false, &simulate<Tool>},
      {"batches and tool", false, &simulate<BatchesTool>},
      {"depth", false, &simulate<Depth>},
      {"dying producer", true, &simulate<DyingProducer>},
      {"dying producer of batches", true, &simulate<DyingProducerBatches>},
      {"dying producer and tool", true, &simulate<DyingProducerTool>},
      {"broken predecessor", true, &simulate<BrokenPredecessor>},
      {"dying consumer", true, &simulate<DyingConsumer>},
      {"board, two writes", false, &simulate<BoardTwoWrites>},
      {"board, three writes", false, &simulate<BoardThreeWrites>},
      {"dying board writer", true, &simulate<DyingWriter>},
      {"conflation", false, &simulate<Conflation>},
  };
  return all;
}

Outcome run(const Scenario& scenario, const Mutant& mutant, Schedules schedules,
            bool with_history) {
  experiment.weakened = mutant.weakened;
  experiment.flaw = mutant.flaw;
  experiment.deaths = {};
  // relacy's own kind of stream: a standard one would allocate through relacy and free past it.
  rl::ostringstream text;
  rl::ostringstream progress;
  Search search;
  switch (schedules.kind) {
    case Schedules::Kind::kRandom:
      search.params.search_type = rl::sched_random;
      search.params.iteration_count = schedules.count;
      break;
    case Schedules::Kind::kAll:
      search.params.search_type = rl::sched_full;
      break;
    case Schedules::Kind::kBound:
      search.params.search_type = rl::sched_bound;
      search.params.context_bound = static_cast<unsigned>(schedules.count);
      break;
  }
  search.params.execution_depth_limit = kLongestSchedule;
  search.params.output_stream = &text;
  search.params.progress_stream = &progress;
  const bool passed = scenario.simulate(search);
  Outcome outcome;
  outcome.passed = passed;
  outcome.schedules = search.params.stop_iteration;
  outcome.what = with_history && !passed ? std::string(text.str().c_str())
                                         : rl::test_result_str(search.params.test_result);
  outcome.deaths = experiment.deaths;
  return outcome;
}

}  // namespace sluice::model
