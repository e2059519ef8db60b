// --ring NAME --tail: every record type in words, taking nothing, missing nothing untold.

#include "tools/shm_top/tail.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tests/shm_top/world.hpp"

namespace sluice::top::test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class Tailing : public World {
 protected:
  // What tail() prints; `on_look` is called between two looks and says whether to stop.
  std::string tailed(const TailOptions& options, const std::function<bool()>& on_look = {}) {
    char* text = nullptr;
    std::size_t size = 0;
    std::FILE* out = open_memstream(&text, &size);
    EXPECT_EQ(tail(dir(), options, out, on_look), 0);
    std::fclose(out);
    std::string printed(text, size);
    std::free(text);
    return printed;
  }
  std::string last_of(const std::string& ring) {
    return tailed({.ring = ring, .count = 1, .follow = false});
  }
  // Pushes one record as the ring's producer, which then is no more.
  template <class R>
  void push(const std::string& ring, const std::string& producer, const R& record) {
    const shm::RoleLock holding = role(producer);
    const shm::Instance instance = attach();
    shm::RingProducer<R> end(instance, ring);
    ASSERT_TRUE(end.try_push(record));
  }
};

TEST_F(Tailing, EveryRecordTypeIsPrintedInWordsWithItsSymbol) {
  push("md.x.s", "feed.x", quote_event(MonoNanos{kNanosPerSecond}));
  EXPECT_THAT(last_of("md.x.s"),
              StartsWith("0 kind=quote feed=0 instrument=0 symbol=BTC/USD receive=1970"));
  EXPECT_THAT(last_of("md.x.s"),
              HasSubstr("bid_px=61723.99 bid_qty=0.89174 ask_px=61724 ask_qty=3.06606"));
  Intent intent;
  intent.id = {.incarnation = 4, .strategy = 0, .reserved = 0, .sequence = 12};
  intent.instrument = 1;
  intent.limit = Price{kScale / 4};
  push("intent.s", "strategy.s", intent);
  EXPECT_THAT(last_of("intent.s"),
              HasSubstr("intent=4-0-12 kind=none instrument=1 symbol=ETH/USD"));
  EXPECT_THAT(last_of("intent.s"), HasSubstr("limit=0.25"));
  Execution execution;
  execution.kind = ExecutionKind::kFill;
  execution.px = Price{1};
  push("exec.s", "gateway", execution);
  EXPECT_THAT(last_of("exec.s"), HasSubstr("kind=fill"));
  EXPECT_THAT(last_of("exec.s"), HasSubstr("symbol=BTC/USD px=0.000000001"));
  push("cancel.s", "strategy.s", Cancel{.order = intent.id});
  EXPECT_EQ(last_of("cancel.s"), "0 order=4-0-12 strategy=0 sequence=0\n");
  push("verdict.s", "risk", Verdict{.decision = Decision::kRefused, .reason = Reason::kCollar});
  EXPECT_THAT(last_of("verdict.s"), HasSubstr("decision=refused reason=collar"));
  push("cmd.risk", "operator", Command{.verb = Verb::kPause});
  EXPECT_THAT(last_of("cmd.risk"), HasSubstr("verb=pause"));
  Tap tap;
  tap.sequence = 9;
  tap.set_body(TapType::kOrder, intent);
  push("tap.risk", "risk", tap);
  EXPECT_THAT(last_of("tap.risk"), HasSubstr("type=order ring=0 incarnation=0 sequence=9"));
  EXPECT_THAT(last_of("tap.risk"), HasSubstr("body=[intent=4-0-12"));
}

TEST_F(Tailing, JsonIsOneObjectALine) {
  push("md.x.s", "feed.x", quote_event(MonoNanos{5}));
  const auto line =
      nlohmann::json::parse(tailed({.ring = "md.x.s", .count = 5, .follow = false, .json = true}));
  EXPECT_EQ(line["position"], 0);
  EXPECT_EQ(line["record"]["bid_px"], "61723.99");
}

