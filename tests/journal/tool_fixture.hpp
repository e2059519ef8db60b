// What the tests of sluice-journal share: a small journal with one tap of most kinds, and captured
// output.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "common/storage/tap_journal.hpp"
#include "tests/storage/journal_fixture.hpp"
#include "tools/journal/commands.hpp"

namespace sluice::test {

template <class Body>
Tap tap_of_body(std::uint16_t ring, std::uint64_t sequence, TapType type, const Body& body) {
  Tap tap;
  tap.ring = ring;
  tap.incarnation = 2;
  tap.sequence = sequence;
  tap.now_ns = MonoNanos{1'770'000'000'000'000'000 + static_cast<std::int64_t>(sequence)};
  tap.set_body(type, body);
  return tap;
}

inline TapJournal::Options tool_options(const std::string& dir) {
  return {.dir = dir,
          .instance = "tool",
          .segment_bytes = 64 * 1024,
          .rings = {"exec.persistence", "tap.risk", "tap.feed.x"}};
}

inline Execution fill_execution() {
  Execution execution;
  execution.n = 41;
  execution.sub = 1;
  execution.kind = ExecutionKind::kFill;
  execution.state = OrderState::kPartial;
  execution.flags = kCancelWanted | kOutcomeUnknown;
  execution.intent = {.incarnation = 5, .strategy = 1, .reserved = 0, .sequence = 77};
  execution.side = Side::kSell;
  execution.px = Price{60'123'450'000'001};
  execution.qty = Qty{1};
  execution.cum_qty = Qty{150'000'000};
  execution.fee = -25;
  execution.fee_status = FeeStatus::kEstimated;
  execution.execution_id = {.hi = 0x0123456789abcdef, .lo = 0xfedcba9876543210};
  return execution;
}

inline Execution refusal(Reason reason) {
  Execution execution;
  execution.kind = ExecutionKind::kRefused;
  execution.state = OrderState::kFailed;
  execution.reason = reason;
  return execution;
}

inline std::array<MarketEvent, kMarketEventsPerTap> two_events() {
  std::array<MarketEvent, kMarketEventsPerTap> events{};
  events[0].receive_ns = MonoNanos{1'000};
  events[0].set_body(MarketKind::kQuote, Quote{.bid_px = Price{100'000'000'000},
                                               .bid_qty = Qty{500'000'000},
                                               .ask_px = Price{100'010'000'000},
                                               .ask_qty = Qty{250'000'000}});
  events[0].flags = kAfterGap;
  events[1].receive_ns = MonoNanos{1'001};
  events[1].set_body(MarketKind::kTrade,
                     Trade{.px = Price{100'010'000'000},
                           .qty = Qty{10'000'000},
                           .trade_id = 99,
                           .conditions = static_cast<std::uint64_t>(Side::kBuy)});
  return events;
}

// Six taps of three rings; closed.
inline void make_tool_journal(const std::string& dir) {
  TapJournal journal(tool_options(dir));
  for (const Tap& tap :
       {tap_of_body(0, 1, TapType::kSession, IncarnationRecord{.incarnation = 2, .generation = 8}),
        tap_of_body(2, 1, TapType::kMarketEvents, two_events()),
        tap_of_body(0, 2, TapType::kExecution, fill_execution()),
        tap_of_body(0, 3, TapType::kExecution, refusal(Reason::kCollar)),
        tap_of_body(1, 1, TapType::kIntent, Intent{}),
        tap_of_body(0, 4, TapType::kExecution, refusal(Reason::kCollar))}) {
    ASSERT_EQ(journal.append(tap), TapStatus::kOk);
  }
  ASSERT_EQ(journal.writer().close(), SyncStatus::kOk);
}

// What `run(FILE*)` printed, and what it returned.
struct Output {
  int code{0};
  std::string text;

  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> out;
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = text.find('\n', begin)) != std::string::npos;
         begin = end + 1) {
      out.push_back(text.substr(begin, end - begin));
    }
    return out;
  }
};
// A stream into memory that is closed and freed whatever leaves the scope: the commands throw.
class MemoryStream {
 public:
  MemoryStream() : file_(::open_memstream(&bytes_, &size_)) {
    if (file_ == nullptr)
      throw std::runtime_error("open_memstream");
  }
  ~MemoryStream() {
    std::fclose(file_);
    std::free(bytes_);
  }
  MemoryStream(const MemoryStream&) = delete;
  MemoryStream& operator=(const MemoryStream&) = delete;
  [[nodiscard]] std::FILE* file() const noexcept { return file_; }
  [[nodiscard]] std::string text() {
    std::fflush(file_);
    return {bytes_, size_};
  }

 private:
  char* bytes_{nullptr};
  std::size_t size_{0};
  std::FILE* file_;
};

template <class Run>
Output capture(Run&& run) {
  MemoryStream stream;
  Output output;
  output.code = run(stream.file());
  output.text = stream.text();
  return output;
}

}  // namespace sluice::test
