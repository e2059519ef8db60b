// data_question.hpp — a request to the market data REST API, read and checked.
//
// Pure. What is refused is refused with the data API's body: {"message":"…"} without a code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.hpp"
#include "tools/venue_sim/rest_api.hpp"
#include "tools/venue_sim/rest_query.hpp"

namespace sluice::sim {

inline constexpr std::string_view kStockDataPath = "/v2/stocks/";
inline constexpr std::string_view kCryptoDataPath = "/v1beta3/crypto/us/";
inline constexpr std::size_t kMaxDataPage = 10'000;
inline constexpr std::int64_t kDayBarNs = 86'400 * kNanosPerSecond;

enum class DataKind : std::uint8_t { kBars, kTrades, kQuotes };

[[nodiscard]] ApiAnswer refuse_data(int status, std::string_view message);

struct DataQuestion {
  enum class What : std::uint8_t { kHistory, kLatest, kSnapshot };
  What what{What::kHistory};
  DataKind kind{DataKind::kBars};
  bool stocks{true};
  bool single{false};              // one symbol in the path: the answer is not keyed by it
  std::vector<std::string> names;  // as asked, single or sorted
  std::optional<WallNanos> start;
  std::optional<WallNanos> end;
  std::size_t limit{1'000};
  bool descending{false};
  std::int64_t bar_ns{60 * kNanosPerSecond};
  std::string page_symbol;
  // Where the page begins: a record's index over all that is played, a bar's start in session time.
  // Both stay what they are while the session goes on.
  std::optional<std::int64_t> page_from;
  std::string feed;  // "iex", "sip", or empty: the plan's

  [[nodiscard]] bool holds(WallNanos at) const noexcept {
    return (!start || at >= *start) && (!end || at <= *end);
  }

  // Nothing when all is well, else the refusal.
  [[nodiscard]] std::optional<ApiAnswer> read(const ApiRequest& request);

 private:
  [[nodiscard]] std::optional<ApiAnswer> read_path(std::string_view path);
  [[nodiscard]] std::optional<ApiAnswer> read_query(const RestQuery& query);
  [[nodiscard]] bool read_kind(std::string_view word);
};

}  // namespace sluice::sim
