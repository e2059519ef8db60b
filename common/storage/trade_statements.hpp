// The prepared statements of TradeDatabase, and how values are bound to them. Internal to the two
// sources of that class.
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>

#include "common/storage/trade_database.hpp"

namespace sluice {

namespace binding {

template <std::integral T>
void set(sqlite::Statement& statement, int at, T value) {
  statement.bind(at, static_cast<std::int64_t>(value));
}
inline void set(sqlite::Statement& statement, int at, std::string_view value) {
  statement.bind(at, value);
}
template <class T>
void set(sqlite::Statement& statement, int at, const std::optional<T>& value) {
  if (value) {
    set(statement, at, *value);
  } else {
    statement.bind_null(at);
  }
}

}  // namespace binding

template <class... Args>
void TradeDatabase::put(sqlite::Statement& statement, const Args&... args) {
  int at = 0;
  (binding::set(statement, ++at, args), ...);
  statement.execute();
  ++rows_;
}

struct TradeDatabase::Statements {
  explicit Statements(sqlite::Connection& database);

  sqlite::Statement applied;
  sqlite::Statement mark;
  sqlite::Statement position;
  sqlite::Statement pnl;
  sqlite::Statement rings_clear;
  sqlite::Statement ring;
  sqlite::Statement session;
  sqlite::Statement gap;
  sqlite::Statement intent;
  sqlite::Statement order;
  sqlite::Statement verdict;
  sqlite::Statement order_state;
  sqlite::Statement order_event;
  sqlite::Statement execution;
  sqlite::Statement fee_of;
  sqlite::Statement filled_of;
  sqlite::Statement fee;
  sqlite::Statement refusal;
  sqlite::Statement cancel;
  sqlite::Statement command;
  sqlite::Statement trip;
  sqlite::Statement account;
  sqlite::Statement anomaly;
};

}  // namespace sluice
