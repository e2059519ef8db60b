// data_rest.hpp — the market data REST API: bars, trades, quotes and snapshots of what was played.
//
// Pure; enough for a client to warm up. It tells nothing that the streams have not told: records up
// to the one played last, bars that left, the running day. Moments are the venue's (rebased); when
// the socket sets the pace, past records have no moment of their own and carry the session's start.
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
  [[nodiscard]] ApiAnswer handle(const ApiRequest& request);

 private:
  // The trades or quotes of one symbol, by position in the session.
  using Positions = std::vector<std::uint32_t>;
  struct Index {
    Positions trades;
    Positions quotes;
  };

  [[nodiscard]] ApiAnswer answer(const DataQuestion& question);
  [[nodiscard]] ApiAnswer history(const DataQuestion& question);
  [[nodiscard]] ApiAnswer latest(const DataQuestion& question);
  [[nodiscard]] ApiAnswer snapshots(const DataQuestion& question);

  void build_index();
  [[nodiscard]] const Positions& positions(DataKind kind, SymbolIndex symbol) const;
  // How many of them were played, over all repetitions, and the nth of those.
  [[nodiscard]] std::size_t played(const Positions& positions) const;
  [[nodiscard]] SessionRecord nth(const Positions& positions, std::size_t n) const;
  [[nodiscard]] WallNanos stamp_of(const SessionRecord& record) const noexcept;
  [[nodiscard]] std::vector<Bar> bars(SymbolIndex symbol, const DataQuestion& question) const;

  // Appends one object; false (and nothing) when there is none.
  bool append_latest(std::string& out, DataKind kind, SymbolIndex symbol) const;
  void append_record(std::string& out, const SessionRecord& record) const;
  void append_bar(std::string& out, const Bar& bar) const;
  void append_bar_or_null(std::string& out, const Bar* bar) const;
  void append_snapshot(std::string& out, SymbolIndex symbol) const;
  // One symbol's part of a page: at most `room` objects from position `from` on, an array. Returns
  // where the next page goes on; nothing at the symbol's end.
  [[nodiscard]] std::optional<std::size_t> append_page(std::string& out,
                                                       const DataQuestion& question,
                                                       SymbolIndex symbol, std::size_t from,
                                                       std::size_t& room) const;

  const Session& session_;
  const Timeline& timeline_;
  const Player& player_;
  const MarketHub& market_;
  const bool basic_plan_;
  std::vector<Index> index_;  // built with the first question
};

}  // namespace sluice::sim
