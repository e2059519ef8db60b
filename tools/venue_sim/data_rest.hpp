// data_rest.hpp — the market data REST API: bars, trades, quotes and snapshots of what was played.
//
// Pure; enough for a client to warm up. It tells nothing that the streams have not told: records up
// to the one played last, bars that left, the running day, the close of the day before. Moments are
// what the streams said: the venue's (rebased), or when it was sent where the socket sets the pace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/market/session.hpp"
#include "tools/venue_sim/data_question.hpp"
#include "tools/venue_sim/market_hub.hpp"
#include "tools/venue_sim/player.hpp"
#include "tools/venue_sim/rest_api.hpp"

namespace sluice::sim {

class DataRest {
 public:
  // All must outlive the API. `basic_plan`: questions for the SIP's data are refused.
  DataRest(const Session& session, const Timeline& timeline, const Player& player,
           const MarketHub& market, bool basic_plan);

  // /v2/stocks/… and /v1beta3/crypto/us/…
  [[nodiscard]] static bool owns(std::string_view path) noexcept;
  // At `now`, which is when the session would start if it has not.
  [[nodiscard]] ApiAnswer handle(const ApiRequest& request, WallNanos now);

 private:
  // The trades or quotes of one symbol, by position in the session.
  using Positions = std::vector<std::uint32_t>;
  struct Index {
    Positions trades;
    Positions quotes;
    Positions iex_trades;  // where the recording knows the IEX
    Positions iex_quotes;
  };

  [[nodiscard]] ApiAnswer answer(const DataQuestion& question);
  [[nodiscard]] ApiAnswer history(const DataQuestion& question);
  [[nodiscard]] ApiAnswer latest(const DataQuestion& question);
  [[nodiscard]] ApiAnswer snapshots(const DataQuestion& question);

  void build_index();
  // The question is for the IEX feed's part alone.
  [[nodiscard]] bool of_iex(const DataQuestion& question) const;
  [[nodiscard]] const Positions& positions(DataKind kind, SymbolIndex symbol, bool iex) const;
  // How many of them were played, over all repetitions, and the nth of those.
  [[nodiscard]] std::size_t played(const Positions& positions) const;
  [[nodiscard]] Player::Past nth(const Positions& positions, std::size_t n) const;
  [[nodiscard]] WallNanos moment_of(const Bar& bar) const noexcept;
  [[nodiscard]] std::vector<Bar> bars(SymbolIndex symbol, const DataQuestion& question) const;

  // Appends one object; false (and nothing) when there is none.
  bool append_latest(std::string& out, DataKind kind, SymbolIndex symbol, bool iex) const;
  void append_record(std::string& out, const Player::Past& past) const;
  void append_bar(std::string& out, const Bar& bar) const;
  void append_bar_or_null(std::string& out, const Bar* bar) const;
  void append_snapshot(std::string& out, SymbolIndex symbol, bool iex) const;
  // One symbol's part of a page: at most `room` objects from `from` on (DataQuestion::page_from),
  // separated by commas. Returns where the next page goes on; nothing at the symbol's end.
  using PageFrom = std::optional<std::int64_t>;
  [[nodiscard]] PageFrom append_bars(std::string& out, const DataQuestion& question,
                                     SymbolIndex symbol, PageFrom from, std::size_t& room) const;
  [[nodiscard]] PageFrom append_records(std::string& out, const DataQuestion& question,
                                        SymbolIndex symbol, PageFrom from, std::size_t& room) const;

  const Session& session_;
  const Timeline& timeline_;
  const Player& player_;
  const MarketHub& market_;
  const bool basic_plan_;
  std::vector<Index> index_;  // built with the first question
  WallNanos now_{};           // of the question being answered
};

}  // namespace sluice::sim
