// The codecs promise not to allocate after construction. Here operator new counts; the sanitizer
// build keeps its own operator new, and the test is skipped there.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <new>

#include "common/venue/alpaca/rest.hpp"
#include "common/venue/alpaca/trading_stream.hpp"
#include "tests/venue/order_examples.hpp"
#include "tests/venue/support.hpp"

namespace {

std::size_t g_allocations = 0;

}  // namespace

#ifndef __SANITIZE_ADDRESS__
void* operator new(std::size_t size) {
  ++g_allocations;
  void* const p = std::malloc(size == 0 ? 1 : size);
  if (p == nullptr) {
    throw std::bad_alloc();
  }
  return p;
}
void operator delete(void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}
#endif

namespace sluice::venue {
namespace {

class NoAllocation : public testing::Test {
 protected:
  void SetUp() override {
#ifdef __SANITIZE_ADDRESS__
    GTEST_SKIP() << "the address sanitizer owns operator new";
#endif
  }
  template <class Work>
  static std::size_t allocations(Work&& work) {
    const std::size_t before = g_allocations;
    work();
    return g_allocations - before;
  }
};

TEST_F(NoAllocation, CounterCounts) {
  EXPECT_GT(allocations([] { std::string(100, 'x').shrink_to_fit(); }), 0u);
}

TEST_F(NoAllocation, MarketDataDecodesAnyFrameWithout) {
  const Padded frames[] = {
      Padded(
          R"([{"T":"q","S":"BTC/USD","bp":1.5,"bs":2,"ap":3,"as":4,"t":"2026-11-20T12:00:00Z"},{"T":"t","S":"BTC/USD","p":1,"s":2,"t":"2024-08-08T23:54:14.5Z","i":7,"tks":"B"}])"),
      Padded(
          R"([{"S":"BTC\/USD","T":"q","bp":1e0,"bs":2,"ap":3,"as":4,"t":"2026-11-20T12:00:00Z"}])"),
      Padded(
          R"([{"T":"o","S":"BTC/USD","t":"2024-03-12T10:38:50Z","b":[{"p":1,"s":1}],"a":[{"s":1,"p":2}]}])"),
      Padded(R"([{"T":"subscription","trades":["BTC/USD"],"quotes":["*"]}])"),
      Padded(R"([{"T":"error","code":406,"msg":"connection limit exceeded"}])"),
      Padded(R"([{"T":"q"},{"T":"q","S":7},{"T":"b"}])"),
      Padded(R"([{"T":"q")"),
      Padded("garbage"),
      Padded(std::string(5'000, ' ')),
  };
  alpaca::MarketDataDecoder decoder(test_symbols(), {.frame_bytes_max = 4096});
  std::size_t events = 0;
  EXPECT_EQ(allocations([&] {
              for (const Padded& frame : frames) {
                (void)decoder.decode(
                    frame.view(), MonoNanos{1}, [&](const MarketEvent&) { ++events; },
                    [](const alpaca::ControlMessage&) {});
              }
            }),
            0u);
  EXPECT_EQ(events, 5u);
}

TEST_F(NoAllocation, OrderUpdatesAnswersAndRequestsDoWithout) {
  alpaca::TradingStreamDecoder stream(test_symbols(), 16 * 1024);
  alpaca::RestDecoder rest(test_symbols(), {.body_bytes_max = 16 * 1024});
  alpaca::StreamMessage message;
  alpaca::OrderSnapshot order;
  alpaca::VenueError error;
  const std::string fill = fill_update();
  std::array<char, alpaca::kRequestBytes> out{};
  EXPECT_EQ(allocations([&] {
              EXPECT_EQ(stream.decode(fill, message), DecodeStatus::kOk);
              EXPECT_NE(stream.decode("{", message), DecodeStatus::kOk);
              EXPECT_EQ(rest.order(kCryptoOrder, order), DecodeStatus::kOk);
              EXPECT_EQ(rest.error(R"({"code":40010001,"message":"x"})", error), DecodeStatus::kOk);
              EXPECT_NE(alpaca::encode_order({.symbol = "BTC/USD",
                                              .qty = Qty{1},
                                              .side = Side::kBuy,
                                              .type = OrderType::kMarket,
                                              .tif = TimeInForce::kIoc,
                                              .client_order_id = "slc-demo-1-1-1"},
                                             out),
                        0u);
            }),
            0u);
}

}  // namespace
}  // namespace sluice::venue
