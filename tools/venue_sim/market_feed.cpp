#include "tools/venue_sim/market_feed.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_set>
#include <utility>

#include "tools/venue_sim/json_writer.hpp"

namespace sluice::sim {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxSymbolChars = 32;

constexpr std::array<std::string_view, kChannels> kNames{"trades",   "quotes",      "orderbooks",
                                                         "bars",     "updatedBars", "dailyBars",
                                                         "statuses", "lulds",       "imbalances"};

// Never to be asked for: the first two follow the trades by themselves, the others are feeds of
// their own.
constexpr std::array<std::string_view, 4> kNotForHere{"corrections", "cancelErrors", "news",
                                                      "pricing"};

constexpr std::array kCryptoChannels{Channel::kTrades, Channel::kQuotes,      Channel::kOrderbooks,
                                     Channel::kBars,   Channel::kUpdatedBars, Channel::kDailyBars};
constexpr std::array kStockChannels{Channel::kTrades,      Channel::kQuotes,    Channel::kBars,
                                    Channel::kUpdatedBars, Channel::kDailyBars, Channel::kStatuses,
                                    Channel::kLulds,       Channel::kImbalances};
constexpr std::array kTestChannels{Channel::kTrades, Channel::kQuotes, Channel::kBars};

std::string_view name_of(Channel channel) noexcept {
  return kNames[static_cast<std::size_t>(channel)];
}

bool list_of_symbols(const Json& list) {
  return list.is_array() && std::all_of(list.begin(), list.end(), [](const Json& entry) {
           return entry.is_string() && valid_symbol(entry.get_ref<const std::string&>());
         });
}

// Null when absent.
const Json* field(const Json& request, std::string_view name) {
  const auto* object = request.get_ptr<const Json::object_t*>();
  if (object == nullptr) {
    return nullptr;
  }
  const auto it = object->find(name);
  return it == object->end() ? nullptr : &it->second;
}

bool asks_for(const Json& request, std::string_view name) {
  const Json* list = field(request, name);
  return list != nullptr && list->is_array() && !list->empty();
}

// What was there goes to the end: the set keeps the order in which its entries were named last.
void apply(std::vector<std::string>& names, const Json& list, bool subscribe) {
  std::unordered_set<std::string_view> said;
  for (const Json& entry : list) {
    said.insert(entry.get_ref<const std::string&>());
  }
  std::erase_if(names, [&said](const std::string& name) { return said.contains(name); });
  for (const Json& entry : list) {
    const auto& name = entry.get_ref<const std::string&>();
    if (subscribe && said.erase(name) != 0) {
      names.push_back(name);
    }
  }
}

void write_names(JsonWriter& json, std::string_view key, const std::vector<std::string>& names) {
  json.key(key).begin_array();
  for (const std::string& name : names) {
    json.text(name);
  }
  json.end_array();
}

}  // namespace

bool valid_symbol(std::string_view name) noexcept {
  return name == "*" || (!name.empty() && name.size() <= kMaxSymbolChars &&
                         std::all_of(name.begin(), name.end(), [](char c) {
                           return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
                                  c == '.' || c == '-';
                         }));
}

std::string_view path_of(Feed feed) noexcept {
  switch (feed) {
    case Feed::kCrypto:
      return "/v1beta3/crypto/us";
    case Feed::kIex:
      return "/v2/iex";
    case Feed::kSip:
      return "/v2/sip";
    case Feed::kTest:
      return "/v2/test";
  }
  return {};
}

std::span<const Channel> channels_of(Feed feed) noexcept {
  switch (feed) {
    case Feed::kCrypto:
      return kCryptoChannels;
    case Feed::kTest:
      return kTestChannels;
    case Feed::kIex:
    case Feed::kSip:
      break;
  }
  return kStockChannels;
}

Subscription::Change Subscription::change(const Json& request, bool subscribe,
                                          const SymbolLimits& limits) {
  const auto offered = channels_of(feed_);
  for (std::size_t i = 0; i < kChannels; ++i) {
    const bool here = std::find(offered.begin(), offered.end(), Channel(i)) != offered.end();
    if (!here && asks_for(request, kNames[i])) {
      return Change::kChannel;
    }
  }
  for (const std::string_view name : kNotForHere) {
    if (asks_for(request, name)) {
      return Change::kChannel;
    }
  }
  Names next = names_;
  for (const Channel channel : offered) {
    const Json* list = field(request, name_of(channel));
    if (list == nullptr || list->is_null()) {
      continue;
    }
    if (!list_of_symbols(*list)) {
      return Change::kSyntax;
    }
    apply(next[static_cast<std::size_t>(channel)], *list, subscribe);
  }
  const auto& trades = next[static_cast<std::size_t>(Channel::kTrades)];
  const auto& quotes = next[static_cast<std::size_t>(Channel::kQuotes)];
  std::size_t all = 0;
  for (const auto& names : next) {
    all += names.size();
  }
  if (subscribe &&
      (trades.size() + quotes.size() > limits.trades_and_quotes || all > limits.all_channels)) {
    return Change::kTooMany;
  }
  names_ = std::move(next);
  return Change::kDone;
}

std::string Subscription::acknowledgement() const {
  std::string frame;
  JsonWriter json(frame);
  json.begin_array().begin_object();
  json.key("T").text("subscription");
  for (const Channel channel : channels_of(feed_)) {
    if (channel != Channel::kImbalances) {  // the venue's acknowledgement does not name them
      write_names(json, name_of(channel), names(channel));
    }
  }
  if (is_stock(feed_)) {
    write_names(json, "corrections", names(Channel::kTrades));
    write_names(json, "cancelErrors", names(Channel::kTrades));
  }
  json.end_object().end_array();
  return frame;
}

}  // namespace sluice::sim
