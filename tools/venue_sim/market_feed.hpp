// market_feed.hpp — the market data endpoints: what each offers, and one session's subscription.
//
// Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::sim {

enum class Feed : std::uint8_t { kCrypto, kIex, kSip, kTest };
inline constexpr std::array<Feed, 4> kFeeds{Feed::kCrypto, Feed::kIex, Feed::kSip, Feed::kTest};

enum class Channel : std::uint8_t {
  kTrades,
  kQuotes,
  kOrderbooks,
  kBars,
  kUpdatedBars,
  kDailyBars,
  kStatuses,
  kLulds,
  kImbalances,
};
inline constexpr std::size_t kChannels = 9;

// A set of channels, one bit each.
using ChannelBits = std::uint16_t;
[[nodiscard]] constexpr ChannelBits bit(Channel channel) noexcept {
  return static_cast<ChannelBits>(1U << static_cast<unsigned>(channel));
}

[[nodiscard]] std::string_view path_of(Feed feed) noexcept;
// In the order of the feed's acknowledgement.
[[nodiscard]] std::span<const Channel> channels_of(Feed feed) noexcept;
[[nodiscard]] constexpr bool is_stock(Feed feed) noexcept {
  return feed == Feed::kIex || feed == Feed::kSip;
}

// Whether it looks like a symbol, or is "*": capitals, digits and "/.-", at most 32.
[[nodiscard]] bool valid_symbol(std::string_view name) noexcept;

// How many names a session may hold; "*" is one, a name on two channels is two.
struct SymbolLimits {
  std::size_t trades_and_quotes;
  std::size_t all_channels;
};

// What one session has asked for: names per channel, "*" among them for all.
class Subscription {
 public:
  explicit Subscription(Feed feed) noexcept : feed_(feed) {}

  enum class Change : std::uint8_t {
    kDone,
    kSyntax,   // 400: not a list of symbols
    kChannel,  // 410: data asked for that this feed has not
    kTooMany,  // 405: more than the limits allow
  };
  // Applies {"trades":[…],…}; nothing has changed unless kDone. Every key may be missing; unknown
  // keys and empty lists of other feeds' channels are tolerated, as clients send them.
  [[nodiscard]] Change change(const nlohmann::json& request, bool subscribe,
                              const SymbolLimits& limits);

  [[nodiscard]] const std::vector<std::string>& names(Channel channel) const noexcept {
    return names_[static_cast<std::size_t>(channel)];
  }
  // The feed's acknowledgement: the full set. `corrections` and `cancelErrors` follow the trades.
  [[nodiscard]] std::string acknowledgement() const;

 private:
  using Names = std::array<std::vector<std::string>, kChannels>;
  Feed feed_;
  Names names_{};
};

}  // namespace sluice::sim