TEST_F(Tailing, FollowsTheProducerAndSaysWhatItCouldNotSee) {
  const shm::RoleLock producing = role("feed.x");
  const shm::RoleLock consuming = role("strategy.s");
  const shm::Instance instance = attach();
  shm::RingProducer<MarketEvent> producer(instance, "md.x.s");
  shm::RingConsumer<MarketEvent> consumer(instance, "md.x.s");
  std::int64_t n = 0;
  const auto push_some = [&](int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(producer.try_push(quote_event(MonoNanos{++n})));
      ASSERT_EQ(consumer.drain([](const MarketEvent&) {}, 100), 1u);
    }
  };
  push_some(3);
  int look = 0;
  const std::string text = tailed({.ring = "md.x.s", .count = 2, .utf8 = false}, [&] {
    ++look;
    if (look == 1)
      push_some(1);
    if (look == 2)
      push_some(1000);
    return look == 4;
  });
  EXPECT_THAT(text, StartsWith("1 kind=quote"));
  EXPECT_THAT(text, HasSubstr("\n3 kind=quote"));
  EXPECT_THAT(text, HasSubstr("\n... "));
  EXPECT_THAT(text, HasSubstr("records were overwritten before they were read\n"));
  EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](char c) { return c > 0; })) << text;
  EXPECT_THAT(text, HasSubstr("\n1003 kind=quote"));
}

TEST_F(Tailing, SymbolsThatComeAfterTheLayoutAreRead) {
  create_layout_alone();
  push("md.x.s", "feed.x", quote_event(MonoNanos{1}));
  int look = 0;
  const std::string text = tailed({.ring = "md.x.s", .count = 1}, [&] {
    if (++look == 1) {
      write_symbols();
      push("md.x.s", "feed.x", quote_event(MonoNanos{2}));
    }
    return look == 2;
  });
  EXPECT_THAT(text, HasSubstr("0 kind=quote feed=0 instrument=0 symbol=instrument 0"));
  EXPECT_THAT(text, HasSubstr("\n1 kind=quote feed=0 instrument=0 symbol=BTC/USD"));
}

TEST_F(Tailing, LayoutThatIsReplacedEndsItWithAWordAfterItsLastRecords) {
  push("md.x.s", "feed.x", quote_event(MonoNanos{1}));
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* out = open_memstream(&text, &size);
  int look = 0;
  const Error error = shm::test::error_of([&] {
    static_cast<void>(tail(dir(), {.ring = "md.x.s"}, out, [&] {
      if (++look == 1) {
        push("md.x.s", "feed.x", quote_event(MonoNanos{2}));
        create();
      }
      return false;
    }));
  });
  std::fclose(out);
  EXPECT_EQ(error.code(), ExitCode::kResource);
  EXPECT_TRUE(shm::test::says(error.what(), {"md.x.s", dir(), "removed or created anew"}));
  EXPECT_THAT(std::string(text, size), HasSubstr("\n1 kind=quote"));
  std::free(text);
}

TEST_F(Tailing, ProducerThatDiedLeavesItsLastRecordsReadable) {
  auto feed = stage("feed.x", kFeedMetrics, [](const shm::Instance& instance, shm::StagePage&) {
    shm::RingProducer<MarketEvent> ring(instance, "md.x.s");
    for (std::int64_t i = 0; i < 20; ++i)
      static_cast<void>(ring.try_push(quote_event(MonoNanos{i + 1})));
  });
  feed->kill_and_reap();
  const std::string text = tailed({.ring = "md.x.s", .count = 3, .follow = false});
  EXPECT_THAT(text, StartsWith("17 kind=quote"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
}

TEST_F(Tailing, RingThatDoesNotExistIsAUsageErrorThatNamesThoseThereAre) {
  const Error error = shm::test::error_of(
      [&] { static_cast<void>(tail(dir(), {.ring = "nope"}, stdout, [] { return true; })); });
  EXPECT_EQ(error.code(), ExitCode::kUsage);
  EXPECT_TRUE(shm::test::says(error.what(), {"nope", "cancel.s", "md.x.s"}));
}

TEST_F(Tailing, RecordsOfAnotherBuildAreRefusedByTheirSchema) {
  shm::Layout layout = small_layout();
  create_layout(layout, true);
  const Error error = shm::test::error_of(
      [&] { static_cast<void>(tail(dir(), {.ring = "md"}, stdout, [] { return true; })); });
  EXPECT_TRUE(shm::test::says(error.what(), {"schema"}));
}

TEST_F(Tailing, SpoiltTailDoesNotKeepUsReading) {
  shm::Region data =
      *shm::Region::open(path(shm::ring_data_file("md.x.s")), shm::Region::Access::kReadWrite);
  for (std::size_t i = 0; i < shm::kPageBytes / 8; ++i)
    data.at<std::uint64_t>(shm::kRingWordsOffset)[i] = 0x7fff'ffff'ffff'0000;
  EXPECT_EQ(tailed({.ring = "md.x.s", .count = ~std::uint64_t{0}, .follow = false}), "");
}

}  // namespace
}  // namespace sluice::top::test
