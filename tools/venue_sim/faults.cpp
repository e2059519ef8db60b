#include "tools/venue_sim/faults.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>
#include <utility>

namespace sluice::sim {
namespace {

constexpr std::size_t kMaxRules = 64;
constexpr std::int64_t kMaxMs = 3'600'000;

template <class... Sites>
constexpr std::uint32_t bits(Sites... sites) noexcept {
  return ((1U << static_cast<unsigned>(sites)) | ... | 0U);
}

constexpr std::uint32_t kChanges = bits(FaultSite::kPost, FaultSite::kPatch, FaultSite::kDelete);
constexpr std::uint32_t kReads =
    bits(FaultSite::kOrder, FaultSite::kOrders, FaultSite::kPositions, FaultSite::kAccount,
         FaultSite::kActivities, FaultSite::kOther);
constexpr std::uint32_t kLists =
    bits(FaultSite::kOrders, FaultSite::kPositions, FaultSite::kAccount, FaultSite::kActivities);
constexpr std::uint32_t kRest = kChanges | kReads;
constexpr std::uint32_t kStreams = bits(FaultSite::kTrading, FaultSite::kMarket);

constexpr std::pair<std::string_view, std::uint32_t> kSiteWords[] = {
    {"post", bits(FaultSite::kPost)},         {"patch", bits(FaultSite::kPatch)},
    {"delete", bits(FaultSite::kDelete)},     {"order", bits(FaultSite::kOrder)},
    {"orders", bits(FaultSite::kOrders)},     {"positions", bits(FaultSite::kPositions)},
    {"account", bits(FaultSite::kAccount)},   {"activities", bits(FaultSite::kActivities)},
    {"other", bits(FaultSite::kOther)},       {"rest", kRest},
    {"trading", bits(FaultSite::kTrading)},   {"market", bits(FaultSite::kMarket)},
    {"arrivals", bits(FaultSite::kArrivals)}, {"fills", bits(FaultSite::kFills)},
    {"cancels", bits(FaultSite::kCancels)},
};

// What a kind is called, where it makes sense, and the value it cannot do without.
struct Word {
  std::string_view word;
  FaultKind kind;
  std::uint32_t sites;
  std::string_view needs;
};
constexpr Word kFaultWords[] = {
    {"delay", FaultKind::kDelay, kRest | kStreams, "ms"},
    {"lose-answer", FaultKind::kLoseAnswer, kRest, ""},
    {"cut-answer", FaultKind::kCutAnswer, kRest, ""},
    {"false-answer", FaultKind::kFalseAnswer, kChanges, ""},
    {"drop", FaultKind::kDrop, kRest | kStreams, ""},
    {"error", FaultKind::kError, kRest, "status"},
    {"error-after", FaultKind::kErrorAfter, kRest, "status"},
    {"limit", FaultKind::kLimit, kRest, ""},
    {"hang", FaultKind::kHang, kRest, ""},
    {"stale", FaultKind::kStale, kLists, ""},
    {"duplicate", FaultKind::kDuplicate, kStreams, ""},
    {"reorder", FaultKind::kReorder, kStreams, ""},
    {"cut", FaultKind::kCut, kStreams, ""},
    {"mute", FaultKind::kMute, kStreams, ""},
    {"slow", FaultKind::kSlow, kStreams, "ms"},
    {"reject", FaultKind::kReject, bits(FaultSite::kArrivals), ""},
    {"split", FaultKind::kSplit, bits(FaultSite::kFills), "pieces"},
    {"late", FaultKind::kLate, bits(FaultSite::kCancels), "ms"},
};

template <class Table, class Name>
std::string names(const Table& table, Name name) {
  std::string out;
  for (const auto& entry : table) {
    out += (out.empty() ? "" : ", ") + std::string(name(entry));
  }
  return out;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  constexpr std::string_view kBlanks = " \t\r";
  for (;;) {
    const std::size_t begin = text.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) {
      return words;
    }
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.find_first_of(kBlanks), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

struct Range {
  std::int64_t low;
  std::int64_t high;
};

// The value of `text` when it is a whole number of the range.
std::optional<std::int64_t> number(std::string_view text, Range range) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole && value >= range.low && value <= range.high ? std::optional(value) : std::nullopt;
}

// Where a key's value goes, and what it may be.
std::optional<std::string> set_key(Faults::Rule& rule, std::string_view key,
                                   std::string_view value) {
  constexpr Range kCount{1, 1'000'000'000};
  const auto seconds = [](std::int64_t s) { return s * kNanosPerSecond; };
  FaultHit& hit = rule.hit;
  Range range{};
  const auto take = [&](Range allowed, auto&& assign) {
    range = allowed;
    const auto n = number(value, allowed);
    if (n) {
      assign(*n);
    }
    return n.has_value();
  };
  const auto into = [](auto& field) {
    return [&field](std::int64_t n) { field = static_cast<std::decay_t<decltype(field)>>(n); };
  };
  bool good = false;
  if (key == "every") {
    good = take(kCount, into(rule.every));
  } else if (key == "after") {
    good = take({0, kCount.high}, into(rule.after));
  } else if (key == "first") {
    good = take(kCount, into(rule.first));
  } else if (key == "chance") {
    good = take({1, 1000}, into(rule.chance));
  } else if (key == "from") {
    good = take({0, 86'400}, [&](std::int64_t n) { rule.from_ns = seconds(n); });
  } else if (key == "until") {
    good = take({1, 86'400}, [&](std::int64_t n) { rule.until_ns = seconds(n); });
  } else if (key == "ms") {
    good = take({1, kMaxMs}, into(hit.ms));
  } else if (key == "status" &&
             (hit.kind == FaultKind::kError || hit.kind == FaultKind::kErrorAfter)) {
    good = take({400, 599}, into(hit.number));
  } else if (key == "retry-after" && hit.kind == FaultKind::kLimit) {
    good = take({0, 3600}, into(hit.number));
  } else if (key == "back" && hit.kind == FaultKind::kStale) {
    good = take({1, 16}, into(hit.number));
  } else if (key == "pieces" && hit.kind == FaultKind::kSplit) {
    good = take({2, 100}, into(hit.number));
  } else if (key == "executed" && hit.kind == FaultKind::kHang) {
    good = take({0, 1}, into(hit.executed));
  } else {
    return "\"" + std::string(key) + "\" is no key of this fault";
  }
  if (!good) {
    return std::string(key) + "=" + std::string(value) + ": a whole number from " +
           std::to_string(range.low) + " to " + std::to_string(range.high) + " is needed";
  }
  return std::nullopt;
}

std::optional<std::string> parse_rule(std::string_view text, Faults::Rule& rule) {
  const auto words = words_of(text);
  const auto site = std::find_if(std::begin(kSiteWords), std::end(kSiteWords),
                                 [&](const auto& w) { return w.first == words[0]; });
  if (site == std::end(kSiteWords)) {
    return "\"" + std::string(words[0]) + "\" is no place for a fault; there are " +
           names(kSiteWords, [](const auto& w) { return w.first; });
  }
  const std::string_view what = words.size() > 1 ? words[1] : std::string_view{};
  const auto word = std::find_if(std::begin(kFaultWords), std::end(kFaultWords),
                                 [&](const Word& w) { return w.word == what; });
  if (word == std::end(kFaultWords)) {
    return "\"" + std::string(what) + "\" is no fault; there are " +
           names(kFaultWords, [](const Word& w) { return w.word; });
  }
  if ((site->second & word->sites) == 0) {
    return std::string(word->word) + " means nothing at " + std::string(site->first);
  }
  rule.sites = site->second & word->sites;
  rule.hit.kind = word->kind;
  rule.hit.number = word->kind == FaultKind::kStale ? 1U : 0U;
  bool has_needed = word->needs.empty();
  for (std::size_t i = 2; i < words.size(); ++i) {
    const std::size_t equals = words[i].find('=');
    if (equals == std::string_view::npos) {
      return "\"" + std::string(words[i]) + "\" is not key=value";
    }
    const std::string_view key = words[i].substr(0, equals);
    if (auto wrong = set_key(rule, key, words[i].substr(equals + 1))) {
      return wrong;
    }
    has_needed = has_needed || key == word->needs;
  }
  if (!has_needed) {
    return std::string(word->word) + " needs " + std::string(word->needs) + "=";
  }
  return std::nullopt;
}

std::string_view without_comment(std::string_view line) {
  return line.substr(0, std::min(line.find('#'), line.size()));
}

}  // namespace

std::optional<std::string> Faults::set(std::string_view script, WallNanos now) {
  std::vector<Rule> rules;
  std::string_view rest = script == "off" ? std::string_view{} : script;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find_first_of(";\n"), rest.size());
    const std::string_view text = without_comment(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (words_of(text).empty()) {
      continue;
    }
    Rule rule;
    rule.text = text;
    if (auto wrong = parse_rule(text, rule)) {
      return "fault \"" + rule.text + "\": " + *wrong;
    }
    rules.push_back(std::move(rule));
    if (rules.size() > kMaxRules) {
      return "a script has at most " + std::to_string(kMaxRules) + " rules";
    }
  }
  rules_ = std::move(rules);
  set_at_ = now;
  sites_ = 0;
  for (const Rule& rule : rules_) {
    sites_ |= rule.sites;
  }
  return std::nullopt;
}

std::optional<FaultHit> Faults::strike(FaultSite site, WallNanos now) noexcept {
  if (!concerns(site)) {
    return std::nullopt;
  }
  const std::int64_t since = now.ns - set_at_.ns;
  std::optional<FaultHit> hit;
  for (Rule& rule : rules_) {
    if ((rule.sites & bit(site)) == 0) {
      continue;
    }
    ++rule.seen;
    const bool due = since >= rule.from_ns && (rule.until_ns == 0 || since < rule.until_ns) &&
                     rule.seen > rule.after && (rule.seen - rule.after) % rule.every == 0 &&
                     (rule.first == 0 || rule.struck < rule.first);
    if (hit || !due || (rule.chance < 1000 && random() % 1000 >= rule.chance)) {
      continue;
    }
    ++rule.struck;
    hit = rule.hit;
  }
  return hit;
}

// splitmix64 (Steele, Lea, Flood 2014).
std::uint64_t Faults::random() noexcept {
  std::uint64_t x = seed_ + 0x9E3779B97F4A7C15ULL * ++drawn_;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

}  // namespace sluice::sim
