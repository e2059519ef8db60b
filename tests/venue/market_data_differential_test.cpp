// Three decoders over the same frames: the real one, the real one without its fast path, and the
// naive one. Frames: every message of the recorded session, then frames damaged at random places
// with characters that matter in JSON. What they publish must be equal byte for byte.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "bench/parse/frames.hpp"
#include "tests/venue/naive_market_data.hpp"
#include "tests/venue/support.hpp"

namespace sluice::venue {
namespace {

using alpaca::MarketDataCounters;
using alpaca::MarketDataDecoder;

constexpr std::uint16_t kFeed = 9;

struct Compared {
  std::size_t events{0};
  std::size_t whole{0};
};

class Comparison {
 public:
  // Fresh decoders each time: their stamps start at the frame's own time.
  void check(std::string_view frame, Compared& totals) {
    MarketDataDecoder fast(symbols_, {.feed = kFeed, .frame_bytes_max = kBytes, .levels_max = 64});
    MarketDataDecoder general(
        symbols_, {.feed = kFeed, .frame_bytes_max = kBytes, .levels_max = 64, .fast_path = false});
    const Decoded a = decode_frame(fast, frame, 5'000);
    const Decoded b = decode_frame(general, frame, 5'000);
    const NaiveResult naive = naive_decode(symbols_, kFeed, 5'000, frame);
    expect_same(a.events, naive.events, frame);
    expect_same(b.events, naive.events, frame);
    EXPECT_EQ(a.status == DecodeStatus::kOk, naive.whole) << frame;
    EXPECT_EQ(a.status, b.status) << frame;
    EXPECT_EQ(a.controls.size(), naive.controls) << frame;
    for (const MarketDataDecoder* decoder : {&fast, &general}) {
      const MarketDataCounters& counters = decoder->counters();
      const std::uint64_t frame_faults = counters.frames_refused + counters.frames_cut_short;
      EXPECT_EQ(counters.bad.refused() - frame_faults, naive.left_out) << frame;
      EXPECT_EQ(counters.skipped, naive.skipped) << frame;
      EXPECT_EQ(counters.unknown_type, naive.unknown_type) << frame;
      EXPECT_EQ(counters.unknown_symbol, naive.unknown_symbol) << frame;
    }
    totals.events += a.events.size();
    totals.whole += naive.whole ? 1 : 0;
  }

 private:
  static constexpr std::size_t kBytes = 4096;

  static void expect_same(const std::vector<MarketEvent>& got, const std::vector<MarketEvent>& want,
                          std::string_view frame) {
    ASSERT_EQ(got.size(), want.size()) << frame;
    for (std::size_t i = 0; i < got.size(); ++i) {
      ASSERT_EQ(std::memcmp(&got[i], &want[i], sizeof(MarketEvent)), 0) << frame << " event " << i;
    }
  }

  SymbolTable symbols_{test_symbols()};
};

const Session& session() {
  static const Session loaded =
      load_session(SLUICE_SOURCE_DIR "/config/sessions/crypto-20240808.session");
  return loaded;
}

TEST(MarketDataDifferential, RecordedSessionDecodesAlikeOnEveryPath) {
  Comparison comparison;
  Compared totals;
  std::size_t frames = 0;
  for (const SessionKind kind : {SessionKind::kQuote, SessionKind::kTrade}) {
    const bench::FrameSet set = bench::make_frames(session(), kind, 7);
    for (std::size_t i = 0; i < set.frames.size() && !testing::Test::HasFatalFailure(); i += 5) {
      comparison.check(set.frames[i], totals);
      ++frames;
    }
  }
  EXPECT_EQ(totals.whole, frames);
  EXPECT_EQ(totals.events, frames * 7);
  EXPECT_GT(totals.events, 10'000u);
}

TEST(MarketDataDifferential, UsualFormsOfTheSessionNeverNeedTheGeneralPath) {
  SymbolTable symbols;
  for (std::uint32_t i = 0; i < session().symbols.size(); ++i) {
    symbols.add(session().symbols[i].symbol, i);
  }
  MarketDataDecoder decoder(symbols, {.feed = kFeed});
  for (const SessionKind kind : {SessionKind::kQuote, SessionKind::kTrade}) {
    for (const std::string& frame : bench::make_frames(session(), kind, 16).frames) {
      ASSERT_EQ(decode_frame(decoder, frame).events.size(), 16u);
    }
  }
  EXPECT_EQ(decoder.counters().general_path, 0u);
}

constexpr const char* kSeeds[] = {
    R"([{"T":"q","S":"BTC/USD","bp":61837.63,"bs":3.78826,"ap":61837.64,"as":1.5,"t":"2026-11-20T12:00:00.123456789Z"}])",
    R"([{"T":"t","S":"AVAX/USD","p":47.299,"s":29.205707815,"t":"2024-03-12T10:27:48.858228144Z","i":3447222699101865076,"tks":"S"}])",
    R"([{"T":"o","S":"BTC/USD","t":"2024-03-12T10:38:50.79613221Z","b":[{"p":71859.53,"s":0.27994},{"p":71849.4,"s":0}],"a":[{"p":71939.7,"s":0.83953}],"r":true}])",
    R"([{"T":"q","S":"ETH/USD","bp":0,"bs":0,"ap":2683.81,"as":31.4395,"t":"2024-08-08T23:54:14Z"},{"T":"t","S":"BTC/USD","p":1,"s":2,"t":"2024-08-08T23:54:14.5Z","i":7,"tks":"B"},{"T":"o","S":"ETH/USD","t":"2024-08-08T23:54:14.25Z","b":[],"a":[]}])",
    R"([{"T":"q","S":"AAPL","bx":"U","bp":87.66,"bs":1,"ax":"Q","ap":87.68,"as":400,"t":"2021-02-22T15:51:45.335689322Z","c":["R"],"z":"C"}])",
    R"([{"T":"t","i":96921,"S":"AAPL","x":"D","p":126.55,"s":1,"t":"2021-02-22T15:51:44.208Z","c":["@","I"],"z":"C"},{"T":"q","S":"AAPL","bx":" ","bp":0,"bs":0,"ax":"Q","ap":87.68,"as":4,"t":"2021-02-22T15:51:45Z","c":["R","?"],"z":"C"}])",
    R"([{"T":"q","S":"AAPL","bp":87.66,"bs":1,"ap":87.68,"as":4,"t":"2021-02-22T15:51:45.335689322Z","bx":"U","ax":"Q","c":["R"],"z":"C"},{"T":"t","S":"AAPL","p":126.55,"s":1,"t":"2021-02-22T15:51:44.208Z","i":96921,"x":"D","c":["@","I"],"z":"C"}])",
    R"([{"T":"s","S":"AAPL","sc":"H","sm":"Trading Halt","rc":"T12","rm":"Trading Halted; For information requested by NASDAQ","t":"2021-02-22T19:15:00Z","z":"C"}])",
    R"([{"T":"error","code":406,"msg":"connection limit exceeded"}])",
    R"([{"T":"subscription","trades":["BTC/USD"],"quotes":["BTC/USD","*"],"orderbooks":[],"bars":[]}])",
    R"([{"T":"b","S":"BTC/USD","o":1,"h":2,"l":1,"c":2,"v":3,"t":"2024-08-08T23:54:00Z"}])",
};

// One to four edits: replace, insert, delete, or copy a piece to another place.
std::string damage(std::string frame, std::mt19937_64& random) {
  static constexpr std::string_view kAlphabet = "{}[]\",:.\\0123456789-+eEtTqoSbpas/Znulrf \t";
  const auto pick = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  for (std::size_t edits = 1 + pick(4); edits > 0; --edits) {
    const std::size_t at = pick(frame.size());
    switch (pick(4)) {
      case 0:
        frame[at] = kAlphabet[pick(kAlphabet.size())];
        break;
      case 1:
        frame.insert(at, 1, kAlphabet[pick(kAlphabet.size())]);
        break;
      case 2:
        frame.erase(at, 1 + pick(3));
        break;
      default: {
        const std::string piece = frame.substr(pick(frame.size()), 1 + pick(24));
        frame.insert(at, piece);
      }
    }
    if (frame.empty()) {
      frame = "[";
    }
  }
  return frame;
}

TEST(MarketDataDifferential, DamagedFramesDecodeAlikeOnEveryPath) {
  const std::uint64_t seed = 0x51u;
  std::mt19937_64 random(seed);
  Comparison comparison;
  Compared totals;
  constexpr int kFrames = 30'000;
  for (int i = 0; i < kFrames && !testing::Test::HasFailure(); ++i) {
    comparison.check(damage(kSeeds[static_cast<std::size_t>(i) % std::size(kSeeds)], random),
                     totals);
  }
  // The damage neither always breaks nor never breaks a frame, else this compares nothing.
  EXPECT_GT(totals.whole, kFrames / 20) << "seed " << seed;
  EXPECT_LT(totals.whole, kFrames - kFrames / 20) << "seed " << seed;
  EXPECT_GT(totals.events, 1'000u) << "seed " << seed;
}

}  // namespace
}  // namespace sluice::venue
