#include "tools/shm_top/panels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>
#include <tuple>

#include "tools/shm_top/text.hpp"

namespace sluice::top {
namespace {

constexpr std::size_t kBarWidth = 12;
constexpr std::size_t kRingBarWidth = 10;
constexpr std::int64_t kOldBeatNs = kNanosPerSecond;
constexpr double kNearLimit = 0.9;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool passes(const std::vector<Cell>& row, const std::string& filter) {
  if (filter.empty())
    return true;
  std::string text;
  for (const Cell& c : row)
    text += text_of(c) + ' ';
  return lower(text).find(lower(filter)) != text.npos;
}

Cell none(const View& view) {
  return cell(view.utf8 ? "–" : "-", Style::kDim);
}

template <class Value, class Text>
Cell or_none(const std::optional<Value>& value, const View& view, Text&& text,
             Style style = Style::kPlain) {
  return value ? cell(text(*value), style) : none(view);
}

std::string at_least_mark(bool at_least, const View& view) {
  return at_least ? (view.utf8 ? "≥" : ">") : "";
}

Cell count_cell(std::uint64_t count, Style style = Style::kPlain) {
  return cell(count_text(count), count == 0 ? Style::kDim : style);
}

Cell bar_cell(double now, double most, std::size_t width, const View& view, Style style) {
  BarParts parts = bar_parts(now, most, width, view.utf8);
  return {{std::move(parts.now), style},
          {std::move(parts.most), style == Style::kAlarm ? style : Style::kDim},
          {std::move(parts.rest), Style::kDim}};
}

// Rows in the order of `before`, filtered; the sort is stable, so equal rows keep their place.
template <class Facts, class Row>
void fill(Table& table, std::vector<Facts> facts, const View& view,
          const std::function<bool(const Facts&, const Facts&)>& before, Row&& row) {
  if (before)
    std::stable_sort(facts.begin(), facts.end(), before);
  for (const Facts& f : facts) {
    std::vector<Cell> cells = row(f);
    if (passes(cells, view.filter))
      table.rows.push_back(std::move(cells));
  }
}

// ---- stages ----

// A tick's way through the stages, then whatever else there is.
int stage_place(const std::string& name) {
  constexpr std::array kWay{"feed.", "strategy.", "risk", "gateway", "persistence"};
  const auto* const found = std::find_if(
      kWay.begin(), kWay.end(), [&](const char* prefix) { return name.starts_with(prefix); });
  return static_cast<int>(found - kWay.begin());
}

Style condition_style(StageCondition condition) {
  if (is_alarming(condition))
    return Style::kAlarm;
  if (condition == StageCondition::kLive)
    return Style::kGood;
  const bool idle =
      condition == StageCondition::kNotStarted || condition == StageCondition::kStopped;
  return idle ? Style::kDim : Style::kNote;
}

std::vector<Cell> stage_row(const StageFacts& s, const View& view) {
  const auto duration = [&](std::int64_t ns) { return duration_text(ns, view.utf8); };
  const bool running = s.core.has_value();
  const bool old = s.heartbeat_age_ns && *s.heartbeat_age_ns > kOldBeatNs;
  const Style beat = !running ? Style::kDim : old ? Style::kAlarm : Style::kPlain;
  std::string note = s.trouble;
  if (s.tripped)
    note += (note.empty() ? "" : "; ") + std::string("its kill word is set");
  return {
      cell(s.name, Style::kName),
      cell(to_string(s.condition), condition_style(s.condition)),
      s.pid == 0 ? none(view) : cell(std::to_string(s.pid), running ? Style::kPlain : Style::kDim),
      or_none(s.core, view, [](int core) { return std::to_string(core); }),
      s.affinity.empty() ? none(view) : cell(s.affinity, Style::kDim),
      or_none(s.heartbeat_age_ns, view, duration, beat),
      count_cell(s.restarts, Style::kNote),
      or_none(s.busy, view, percent_text),
      or_none(s.duty_ns, view,
              [&](std::int64_t ns) { return at_least_mark(s.duty_at_least, view) + duration(ns); }),
      or_none(s.cpu, view, percent_text),
      count_cell(s.incarnation, Style::kDim),
      cell(std::move(note), Style::kAlarm)};
}

Table stages(const Snapshot& snapshot, const View& view) {
  Table table;
  table.columns = {{.title = "STAGE", .least = 12, .sort = 0},
                   {.title = "STATE", .least = 11, .sort = 1},
                   {.title = "PID", .right = true, .priority = 2, .least = 7},
                   {.title = "CORE", .right = true, .priority = 3},
                   {.title = "MAY USE", .priority = 7},
                   {.title = "BEAT", .right = true, .least = 6, .sort = 2},
                   {.title = "RESTARTS", .right = true, .priority = 1},
                   {.title = "BUSY", .right = true, .least = 5, .sort = 3},
                   {.title = "LONGEST", .right = true, .priority = 1},
                   {.title = "CPU", .right = true, .priority = 1, .least = 5, .sort = 4},
                   {.title = "INC", .right = true, .priority = 8},
                   {.title = "", .least = 0, .narrows = true}};
  table.sort = view.sort_of(Panel::kStages);
  using Before = std::function<bool(const StageFacts&, const StageFacts&)>;
  const std::array<Before, 5> orders{
      [](const auto& a, const auto& b) { return stage_place(a.name) < stage_place(b.name); },
      [](const auto& a, const auto& b) {
        return is_alarming(a.condition) > is_alarming(b.condition);
      },
      [](const auto& a, const auto& b) { return a.heartbeat_age_ns > b.heartbeat_age_ns; },
      [](const auto& a, const auto& b) { return a.busy > b.busy; },
      [](const auto& a, const auto& b) { return a.cpu > b.cpu; }};
  fill(table, snapshot.stages, view, orders[table.sort],
       [&](const StageFacts& s) { return stage_row(s, view); });
  return table;
}

// ---- rings ----

int ring_place(const std::string& name) {
  constexpr std::array kWay{"md.",   "intent.", "order", "verdict.",
                            "exec.", "cancel.", "tap.",  "cmd."};
  const auto* const found = std::find_if(
      kWay.begin(), kWay.end(), [&](const char* prefix) { return name.starts_with(prefix); });
  return static_cast<int>(found - kWay.begin());
}

bool loses(const RingFacts& r) {
  return r.drops != 0 || r.gaps != 0 || r.owed != 0 || r.refused != 0;
}

// Dropping is what conflating, refusing and counting rings are for; the others promised not to.
Style loss_style(const RingFacts& r) {
  return broke_its_promise(r) ? Style::kAlarm : Style::kNote;
}

bool spoilt(const RingFacts& r) {
  return r.broken || r.detached || !r.trouble.empty();
}

Cell full_cell(const RingFacts& r, const View& view) {
  const auto slots = static_cast<double>(std::max<std::uint64_t>(r.slots, 1));
  const double now = static_cast<double>(r.depth) / slots;
  const double most = static_cast<double>(r.depth_max) / slots;
  const Style style = r.broken || nearly_full(r) ? Style::kAlarm : Style::kBar;
  return bar_cell(now, most, kRingBarWidth, view, style);
}

Cell lag_cell(const RingFacts& r, const View& view) {
  if (!r.lag_ns)
    return none(view);
  const bool late = *r.lag_ns > kNanosPerSecond;
  return cell(at_least_mark(r.lag_at_least, view) + duration_text(*r.lag_ns, view.utf8),
              late ? Style::kNote : Style::kPlain);
}

std::vector<Cell> ring_row(const RingFacts& r, const View& view) {
  if (!r.trouble.empty()) {
    std::vector<Cell> cells(11, none(view));
    cells.front() = cell(r.name, Style::kName);
    cells.back() = cell(r.trouble, Style::kAlarm);
    return cells;
  }
  std::string note = loss_text(r, view.utf8);
  Style note_style = loss_style(r);
  if (r.detached) {
    note = "CUT OFF" + (note.empty() ? "" : ": " + note);
    note_style = Style::kAlarm;
  }
  if (r.broken) {
    note = r.broken_peer != 0 ? "broken peer, seen " + count_text(r.broken_peer) + " times"
                              : "its words contradict each other";
    note_style = Style::kAlarm;
  }
  const Style rate = r.rate.value_or(0) > 0 ? Style::kPlain : Style::kDim;
  return {cell(r.name, Style::kName),
          cell(r.producer + (view.utf8 ? " → " : " > ") + r.consumer, Style::kDim),
          or_none(r.rate, view, rate_text, rate),
          count_cell(r.messages),
          count_cell(r.depth, r.broken ? Style::kAlarm : Style::kPlain),
          cell(at_least_mark(r.depth_max_at_least, view) + count_text(r.depth_max),
               r.depth_max == 0 ? Style::kDim : Style::kPlain),
          full_cell(r, view),
          count_cell(r.slots, Style::kDim),
          lag_cell(r, view),
          cell(shm::to_string(r.policy), Style::kDim),
          note.empty() ? cell("") : cell(std::move(note), note_style)};
}

Table rings(const Snapshot& snapshot, const View& view) {
  Table table;
  // Who writes and who reads is worth more than what the remaining columns tell; a long loss is
  // cut.
  table.columns = {{.title = "RING", .least = 16, .sort = 0},
                   {.title = "FROM, TO", .priority = 3},
                   {.title = "MSG/S", .right = true, .least = 5, .sort = 1},
                   {.title = "MESSAGES", .right = true, .priority = 4},
                   {.title = "DEPTH", .right = true, .sort = 2},
                   {.title = "MOST", .right = true, .least = 5},
                   {.title = "FULL", .priority = 2, .least = kRingBarWidth},
                   {.title = "SLOTS", .right = true, .priority = 7},
                   {.title = "LAG", .right = true, .least = 6, .sort = 3},
                   {.title = "WHEN FULL", .priority = 5},
                   {.title = "LOST", .narrows = true, .sort = 4}};
  constexpr std::size_t kShortLoss = 26;  // "200 lost · 0 gaps · 1 snap"

  table.sort = view.sort_of(Panel::kRings);
  using Before = std::function<bool(const RingFacts&, const RingFacts&)>;
  const std::array<Before, 5> orders{
      [](const auto& a, const auto& b) {
        return std::tuple(ring_place(a.name), a.name) < std::tuple(ring_place(b.name), b.name);
      },
      [](const auto& a, const auto& b) { return a.rate > b.rate; },
      [](const auto& a, const auto& b) { return a.depth > b.depth; },
      [](const auto& a, const auto& b) { return a.lag_ns > b.lag_ns; },
      [](const auto& a, const auto& b) {
        return std::tuple(spoilt(a), loses(a), a.drops) > std::tuple(spoilt(b), loses(b), b.drops);
      }};
  fill(table, snapshot.rings, view, orders[table.sort],
       [&](const RingFacts& r) { return ring_row(r, view); });
  Column& lost = table.columns.back();
  for (const auto& row : table.rows)
    lost.least = std::max(lost.least, std::min(width_of(row.back()), kShortLoss));
  return table;
}

// ---- latency ----

void add_spread(std::vector<Cell>& cells, const Spread* spread, const View& view) {
  if (spread == nullptr || spread->count == 0) {
    cells.insert(cells.end(), 5, none(view));
    return;
  }
  cells.push_back(count_cell(spread->count));
  for (const std::uint64_t ns : {spread->p50, spread->p99, spread->p999, spread->max})
    cells.push_back(cell(duration_text(ns, view.utf8)));
}

Table latency(const Snapshot& snapshot, const View& view) {
  Table table;
  const std::int64_t window = snapshot.window_ns.value_or(kNanosPerSecond);
  const bool second = window > kNanosPerSecond / 2 && window < 2 * kNanosPerSecond;
  const std::string last = second ? "last second" : "last " + duration_text(window, view.utf8);
  const std::string since =
      snapshot.reset_age_ns ? "since " + duration_text(*snapshot.reset_age_ns, view.utf8) + " ago"
                            : std::string("since creation");
  table.columns = {
      {.title = "HOP", .least = 16, .sort = 0},
      {.title = "STAGE", .least = 9, .narrows = true, .drops_kind = true},
      {.title = "N", .right = true, .priority = 8, .least = 5, .group = last},
      {.title = "P50", .right = true, .priority = 1, .least = 6, .group = last},
      {.title = "P99", .right = true, .least = 6, .group = last, .sort = 1},
      {.title = "P99.9", .right = true, .priority = 6, .least = 6, .group = last},
      {.title = "MAX", .right = true, .priority = 3, .least = 6, .group = last},
      {.title = "N", .right = true, .priority = 7, .least = 5, .group = since},
      {.title = "P50", .right = true, .priority = 4, .least = 6, .group = since},
      {.title = "P99", .right = true, .priority = 1, .least = 6, .group = since, .sort = 2},
      {.title = "P99.9", .right = true, .priority = 5, .least = 6, .group = since},
      {.title = "MAX", .right = true, .priority = 2, .least = 6, .group = since, .sort = 3}};
  // Rows of one hop differ by their stage alone: columns of numbers go before its name does.
  constexpr std::size_t kLongName = 16;
  std::size_t& least = table.columns[1].least;
  for (const LatencyFacts& f : snapshot.latencies)
    least = std::max(least, std::min(width_of(without_kind(f.stage)), kLongName));
  table.sort = view.sort_of(Panel::kLatency);
  const auto last_p99 = [](const LatencyFacts& f) { return f.last ? f.last->p99 : 0; };
  using Before = std::function<bool(const LatencyFacts&, const LatencyFacts&)>;
  const std::array<Before, 4> orders{
      [](const auto& a, const auto& b) { return a.hop.value_or(99) < b.hop.value_or(99); },
      [&](const auto& a, const auto& b) { return last_p99(a) > last_p99(b); },
      [](const auto& a, const auto& b) { return a.since.p99 > b.since.p99; },
      [](const auto& a, const auto& b) { return a.since.max > b.since.max; }};
  fill(table, snapshot.latencies, view, orders[table.sort], [&](const LatencyFacts& f) {
    std::vector<Cell> cells{cell(f.name, f.hop ? Style::kName : Style::kPlain),
                            cell(f.stage, Style::kDim)};
    add_spread(cells, f.last ? &*f.last : nullptr, view);
    add_spread(cells, &f.since, view);
    return cells;
  });
  return table;
}

// ---- limits, errors ----

std::vector<Cell> limit_row(const LimitFacts& l, const View& view) {
  const double used = l.share.value_or(0);
  const Style style = used >= 1 ? Style::kAlarm : used >= kNearLimit ? Style::kNote : Style::kBar;
  return {cell(l.what, Style::kName),
          cell(l.limit),
          l.used.empty() ? none(view) : cell(l.money ? short_decimal(l.used, 2) : l.used),
          l.allowed.empty() ? none(view) : cell(l.allowed, Style::kDim),
          or_none(l.share, view, percent_text, style == Style::kBar ? Style::kPlain : style),
          bar_cell(used, 0, kBarWidth, view, style),
          cell(l.note, Style::kAlarm)};
}

Table limits(const Snapshot& snapshot, const View& view) {
  Table table;
  table.columns = {{.title = "WHAT", .least = 10, .sort = 0},
                   {.title = "LIMIT"},
                   {.title = "USED", .right = true},
                   {.title = "ALLOWED", .right = true},
                   {.title = "SHARE", .right = true, .sort = 1},
                   {.title = "", .priority = 1, .least = kBarWidth},
                   {.title = "", .narrows = true}};
  table.sort = view.sort_of(Panel::kLimits);
  using Before = std::function<bool(const LimitFacts&, const LimitFacts&)>;
  const std::array<Before, 2> orders{
      [](const auto& a, const auto& b) { return (a.what != "account") > (b.what != "account"); },
      [](const auto& a, const auto& b) { return a.share > b.share; }};
  fill(table, snapshot.limits, view, orders[table.sort],
       [&](const LimitFacts& l) { return limit_row(l, view); });
  return table;
}

Table errors(const Snapshot& snapshot, const View& view) {
  Table table;
  table.columns = {{.title = "LAST", .right = true, .least = 6, .sort = 0},
                   {.title = "FIRST", .right = true, .priority = 2, .least = 6},
                   {.title = "TIMES", .right = true, .sort = 1},
                   {.title = "STAGE", .priority = 1},
                   {.title = "CODE", .right = true, .priority = 3},
                   {.title = "TEXT", .least = 10, .narrows = true}};
  table.sort = view.sort_of(Panel::kErrors);
  using Before = std::function<bool(const ErrorFacts&, const ErrorFacts&)>;
  const std::array<Before, 2> orders{
      [](const auto& a, const auto& b) { return a.last_age_ns < b.last_age_ns; },
      [](const auto& a, const auto& b) { return a.count > b.count; }};
  fill(table, snapshot.errors, view, orders[table.sort], [&](const ErrorFacts& e) {
    return std::vector<Cell>{cell(duration_text(e.last_age_ns, view.utf8)),
                             cell(duration_text(e.first_age_ns, view.utf8), Style::kDim),
                             count_cell(e.count),
                             cell(e.stage, Style::kName),
                             cell(std::to_string(e.code), Style::kDim),
                             cell(e.text, Style::kNote)};
  });
  return table;
}

}  // namespace

std::size_t sort_keys(Panel panel) noexcept {
  constexpr std::array<std::size_t, kPanels> kKeys{5, 5, 4, 2, 2};
  return kKeys[static_cast<std::size_t>(panel)];
}

std::string loss_text(const RingFacts& r, bool utf8) {
  const char* const dot = utf8 ? " · " : ", ";
  std::string out;
  const auto add = [&](std::uint64_t count, const char* what) {
    out += (out.empty() ? "" : dot) + count_text(count) + ' ' + what;
  };
  if (r.drops != 0 || r.gaps != 0 || r.owed != 0) {
    add(r.drops, r.policy == shm::RingPolicy::kRefuse ? "refused" : "lost");
    if (r.policy == shm::RingPolicy::kConflate || r.policy == shm::RingPolicy::kCountedGap)
      add(r.gaps, "gaps");
    if (r.policy == shm::RingPolicy::kConflate)
      add(r.snapshots, "snap");
    if (r.owed != 0)
      add(r.owed, "owed");
  }
  if (r.refused != 0)
    add(r.refused, "refused by consumer");
  return out;
}

bool broke_its_promise(const RingFacts& r) noexcept {
  return r.drops != 0 &&
         (r.policy == shm::RingPolicy::kLossless || r.policy == shm::RingPolicy::kReserved);
}

bool nearly_full(const RingFacts& r) noexcept {
  return !r.broken && r.slots != 0 &&
         static_cast<double>(r.depth) >= kNearLimit * static_cast<double>(r.slots);
}

Table panel_table(Panel panel, const Snapshot& snapshot, const View& view) {
  switch (panel) {
    case Panel::kStages:
      return stages(snapshot, view);
    case Panel::kRings:
      return rings(snapshot, view);
    case Panel::kLatency:
      return latency(snapshot, view);
    case Panel::kLimits:
      return limits(snapshot, view);
    case Panel::kErrors:
      break;
  }
  return errors(snapshot, view);
}

}  // namespace sluice::top
