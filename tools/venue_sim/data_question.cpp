#include "tools/venue_sim/data_question.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "tools/venue_sim/json_writer.hpp"
#include "tools/venue_sim/market_feed.hpp"

namespace sluice::sim {
namespace {

constexpr std::int64_t kMinuteNs = 60 * kNanosPerSecond;

template <class Number>
bool read_number(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

// "5Min" or "5T", "1Hour", "1Day": the length of a bar. Nothing for what the session cannot hold.
std::optional<std::int64_t> bar_length(std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  std::int64_t count = 0;
  if (!read_number(text.substr(0, digits), count) || count < 1) {
    return std::nullopt;
  }
  const std::string_view unit = text.substr(digits);
  if ((unit == "Min" || unit == "T") && count < 60) {
    return count * kMinuteNs;
  }
  if ((unit == "Hour" || unit == "H") && count < 24) {
    return count * 60 * kMinuteNs;
  }
  if ((unit == "Day" || unit == "D") && count == 1) {
    return kDayBarNs;
  }
  return std::nullopt;
}

}  // namespace

ApiAnswer refuse_data(int status, std::string_view message) {
  ApiAnswer answer;
  answer.status = status;
  JsonWriter json(answer.body);
  json.begin_object();
  json.key("message").text(message);
  json.end_object();
  return answer;
}

bool DataQuestion::read_kind(std::string_view word) {
  constexpr std::array<std::string_view, 3> kWords{"bars", "trades", "quotes"};
  const auto it = std::find(kWords.begin(), kWords.end(), word);
  kind = static_cast<DataKind>(it - kWords.begin());
  return it != kWords.end();
}

// stocks: bars, bars/latest, snapshots, SYM/bars, SYM/bars/latest, SYM/snapshot
// crypto: bars, latest/bars, snapshots
std::optional<ApiAnswer> DataQuestion::read_path(std::string_view path) {
  stocks = path.starts_with(kStockDataPath);
  std::vector<std::string> parts =
      split(path.substr((stocks ? kStockDataPath : kCryptoDataPath).size()), '/');
  const auto not_found = [] { return refuse_data(404, "endpoint not found."); };
  if (!stocks && parts.size() == 2 && parts[0] == "latest") {
    std::swap(parts[0], parts[1]);
  }
  if (parts.empty()) {
    return not_found();
  }
  if (parts[0] == "snapshots" && parts.size() == 1) {
    what = What::kSnapshot;
    return std::nullopt;
  }
  if (!read_kind(parts[0])) {
    if (!stocks || parts.size() < 2) {
      return not_found();
    }
    single = true;
    names = {percent_decode(parts[0], false)};
    parts.erase(parts.begin());
    if (parts[0] == "snapshot" && parts.size() == 1) {
      what = What::kSnapshot;
      return std::nullopt;
    }
    if (!read_kind(parts[0])) {
      return not_found();
    }
  }
  if (parts.size() == 2 && parts[1] == "latest") {
    what = What::kLatest;
  } else if (parts.size() != 1) {
    return not_found();
  }
  return std::nullopt;
}

std::optional<ApiAnswer> DataQuestion::read_query(const RestQuery& query) {
  const auto get = [&query](std::string_view name) { return std::string(query.get(name)); };
  if (!single) {
    names = split(query.get("symbols"));
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    if (names.empty()) {
      return refuse_data(400, "symbols is required");
    }
  }
  for (const std::string& name : names) {
    if (!valid_symbol(name)) {
      return refuse_data(400, "invalid symbol: " + name);
    }
  }
  if (!query.time("start", start) || !query.time("end", end)) {
    return refuse_data(400, "invalid start or end: a date or an RFC 3339 time is needed");
  }
  const std::string count = get("limit");
  if (!count.empty() && (!read_number(count, limit) || limit < 1 || limit > kMaxDataPage)) {
    return refuse_data(400, "invalid limit: " + count + " is not between 1 and 10000");
  }
  const std::string sort = get("sort");
  if (!sort.empty() && sort != "asc" && sort != "desc") {
    return refuse_data(400, "invalid sort: " + sort);
  }
  descending = sort == "desc";
  if (what == What::kHistory && kind == DataKind::kBars) {
    const auto length = bar_length(get("timeframe"));
    if (!length) {
      return refuse_data(400, "invalid timeframe: " + get("timeframe"));
    }
    bar_ns = *length;
  }
  feed = get("feed");
  if (stocks && !feed.empty() && feed != "iex" && feed != "sip") {
    return refuse_data(400, "invalid feed: " + feed + " is not iex or sip");
  }
  const std::string token = get("page_token");
  const std::size_t bar = token.rfind('|');
  if (!token.empty()) {
    std::int64_t from = 0;
    if (bar == std::string::npos || !read_number(std::string_view(token).substr(bar + 1), from)) {
      return refuse_data(400, "invalid page_token");
    }
    page_from = from;
    page_symbol = token.substr(0, bar);
  }
  return std::nullopt;
}

std::optional<ApiAnswer> DataQuestion::read(const ApiRequest& request) {
  if (request.method != "GET") {
    return refuse_data(405, "method not allowed");
  }
  auto refusal = read_path(request.path);
  return refusal ? refusal : read_query(RestQuery(request.query));
}

}  // namespace sluice::sim
