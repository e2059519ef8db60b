// The session file: what is written comes back, and every way a file can be wrong is one clear
// Error.
//
// Method of the damage tests: a good file is taken apart into header and records, one thing in it
// is changed, checksums and sizes are made right again where the test is about something else, and
// the message must name the file and the value.
#include "common/market/session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <sstream>

#include "common/base/crc32c.hpp"
#include "common/base/error.hpp"

namespace sluice {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kCent = 10'000'000;
constexpr std::int64_t kLot = 10'000;
constexpr std::int64_t kStart = 1'723'161'254'000'000'000;

SessionRecord quote(std::int64_t send_ns, std::uint16_t symbol, std::int64_t bid,
                    std::int64_t ask) {
  SessionRecord r{};
  r.send_ns = send_ns;
  r.exchange_ns = send_ns;
  r.symbol = symbol;
  r.kind = SessionKind::kQuote;
  r.flags = kSessionLastOfEvent;
  r.a = bid;
  r.b = 3 * kLot;
  r.c = ask;
  r.d = 5 * kLot;
  r.id = 7;
  return r;
}

SessionRecord trade(std::int64_t send_ns, std::int64_t px, std::int64_t qty) {
  SessionRecord r{};
  r.send_ns = send_ns;
  r.exchange_ns = send_ns - 1000;
  r.kind = SessionKind::kTrade;
  r.side = SessionSide::kAsk;
  r.flags = kSessionLastOfEvent;
  r.a = px;
  r.b = qty;
  r.id = 11;
  return r;
}

SessionRecord depth(std::int64_t send_ns, SessionSide side, std::int64_t px, std::int64_t qty,
                    std::uint8_t flags) {
  SessionRecord r = trade(send_ns, px, qty);
  r.kind = SessionKind::kDepth;
  r.side = side;
  r.flags = flags;
  r.id = 13;
  return r;
}

Session small_session() {
  Session s;
  s.symbols = {{"BTC/USD", Price{kCent}, Qty{kLot}, Qty{10 * kLot}},
               {"ETH/USD", Price{kCent}, Qty{kLot}, Qty{100 * kLot}}};
  s.attribution = "made by a test";
  s.records = {
      depth(kStart, SessionSide::kBid, 100 * kCent, 2 * kLot, kSessionSnapshot),
      depth(kStart, SessionSide::kAsk, 101 * kCent, 4 * kLot,
            kSessionSnapshot | kSessionLastOfEvent),
      quote(kStart + 10, 0, 100 * kCent, 101 * kCent),
      trade(kStart + 10, 101 * kCent, kLot),
      depth(kStart + 20, SessionSide::kAsk, 101 * kCent, 0, kSessionLastOfEvent),
      quote(kStart + 30, 1, 50 * kCent, 50 * kCent),  // a crossed quote is data, not damage
  };
  return s;
}

bool same_bytes(const SessionRecord& x, const SessionRecord& y) {
  return std::memcmp(&x, &y, sizeof x) == 0;
}

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void spill(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

class SessionFile : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = std::filesystem::temp_directory_path() /
           ("sluice-session-test-" + std::to_string(::getpid()) + "-" +
            ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(dir_);
    path_ = (dir_ / "x.session").string();
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  // The Error that loading `bytes` gives; its message must name the file.
  Error load_error(const std::string& bytes) {
    spill(path_, bytes);
    return load_error_of(path_);
  }
  static Error load_error_of(const std::string& path) {
    try {
      (void)load_session(path);
    } catch (const Error& e) {
      EXPECT_THAT(e.what(), HasSubstr(path));
      return e;
    }
    ADD_FAILURE() << "was loaded";
    return Error(ExitCode::kBug, "was loaded");
  }

  std::string good_bytes() {
    save_session(path_, small_session());
    return slurp(path_);
  }

  // A file whose records were changed behind the writer's back, with all sizes and checksums right.
  std::string with_records(const std::function<void(std::vector<SessionRecord>&)>& change) {
    std::string bytes = good_bytes();
    std::vector<SessionRecord> records = small_session().records;
    change(records);
    const uLong raw_bytes = records.size() * sizeof(SessionRecord);
    uLongf packed_bytes = compressBound(raw_bytes);
    std::string packed(packed_bytes, '\0');
    EXPECT_EQ(Z_OK, compress2(reinterpret_cast<Bytef*>(packed.data()), &packed_bytes,
                              reinterpret_cast<const Bytef*>(records.data()), raw_bytes, 9));
    packed.resize(packed_bytes);
    put(bytes, 16, std::uint64_t{records.size()});
    put(bytes, 24, records.front().send_ns);
    put(bytes, 32, records.back().send_ns);
    put(bytes, 40, crc32c(records.data(), raw_bytes));
    put(bytes, 48, std::uint64_t{packed.size()});
    seal(bytes);
    const std::size_t table = small_session().symbols.size() * kSessionSymbolBytes;
    return bytes.substr(0, kSessionHeaderBytes + table) + packed;
  }

  template <class T>
  static void put(std::string& bytes, std::size_t offset, T value) {
    std::memcpy(bytes.data() + offset, &value, sizeof value);
  }
  static void seal(std::string& bytes) {
    const std::size_t table = small_session().symbols.size() * kSessionSymbolBytes;
    put(bytes, 60, crc32c(bytes.data() + kSessionHeaderBytes, table));
    put(bytes, 56, std::uint32_t{0});
    put(bytes, 56, crc32c(bytes.data(), kSessionHeaderBytes));
  }

  void expect_bad_records(const std::function<void(std::vector<SessionRecord>&)>& change,
                          const std::string& says) {
    const Error e = load_error(with_records(change));
    EXPECT_EQ(ExitCode::kConfig, e.code());
    EXPECT_THAT(e.what(), HasSubstr(says));
    EXPECT_THAT(e.what(), HasSubstr("record "));
  }

  std::filesystem::path dir_;
  std::string path_;
};

TEST_F(SessionFile, GivesBackWhatWasWritten) {
  const Session written = small_session();
  save_session(path_, written);
  const Session read = load_session(path_);
  ASSERT_EQ(written.records.size(), read.records.size());
  for (std::size_t i = 0; i < read.records.size(); ++i) {
    EXPECT_TRUE(same_bytes(written.records[i], read.records[i])) << i;
  }
  ASSERT_EQ(2U, read.symbols.size());
  EXPECT_EQ("ETH/USD", read.symbols[1].symbol);
  EXPECT_EQ(Qty{100 * kLot}, read.symbols[1].min_order_qty);
  EXPECT_EQ("made by a test", read.attribution);
  EXPECT_EQ(kStart, read.first_send_ns());
  EXPECT_EQ(kStart + 30, read.last_send_ns());
}

TEST_F(SessionFile, GivesTheSameBytesForTheSameSession) {
  const std::string first = good_bytes();
  EXPECT_EQ(first, good_bytes());
}

TEST_F(SessionFile, SurvivesMoreRecordsThanOneInputChunk) {
  Session s = small_session();
  s.records.clear();
  std::uint64_t noise = 1;  // incompressible, so that the body is longer than the reader's chunk
  for (std::int64_t i = 0; i < 50'000; ++i) {
    noise = noise * 6'364'136'223'846'793'005ULL + 1'442'695'040'888'963'407ULL;
    s.records.push_back(trade(kStart + i, static_cast<std::int64_t>(noise >> 40) * kCent + kCent,
                              static_cast<std::int64_t>(noise >> 20 & 0xfffff) + 1));
    s.records.back().id = noise | 1;
  }
  save_session(path_, s);
  EXPECT_GT(std::filesystem::file_size(path_), 200'000U);
  const Session read = load_session(path_);
  ASSERT_EQ(s.records.size(), read.records.size());
  EXPECT_TRUE(same_bytes(s.records.back(), read.records.back()));
}

TEST_F(SessionFile, MissingFileIsAResourceError) {
  const Error e = load_error_of((dir_ / "none.session").string());
  EXPECT_EQ(ExitCode::kResource, e.code());
  EXPECT_THAT(e.what(), HasSubstr("No such file"));
}

TEST_F(SessionFile, FolderInPlaceOfAFileIsRefused) {
  EXPECT_THAT(load_error_of(dir_.string()).what(), HasSubstr("not a regular file"));
}

TEST_F(SessionFile, EmptyAndGarbageFilesAreRefused) {
  EXPECT_THAT(load_error("").what(), HasSubstr("0 bytes"));
  EXPECT_THAT(load_error(std::string(10'000, 'x')).what(), HasSubstr("no session file"));
}

TEST_F(SessionFile, EveryTruncationIsRefused) {
  const std::string good = good_bytes();
  for (std::size_t size = 0; size < good.size(); size += size < 64 || size > 4090 ? 1 : 97) {
    EXPECT_EQ(ExitCode::kConfig, load_error(good.substr(0, size)).code()) << size;
  }
}

// A few bits of a deflate stream mean nothing (padding, a match that could as well lie elsewhere):
// a flip there may load, but then every record is as it was.
TEST_F(SessionFile, FlippedBitIsRefusedOrChangesNothing) {
  const std::string good = good_bytes();
  const Session original = load_session(path_);
  int flips = 0;
  int unnoticed = 0;
  for (std::size_t i = 0; i<good.size(); i += i> 200 && i < 4000 ? 61 : 1) {
    for (int bit = 0; bit < 8; ++bit) {
      ++flips;
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      spill(path_, bad);
      try {
        const Session read = load_session(path_);
        ++unnoticed;
        ASSERT_EQ(original.records.size(), read.records.size());
        for (std::size_t r = 0; r < read.records.size(); ++r) {
          ASSERT_TRUE(same_bytes(original.records[r], read.records[r])) << "byte " << i;
        }
      } catch (const Error& e) {
        EXPECT_EQ(ExitCode::kConfig, e.code()) << "byte " << i << ": " << e.what();
      }
    }
  }
  EXPECT_LT(unnoticed * 100, flips);
}

TEST_F(SessionFile, TrailingBytesAreRefused) {
  EXPECT_THAT(load_error(good_bytes() + "x").what(), HasSubstr("extra bytes"));
}

TEST_F(SessionFile, OtherVersionNamesBothVersions) {
  std::string bytes = good_bytes();
  put(bytes, 8, std::uint32_t{1});
  seal(bytes);
  const Error e = load_error(bytes);
  EXPECT_THAT(e.what(), HasSubstr("offset 8"));
  EXPECT_THAT(e.what(), HasSubstr("version 1, this build reads version 2"));
}

TEST_F(SessionFile, AbsurdRecordCountIsRefusedBeforeAllocating) {
  // 2^24 + 1 is over the cap; 1,000,000 is more than so few compressed bytes can hold; 2^58 + 6
  // would wrap to the true body size when multiplied by 64.
  for (const std::uint64_t count :
       {kSessionRecordsMax + 1, std::uint64_t{1'000'000}, (std::uint64_t{1} << 58) + 6,
        std::uint64_t{0}, std::numeric_limits<std::uint64_t>::max()}) {
    std::string bytes = good_bytes();
    put(bytes, 16, count);
    seal(bytes);
    EXPECT_THAT(load_error(bytes).what(), HasSubstr("record count " + std::to_string(count)));
  }
}

TEST_F(SessionFile, CountThatDiffersFromTheBodyIsRefused) {
  for (const std::uint64_t count : {5U, 7U}) {
    std::string bytes = good_bytes();
    put(bytes, 16, count);
    seal(bytes);
    EXPECT_EQ(ExitCode::kConfig, load_error(bytes).code());
  }
}

TEST_F(SessionFile, SymbolTableIsChecked) {
  const auto symbol_error = [this](std::size_t offset, auto value) {
    std::string bytes = good_bytes();
    put(bytes, offset, value);
    seal(bytes);
    return std::string(load_error(bytes).what());
  };
  EXPECT_THAT(symbol_error(44, std::uint32_t{0}), HasSubstr("symbol count 0"));
  EXPECT_THAT(symbol_error(44, std::uint32_t{4097}), HasSubstr("symbol count 4097"));
  constexpr std::size_t kTable = kSessionHeaderBytes;
  EXPECT_THAT(symbol_error(kTable, char{0}), HasSubstr("name is empty"));
  EXPECT_THAT(symbol_error(kTable, '\n'), HasSubstr("byte 10"));
  EXPECT_THAT(symbol_error(kTable + 24, std::int64_t{0}), HasSubstr("price increment 0"));
  EXPECT_THAT(symbol_error(kTable + 32, std::int64_t{-kLot}), HasSubstr("must be positive"));
  EXPECT_THAT(symbol_error(kTable + 40, std::int64_t{kLot + 1}), HasSubstr("no multiple"));
  EXPECT_THAT(symbol_error(kTable + 48, std::int64_t{-1}), HasSubstr("previous close"));
  EXPECT_THAT(symbol_error(kTable + 56, std::uint8_t{3}), HasSubstr("asset class 3"));
  EXPECT_THAT(symbol_error(kTable + 57, 'A'), HasSubstr("neither tape nor flags"));
  EXPECT_THAT(symbol_error(kTable + 58, std::uint8_t{1}), HasSubstr("flags 1"));
  EXPECT_THAT(symbol_error(kTable + 60, char{1}), HasSubstr("reserved byte"));
  std::string unsealed = good_bytes();
  unsealed[kTable + 1] = 'X';
  EXPECT_THAT(load_error(unsealed).what(), HasSubstr("symbols CRC32C"));
  std::string twice = good_bytes();
  std::memcpy(twice.data() + kTable + kSessionSymbolBytes, twice.data() + kTable,
              kSessionSymbolBytes);
  seal(twice);
  EXPECT_THAT(load_error(twice).what(), HasSubstr("stands twice"));
}

TEST_F(SessionFile, RecordsOutOfTimeAreRefused) {
  expect_bad_records(
      [](auto& r) {
        r[3].send_ns = kStart + 5;
        r[3].exchange_ns = kStart;
      },
      "is before");
  expect_bad_records([](auto& r) { r[2].exchange_ns = r[2].send_ns + 1; }, "later than send_ns");
}

TEST_F(SessionFile, RecordsOfUnknownShapeAreRefused) {
  expect_bad_records([](auto& r) { r[2].symbol = 2; }, "symbol index 2");
  expect_bad_records([](auto& r) { r[2].kind = SessionKind{5}; }, "kind 5");
  expect_bad_records([](auto& r) { r[2].kind = SessionKind::kStatus; }, "on an equity");
  expect_bad_records([](auto& r) { r[3].side = SessionSide::kNone; }, "side 0");
  expect_bad_records([](auto& r) { r[2].side = SessionSide::kBid; }, "side 1 on a quote");
  expect_bad_records([](auto& r) { r[2].flags = 4; }, "unknown flags 4");
  expect_bad_records([](auto& r) { r[2].reserved = 1; }, "reserved bytes");
  expect_bad_records([](auto& r) { r[2].exchange = 'Q'; }, "exchange byte 81");
  expect_bad_records([](auto& r) { r[3].conditions = 1; }, "conditions 1");
  expect_bad_records([](auto& r) { r[2].flags = 0; }, "one event alone");
  expect_bad_records([](auto& r) { r[3].c = 1; }, "c and d must be zero");
  expect_bad_records([](auto& r) { r[3].id = 0; }, "id is zero");
}

Session equity_session() {
  Session session;
  session.attribution = "made for this test";
  session.symbols.push_back({.symbol = "IBM",
                             .price_increment = Price{kCent},
                             .qty_increment = Qty{kScale},
                             .min_order_qty = Qty{kScale},
                             .previous_close = Price{181 * kScale},
                             .asset_class = SessionAssetClass::kUsEquity,
                             .tape = 'A',
                             .flags = kSessionShortable | kSessionMarginable});
  SessionRecord r{};
  r.send_ns = r.exchange_ns = kStart;
  r.kind = SessionKind::kQuote;
  r.flags = kSessionLastOfEvent;
  r.exchange = 'P';
  r.a = 180 * kScale;
  r.b = 200 * kScale;
  r.id = 1;
  session.records.push_back(r);  // no offer yet
  r.kind = SessionKind::kTrade;
  r.conditions = kSessionOddLot | kSessionIntermarketSweep;
  r.a = 180 * kScale + kScale / 10'000;
  session.records.push_back(r);
  r.kind = SessionKind::kStatus;
  r.conditions = 0;
  r.a = static_cast<std::int64_t>(SessionStatus::kVolatilityPause);
  r.b = 0;
  session.records.push_back(r);
  return session;
}

TEST_F(SessionFile, EquitiesKeepWhatOnlyTheyHave) {
  const Session saved = equity_session();
  save_session(path_, saved);
  const Session loaded = load_session(path_);
  ASSERT_EQ(1U, loaded.symbols.size());
  EXPECT_EQ(SessionAssetClass::kUsEquity, loaded.symbols[0].asset_class);
  EXPECT_EQ('A', loaded.symbols[0].tape);
  EXPECT_EQ(kSessionShortable | kSessionMarginable, loaded.symbols[0].flags);
  EXPECT_EQ(Price{181 * kScale}, loaded.symbols[0].previous_close);
  ASSERT_EQ(3U, loaded.records.size());
  EXPECT_EQ(0, std::memcmp(saved.records.data(), loaded.records.data(),
                           saved.records.size() * sizeof(SessionRecord)));
  EXPECT_EQ(SessionStatus::kVolatilityPause, loaded.records[2].status());
}

TEST_F(SessionFile, EquityRecordsAreChecked) {
  const auto save_error = [this](std::size_t record, const auto& change) {
    Session session = equity_session();
    change(session.records[record]);
    try {
      save_session(path_, session);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("saved");
  };
  EXPECT_THAT(save_error(0, [](auto& r) { r.d = 1; }), HasSubstr("price 0"));
  EXPECT_THAT(save_error(1, [](auto& r) { r.a += 1; }), HasSubstr("multiple of 0.0001"));
  EXPECT_THAT(save_error(0, [](auto& r) { r.conditions = 1; }), HasSubstr("conditions 1"));
  EXPECT_THAT(save_error(0, [](auto& r) { r.exchange = '?'; }), HasSubstr("exchange byte 63"));
  EXPECT_THAT(save_error(2, [](auto& r) { r.a = 5; }), HasSubstr("status 5"));
  EXPECT_THAT(save_error(2, [](auto& r) { r.b = 1; }), HasSubstr("without other values"));
}

TEST_F(SessionFile, PricesAndQuantitiesAreChecked) {
  expect_bad_records([](auto& r) { r[2].a = 0; }, "price 0 of BTC/USD");
  expect_bad_records([](auto& r) { r[2].c = -kCent; }, "price -0.01");
  expect_bad_records([](auto& r) { r[2].a += 1; }, "positive multiple of 0.01");
  expect_bad_records([](auto& r) { r[2].d = 0; }, "quantity 0");
  expect_bad_records([](auto& r) { r[3].b = 0; }, "not above zero");
  expect_bad_records([](auto& r) { r[4].b = -1; }, "not zero or above");
}

TEST_F(SessionFile, BrokenEventsAreRefused) {
  expect_bad_records([](auto& r) { r[1].flags = kSessionSnapshot; }, "starts a new event");
  expect_bad_records([](auto& r) { r[4].flags = 0; }, "starts a new event");
  expect_bad_records(
      [](auto& r) {
        r.resize(5);
        r[4].flags = 0;
      },
      "has no last record");
  expect_bad_records([](auto& r) { r[0].id = 99; }, "id 99");
}

TEST_F(SessionFile, WriterRefusesWhatTheReaderWould) {
  const auto save_error = [this](const std::function<void(Session&)>& change) {
    Session s = small_session();
    change(s);
    try {
      save_session(path_, s);
    } catch (const Error& e) {
      EXPECT_EQ(ExitCode::kBug, e.code());
      EXPECT_FALSE(std::filesystem::exists(path_));
      return std::string(e.what());
    }
    return std::string("was written");
  };
  EXPECT_THAT(save_error([](Session& s) { s.records.clear(); }), HasSubstr("record count 0"));
  EXPECT_THAT(save_error([](Session& s) { s.symbols.clear(); }), HasSubstr("symbol count 0"));
  EXPECT_THAT(save_error([](Session& s) { s.symbols[0].symbol.assign(24, 'A'); }),
              HasSubstr("longer than 23"));
  EXPECT_THAT(save_error([](Session& s) { s.attribution.assign(1024, 'a'); }),
              HasSubstr("attribution"));
  EXPECT_THAT(save_error([](Session& s) { s.records[2].a = -1; }), HasSubstr("price"));
}

TEST_F(SessionFile, WriterLeavesNothingBehindWhenTheFolderIsMissing) {
  const std::string lost = (dir_ / "no" / "such.session").string();
  try {
    save_session(lost, small_session());
    FAIL() << "was written";
  } catch (const Error& e) {
    EXPECT_EQ(ExitCode::kResource, e.code());
    EXPECT_THAT(e.what(), HasSubstr("No such file"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(dir_));
}

}  // namespace
}  // namespace sluice