// Suite `parse`: nanoseconds per market data message from the bytes of a frame to MarketEvents,
// beside simdjson's bare walk of the same frames in the same run.
//
// Method: pinned to one core; frames of the recorded session are copied a block at a time into a
// receive area that stays in the first-level cache, as a socket read would leave them; then both
// sides work on the block, in turns first and second. Two kinds of numbers:
//  - `…_ns`: a block back to back, per message; the median over all blocks. The ratios are of
//  these.
//  - `…_p50_ns` and so on: single frames, each timed alone between serialised reads of the time
//    stamp counter, per frame; the counter's own cost (`timer_ns`) is not subtracted.
#include <fmt/format.h>
#include <immintrin.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "bench/parse/frames.hpp"
#include "bench/parse/report.hpp"
#include "bench/parse/simdjson_walk.hpp"
#include "common/base/error.hpp"
#include "common/base/tsc.hpp"
#include "common/venue/alpaca/market_data.hpp"

namespace sluice::bench {
namespace {

constexpr std::size_t kFramesPerBlock = 32;
constexpr std::size_t kFrameBytesMax = 4096;
constexpr std::size_t kRounds = 5;

std::uint64_t ticks() noexcept {
  _mm_lfence();  // earlier work is done before the counter is read, later work starts after
  const std::uint64_t now = __rdtsc();
  _mm_lfence();
  return now;
}

double ns_per_tick() {
  const ClockCalibration clock = calibrate_clock();
  if (clock.mult == 0) {
    throw Error(ExitCode::kResource,
                "bench parse: the time stamp counter is not usable on this machine; run it where "
                "the counter is invariant");
  }
  return static_cast<double>(clock.mult) / static_cast<double>(std::uint64_t{1} << clock.shift);
}

// Where a socket's read would have put the frames: one slot each, padding included.
class ReceiveArea {
 public:
  ReceiveArea() : bytes_(new char[kFramesPerBlock * kSlotBytes]()) {}

  void load(const std::vector<std::string>& frames, std::size_t first) {
    char* slot = bytes_.get();
    for (std::size_t i = 0; i < kFramesPerBlock; ++i) {
      const std::string& frame = frames[first + i];
      std::memcpy(slot, frame.data(), frame.size());
      views_[i] = {slot, frame.size()};
      slot += (frame.size() + venue::kJsonPadding + 63) / 64 * 64;
    }
  }
  [[nodiscard]] const std::array<std::string_view, kFramesPerBlock>& frames() const noexcept {
    return views_;
  }

 private:
  static constexpr std::size_t kSlotBytes = kFrameBytesMax + 2 * venue::kJsonPadding;
  std::unique_ptr<char[]> bytes_;
  std::array<std::string_view, kFramesPerBlock> views_{};
};

// What stands behind the decoder: slots written in turn, like a ring.
class Slots {
 public:
  void put(const MarketEvent& event) noexcept { slots_[next_++ & (slots_.size() - 1)] = event; }
  [[nodiscard]] std::uint64_t count() const noexcept { return next_; }

 private:
  std::array<MarketEvent, 256> slots_{};
  std::uint64_t next_{0};
};

double percentile(const std::vector<std::uint32_t>& sorted, double share) {
  const auto last = static_cast<double>(sorted.size() - 1);
  return static_cast<double>(sorted[static_cast<std::size_t>(last * share)]);
}

struct Timing {
  std::vector<double> per_message;          // ticks, one entry per block
  std::vector<std::uint32_t> single_frame;  // ticks, one entry per frame

  double median() {
    auto middle = per_message.begin() + static_cast<std::ptrdiff_t>(per_message.size() / 2);
    std::nth_element(per_message.begin(), middle, per_message.end());
    return *middle;
  }
};

class Suite {
 public:
  Suite(const Session& session, const Session& stocks)
      : session_(session), stocks_(stocks), ns_per_tick_(ns_per_tick()) {
    venue::SymbolTable symbols;
    std::uint32_t index = 0;
    for (const Session* source : {&session, &stocks}) {
      for (const SessionSymbol& symbol : source->symbols) {
        symbols.add(symbol.symbol, index++);
      }
    }
    decoder_ = std::make_unique<venue::alpaca::MarketDataDecoder>(
        symbols, venue::alpaca::MarketDataOptions{.feed = 1});
  }

  Report run() {
    report_.suite = "parse";
    report_.machine = describe_machine();
    report_.machine.emplace_back("simdjson", SimdjsonWalk::implementation());
    report_.metrics.push_back({"timer_ns", timer_cost(), "ns"});
    double ours = 0;
    double walk = 0;
    for (const std::size_t batch : {std::size_t{1}, std::size_t{16}}) {
      for (const SessionKind kind : {SessionKind::kQuote, SessionKind::kTrade}) {
        const auto [our_ns, walk_ns] = compare(make_frames(session_, kind, batch));
        if (batch == 1) {
          ours += our_ns;
          walk += walk_ns;
        }
      }
    }
    compare(make_reordered_quotes(session_));
    for (const SessionKind kind : {SessionKind::kQuote, SessionKind::kTrade}) {
      compare(make_frames(stocks_, kind, 1));
    }
    report_.ratios.emplace_back("parse_vs_simdjson", ours / walk);
    return std::move(report_);
  }

