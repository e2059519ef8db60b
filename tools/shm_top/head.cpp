#include "tools/shm_top/head.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "common/runtime/topology.hpp"
#include "tools/shm_top/panels.hpp"
#include "tools/shm_top/text.hpp"

namespace sluice::top {
namespace {

constexpr std::size_t kGap = 3;

class Words {
 public:
  Words(std::vector<Line>& lines, const View& view) : lines_(lines), view_(view) {}

  // A piece that does not fit on the line begins the next one.
  void add(std::string text, Style style = Style::kPlain) {
    if (lines_.empty() || (!lines_.back().empty() && !fits(text)))
      lines_.emplace_back();
    Line& line = lines_.back();
    if (!line.empty())
      line.push_back({std::string(kGap, ' '), Style::kPlain});
    line.push_back({std::move(text), style});
  }
  [[nodiscard]] bool fits(const std::string& text) const {
    return width_of(lines_.back()) + kGap + width_of(text) <= view_.width;
  }
  void next_line() { lines_.emplace_back(); }

 private:
  std::vector<Line>& lines_;
  const View& view_;
};

// Nothing was ever read, or nothing is left of it.
bool nothing_to_show(const Snapshot& s) {
  return !s.problem.empty() && !s.removed_age_ns;
}

// The first line, whole on every screen. Returns what found no room beside the name.
std::vector<std::string> add_title(const Snapshot& s, const View& view, Words& words) {
  const std::string title = "shm-top";
  const std::string paused = "PAUSED";
  const std::size_t taken = width_of(title) + kGap + (view.paused ? kGap + width_of(paused) : 0);
  const std::string name = s.instance.empty() ? s.dir : s.instance + " in " + s.dir;
  words.add(title, Style::kTitle);
  words.add(cut(name, view.width - std::min(taken, view.width), view.utf8), Style::kName);
  if (view.paused)
    words.add(paused, Style::kNote);
  if (nothing_to_show(s))
    return {};
  std::vector<std::string> rest{fmt::format("generation {}", s.generation),
                                to_string(s.now).substr(0, 19) + "Z"};
  if (s.reset_age_ns)
    rest.push_back("maxima reset " + duration_text(*s.reset_age_ns, view.utf8) + " ago");
  while (!rest.empty() && words.fits(rest.front())) {
    words.add(rest.front(), Style::kDim);
    rest.erase(rest.begin());
  }
  return rest;
}

bool is_live(const Snapshot& s, std::string_view role) {
  return std::any_of(s.stages.begin(), s.stages.end(), [&](const StageFacts& stage) {
    return stage.name == role && stage.condition == StageCondition::kLive;
  });
}

bool old_sheet(const TradingFacts& t) {
  return t.sheet_age_ns && *t.sheet_age_ns > kNanosPerSecond;
}

// Whether some instrument may take new risk, as far as it can be told from here. What cannot be
// read is no permission.
bool may_take_risk(const Snapshot& s) {
  const TradingFacts& t = s.trading;
  const bool all_halted = !t.halted || (*t.halted != 0 && *t.halted >= t.instruments);
  return t.active && !old_sheet(t) && !all_halted && t.account && !t.blocked && t.trouble.empty() &&
         kill_switch_of(t) == KillSwitch::kOff && is_live(s, kRiskRole) &&
         is_live(s, kGatewayRole) && !s.removed_age_ns;
}

void add_trading(const Snapshot& s, Words& words) {
  const TradingFacts& t = s.trading;
  if (t.sheet_unreadable)
    return words.add("limit sheet UNREADABLE", Style::kAlarm);
  if (t.state.empty())
    return words.add("no limit sheet", Style::kNote);
  words.add((s.removed_age_ns ? "trading was " : "trading ") + t.state,
            may_take_risk(s) ? Style::kGood : Style::kNote);
}

void add_kills(const Snapshot& s, const View& view, Words& words) {
  constexpr std::size_t kShown = 4;
  const TradingFacts& t = s.trading;
  if (kill_switch_of(t) == KillSwitch::kOff) {
    return s.removed_age_ns ? words.add("kill switch was off", Style::kNote)
                            : words.add("kill switch off", Style::kDim);
  }
  if (t.operator_trip_cut)
    words.add("KILLED: trip.operator was cut", Style::kAlarm);
  for (std::size_t i = 0; i < std::min(t.kills.size(), kShown); ++i) {
    const KillFacts& k = t.kills[i];
    words.add(fmt::format("KILLED by {}: {} ({})", k.by, k.words, k.scope), Style::kAlarm);
  }
  if (t.kills.size() > kShown)
    words.add(fmt::format("and {} kill words more", t.kills.size() - kShown), Style::kAlarm);
  if (!t.kills_unread.empty())
    words.add(fmt::format("KILL WORDS UNREADABLE: {}", fmt::join(t.kills_unread, ", ")),
              Style::kAlarm);
  if (t.kill_stamp_age_ns) {
    words.add("nothing leaves since " + duration_text(*t.kill_stamp_age_ns, view.utf8),
              Style::kNote);
  }
}

void add_stages(const Snapshot& s, Words& words) {
  std::map<StageCondition, std::vector<std::string>> stages;
  for (const StageFacts& stage : s.stages) {
    if (is_alarming(stage.condition))
      stages[stage.condition].push_back(stage.name);
  }
  const bool all =
      !s.stages.empty() && stages.size() == 1 && stages.begin()->second.size() == s.stages.size();
  for (const auto& [condition, names] : stages)
    words.add(fmt::format("{}: {}", to_string(condition),
                          all ? "all stages" : fmt::format("{}", fmt::join(names, ", "))),
              Style::kAlarm);
}

// What a gateway that does not run left at the venue.
void add_left_orders(const Snapshot& s, Words& words) {
  const bool no_gateway =
      std::any_of(s.stages.begin(), s.stages.end(), [](const StageFacts& stage) {
        return stage.name == kGatewayRole && is_alarming(stage.condition);
      });
  if (!no_gateway)
    return;
  const std::uint64_t left = s.trading.working + s.trading.in_flight + s.trading.unknown;
  if (!s.trading.account)
    words.add("unknown whether orders still work at the venue", Style::kAlarm);
  else if (left != 0)
    words.add(fmt::format("{} orders may still work at the venue", left), Style::kAlarm);
}

template <class Pred>
void add_rings(const Snapshot& s, const char* what, Pred&& alarms, Words& words) {
  std::vector<std::string> names;
  for (const RingFacts& ring : s.rings) {
    if (alarms(ring))
      names.push_back(ring.name);
  }
  constexpr std::size_t kShown = 3;
  const std::size_t more = names.size() - std::min(names.size(), kShown);
  names.resize(names.size() - more);
  if (!names.empty())
    words.add(fmt::format("{}: {}{}", what, fmt::join(names, ", "),
                          more == 0 ? "" : fmt::format(" and {} rings more", more)),
              Style::kAlarm);
}

// Panels can be scrolled away; what is wrong in them is said here as well.
void add_alarms(const Snapshot& s, Words& words) {
  add_stages(s, words);
  add_left_orders(s, words);
  const auto broken = std::count_if(s.rings.begin(), s.rings.end(), [](const RingFacts& ring) {
    return ring.broken || !ring.trouble.empty();
  });
  if (broken != 0)
    words.add(fmt::format("{} of {} rings broken", broken, s.rings.size()), Style::kAlarm);
  add_rings(
      s, "CUT OFF", [](const RingFacts& ring) { return ring.detached; }, words);
  add_rings(s, "LOST RECORDS", broke_its_promise, words);
  add_rings(s, "nearly full", nearly_full, words);
  if (const std::uint64_t n = s.trading.halted.value_or(0); n != 0)
    words.add(fmt::format("{} instrument{} no new risk", n, n == 1 ? " takes" : "s take"),
              Style::kAlarm);
  for (const std::string& trouble : s.trading.trouble)
    words.add(trouble, Style::kAlarm);
}

void add_account(const TradingFacts& t, Words& words) {
  if (t.account_unreadable)
    return words.add("account UNREADABLE", Style::kAlarm);
  if (!t.account)
    return words.add("no account row yet", Style::kDim);
  if (t.blocked)
    words.add("ACCOUNT BLOCKED", Style::kAlarm);
  words.add(t.stream_proven ? "stream proven" : "stream unproven",
            t.stream_proven ? Style::kDim : Style::kNote);
  words.add("cash " + short_decimal(t.cash, 2));
  words.add(fmt::format("{} orders, {} working, {} in flight", t.orders, t.working, t.in_flight));
  if (t.unknown != 0)
    words.add(fmt::format("{} with unknown outcome", t.unknown), Style::kAlarm);
  words.add(fmt::format("{} fills", t.executions));
  if (t.fees_pending != 0)
    words.add(fmt::format("{} fees pending", t.fees_pending), Style::kDim);
}

void add_refusals(const TradingFacts& t, Words& words) {
  constexpr std::size_t kShown = 4;
  if (t.refusals.empty())
    return;
  std::string text = "refused:";
  for (std::size_t i = 0; i < std::min(t.refusals.size(), kShown); ++i)
    text += fmt::format(" {} {}", count_text(t.refusals[i].second), t.refusals[i].first);
  if (t.refusals.size() > kShown)
    text += fmt::format(" and {} reasons more", t.refusals.size() - kShown);
  words.add(std::move(text), Style::kDim);
}

}  // namespace

std::vector<Line> head_lines(const Snapshot& s, const View& view) {
  std::vector<Line> lines;
  Words words(lines, view);
  const std::vector<std::string> no_room_above = add_title(s, view, words);
  words.next_line();
  if (nothing_to_show(s)) {
    words.add(s.problem, Style::kAlarm);
    return lines;
  }
  if (s.removed_age_ns) {
    words.add("layout removed " + duration_text(*s.removed_age_ns, view.utf8) +
                  " ago; this was its last picture",
              Style::kAlarm);
    words.next_line();
  }
  add_trading(s, words);
  add_kills(s, view, words);
  add_alarms(s, words);
  if (!s.problem.empty())
    words.add(s.problem, Style::kNote);
  const TradingFacts& t = s.trading;
  if (t.sheet_age_ns) {
    words.add("limit sheet " + duration_text(*t.sheet_age_ns, view.utf8) + " old",
              old_sheet(t) ? Style::kNote : Style::kDim);
  }
  add_account(t, words);
  add_refusals(t, words);
  for (const std::string& text : no_room_above)
    words.add(text, Style::kDim);
  return lines;
}

}  // namespace sluice::top