 private:
  std::uint64_t decode(std::string_view frame) noexcept {
    const std::uint64_t before = slots_.count();
    const auto status = decoder_->decode(
        frame, MonoNanos{++now_}, [this](const MarketEvent& event) { slots_.put(event); },
        [](const venue::alpaca::ControlMessage&) {});
    return status == venue::DecodeStatus::kOk ? slots_.count() - before : 0;
  }

  double timer_cost() {
    std::vector<std::uint32_t> cost(10'000);
    for (std::uint32_t& c : cost) {
      const std::uint64_t start = ticks();
      c = static_cast<std::uint32_t>(ticks() - start);
    }
    std::sort(cost.begin(), cost.end());
    return percentile(cost, 0.5) * ns_per_tick_;
  }

  template <class Work>
  void time_block(const FrameSet& set, Timing& timing, Work&& work) {
    std::uint64_t sum = 0;
    const std::uint64_t start = ticks();
    for (const std::string_view frame : area_.frames()) {
      sum += work(frame);
    }
    const std::uint64_t stop = ticks();
    SLUICE_ASSERT(sum >= kFramesPerBlock * set.batch, "every frame gave its messages");
    timing.per_message.push_back(static_cast<double>(stop - start) /
                                 static_cast<double>(kFramesPerBlock * set.batch));
  }

  template <class Work>
  void time_single(Timing& timing, Work&& work) {
    for (const std::string_view frame : area_.frames()) {
      const std::uint64_t start = ticks();
      const std::uint64_t sum = work(frame);
      const std::uint64_t stop = ticks();
      SLUICE_ASSERT(sum != 0, "every frame gave its messages");
      timing.single_frame.push_back(static_cast<std::uint32_t>(stop - start));
    }
  }

  std::pair<double, double> compare(const FrameSet& set) {
    Timing ours;
    Timing theirs;
    const auto our_work = [this](std::string_view frame) { return decode(frame); };
    const auto their_work = [this](std::string_view frame) { return walk_.walk(frame); };
    for (std::size_t round = 0; round <= kRounds; ++round) {  // round 0 warms up
      if (round == 1) {
        ours = {};
        theirs = {};
      }
      bool we_first = round % 2 == 0;
      for (std::size_t first = 0; first + kFramesPerBlock <= set.frames.size();
           first += kFramesPerBlock, we_first = !we_first) {
        area_.load(set.frames, first);
        if (we_first) {
          time_block(set, ours, our_work);
          time_block(set, theirs, their_work);
          time_single(ours, our_work);
          time_single(theirs, their_work);
        } else {
          time_block(set, theirs, their_work);
          time_block(set, ours, our_work);
          time_single(theirs, their_work);
          time_single(ours, our_work);
        }
      }
    }
    const std::string name =
        set.batch == 1 ? set.name : set.name + "_x" + std::to_string(set.batch);
    const double our_ns = ours.median() * ns_per_tick_;
    const double walk_ns = theirs.median() * ns_per_tick_;
    add(name, our_ns, ours);
    add(name + "_simdjson", walk_ns, theirs);
    report_.ratios.emplace_back("parse_vs_simdjson_" + name, our_ns / walk_ns);
    return {our_ns, walk_ns};
  }

  void add(const std::string& name, double median_ns, Timing& timing) {
    report_.metrics.push_back({name + "_ns", median_ns, "ns/message"});
    std::sort(timing.single_frame.begin(), timing.single_frame.end());
    for (const auto& [suffix, share] : {std::pair{"_p50_ns", 0.5}, std::pair{"_p99_ns", 0.99},
                                        std::pair{"_p999_ns", 0.999}, std::pair{"_max_ns", 1.0}}) {
      report_.metrics.push_back(
          {name + suffix, percentile(timing.single_frame, share) * ns_per_tick_, "ns/frame"});
    }
  }

  const Session& session_;
  const Session& stocks_;
  double ns_per_tick_;
  std::unique_ptr<venue::alpaca::MarketDataDecoder> decoder_;
  SimdjsonWalk walk_{kFrameBytesMax};
  ReceiveArea area_;
  Slots slots_;
  std::int64_t now_{0};
  Report report_;
};

// The last core allowed: the first one takes most of a small machine's interrupts.
void pin() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) {
    return;
  }
  for (std::size_t cpu = CPU_SETSIZE; cpu-- > 0;) {
    if (CPU_ISSET(cpu, &allowed)) {
      CPU_ZERO(&allowed);
      CPU_SET(cpu, &allowed);
      (void)sched_setaffinity(0, sizeof(allowed), &allowed);
      return;
    }
  }
}

int run(int argc, char** argv) {
  bool json = false;
  std::string path = SLUICE_SOURCE_DIR "/config/sessions/crypto-20240808.session";
  std::string stocks_path = SLUICE_SOURCE_DIR "/config/sessions/synthetic-equity.session";
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--json") {
      json = true;
    } else if (argument == "--session" && i + 1 < argc) {
      path = argv[++i];
    } else if (argument == "--stocks" && i + 1 < argc) {
      stocks_path = argv[++i];
    } else {
      throw Error(
          ExitCode::kUsage,
          fmt::format(
              "unknown argument '{}'; usage: parse [--json] [--session FILE] [--stocks FILE]",
              argument));
    }
  }
  const Session session = load_session(path);
  const Session stocks = load_session(stocks_path);
  pin();
  const auto suite = std::make_unique<Suite>(session, stocks);
  const Report report = suite->run();
  std::cout << (json ? to_json(report) : to_table(report));
  return static_cast<int>(ExitCode::kDone);
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  return sluice::run_main("bench parse", sluice::bench::run, argc, argv);
}
