#include "tools/shm_top/frame.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "tools/shm_top/head.hpp"
#include "tools/shm_top/panels.hpp"
#include "tools/shm_top/text.hpp"

namespace sluice::top {
namespace {

constexpr std::size_t kLeastRows = 3;  // of a panel that has them and is shown at all
constexpr std::size_t kUnbounded = 1'000'000;

// ---- the panels ----

struct Block {
  Panel panel{};
  TableLines table;
  std::size_t total{0};  // rows before the filter

  [[nodiscard]] std::size_t lines(std::size_t rows) const {
    return 1 + (table.rows.empty() ? 1 : table.head.size() + std::min(rows, table.rows.size()));
  }
  [[nodiscard]] std::size_t wanted() const { return lines(table.rows.size()); }
  [[nodiscard]] std::size_t least() const { return lines(kLeastRows); }
};

std::size_t all_rows(Panel panel, const Snapshot& s) {
  const std::array<std::size_t, kPanels> counts{s.stages.size(), s.rings.size(), s.latencies.size(),
                                                s.limits.size(), s.errors.size()};
  return counts[static_cast<std::size_t>(panel)];
}

Block make_block(Panel panel, const Snapshot& snapshot, const View& view, std::size_t width) {
  return {.panel = panel,
          .table = layout(panel_table(panel, snapshot, view), width, view.utf8),
          .total = all_rows(panel, snapshot)};
}

// How many lines each block gets: all it wants where that fits; otherwise its least, the chosen
// panel first, then in order; then the rest. 0: left out.
std::vector<std::size_t> share_out(const std::vector<Block>& blocks, Panel chosen,
                                   std::size_t height) {
  std::vector<std::size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return (blocks[a].panel == chosen) > (blocks[b].panel == chosen);
  });
  std::vector<std::size_t> given(blocks.size(), 0);
  std::size_t left = height;
  for (const std::size_t i : order) {
    const std::size_t part = std::min(blocks[i].least(), left);
    // A title without a row says nothing.
    given[i] = part > blocks[i].table.head.size() + 1 || part == blocks[i].least() ? part : 0;
    left -= given[i];
  }
  // The chosen panel first; the others take turns, so that a long one does not hide the rest.
  for (bool more = true; more && left != 0;) {
    more = false;
    for (const std::size_t i : order) {
      const std::size_t wanted = given[i] == 0 ? 0 : blocks[i].wanted() - given[i];
      const std::size_t part =
          std::min({wanted, left, blocks[i].panel == chosen ? wanted : std::size_t{1}});
      given[i] += part;
      left -= part;
      more = more || part != 0;
    }
  }
  return given;
}

Line title_line(const Block& block, const View& view, std::size_t first, std::size_t shown,
                std::size_t width) {
  const std::string dash = view.utf8 ? "─" : "-";
  const bool chosen = view.panel == block.panel;
  const std::size_t rows = block.table.rows.size();
  std::string count = std::to_string(rows);
  if (shown < rows)
    count = fmt::format("{}-{} of {}", first + 1, first + shown, rows);
  if (rows < block.total)
    count += fmt::format(", filtered from {}", block.total);
  Line line{{dash, Style::kDim},
            {" ", Style::kPlain},
            {to_string(block.panel), chosen ? Style::kChosen : Style::kTitle},
            {" " + count + " ", Style::kDim}};
  std::string rest;
  for (std::size_t i = width_of(line); i < width; ++i)
    rest += dash;
  line.push_back({std::move(rest), Style::kDim});
  return line;
}

std::vector<Line> block_lines(const Block& block, View& view, std::size_t given,
                              std::size_t width) {
  std::vector<Line> out;
  if (given == 0)
    return out;
  const std::vector<Line>& rows = block.table.rows;
  const std::size_t over = 1 + block.table.head.size();
  const std::size_t room = given > over ? given - over : 0;
  const std::size_t shown = std::min(room, rows.size());
  std::size_t& scroll = view.scroll_of(block.panel);
  scroll = std::min(scroll, rows.size() - shown);
  out.push_back(fit(title_line(block, view, scroll, shown, width), width, view.utf8));
  if (rows.empty()) {
    out.push_back(fit({{"  none", Style::kDim}}, width, view.utf8));
    return out;
  }
  out.insert(out.end(), block.table.head.begin(), block.table.head.end());
  const auto from = rows.begin() + static_cast<std::ptrdiff_t>(scroll);
  out.insert(out.end(), from, from + static_cast<std::ptrdiff_t>(shown));
  return out;
}

// Names the panels for which there was no room; empty when there is none.
std::string hidden_text(const std::vector<Block>& blocks, const std::vector<std::size_t>& given) {
  std::string out;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (given[i] != 0)
      continue;
    out += fmt::format("{}{}", out.empty() ? "below: " : ", ", to_string(blocks[i].panel));
    if (const std::size_t rows = blocks[i].table.rows.size(); rows != 0)
      out += fmt::format(" ({})", rows);
  }
  return out;
}

std::vector<Line> column_lines(const std::vector<Panel>& panels, const Snapshot& snapshot,
                               View& view, std::size_t width, std::size_t height) {
  std::vector<Block> blocks;
  blocks.reserve(panels.size());
  for (const Panel panel : panels)
    blocks.push_back(make_block(panel, snapshot, view, width));
  std::vector<std::size_t> given = share_out(blocks, view.panel, height);
  const bool hides = height > 1 && !hidden_text(blocks, given).empty();
  if (hides)  // again, with a line less: room to say so
    given = share_out(blocks, view.panel, height - 1);
  std::vector<Line> out;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    for (Line& line : block_lines(blocks[i], view, given[i], width))
      out.push_back(std::move(line));
  }
  if (hides)
    out.push_back(fit({{hidden_text(blocks, given), Style::kNote}}, width, view.utf8));
  return out;
}

std::vector<Line> body_lines(const Snapshot& snapshot, View& view, std::size_t height) {
  using enum Panel;
  if (view.zoomed)
    return column_lines({view.panel}, snapshot, view, view.width, height);
  if (view.width < kTwoColumnsWidth)
    return column_lines({kStages, kRings, kLatency, kLimits, kErrors}, snapshot, view, view.width,
                        height);
  constexpr std::size_t kGutter = 3;
  const std::size_t right_width = (view.width - kGutter) * 9 / 20;
  const std::size_t left_width = view.width - kGutter - right_width;
  std::vector<Line> left = column_lines({kStages, kRings}, snapshot, view, left_width, height);
  std::vector<Line> right =
      column_lines({kLatency, kLimits, kErrors}, snapshot, view, right_width, height);
  left.resize(std::max(left.size(), right.size()));
  for (std::size_t i = 0; i < right.size(); ++i) {
    left[i] = fit(std::move(left[i]), left_width + kGutter, view.utf8);
    for (Span& span : right[i])
      left[i].push_back(std::move(span));
  }
  return left;
}

std::vector<Line> help_lines() {
  std::vector<Line> lines{{{"Keys", Style::kTitle}}, {}};
  for (const auto& [keys, what] : kKeyHelp)
    lines.push_back(
        {{fmt::format("  {:<44}", keys), Style::kName}, {std::string(what), Style::kPlain}});
  lines.push_back({});
  lines.push_back({{"What the columns mean: docs/shm-top.md", Style::kDim}});
  return lines;
}

Line foot_line(const View& view) {
  if (view.filtering)
    return {{"filter: " + view.filter + "_", Style::kNote},
            {"   Enter keeps, Esc drops", Style::kDim}};
  Line line{
      {"q quit  Tab panel  Enter alone  s sort  / filter  p pause  r reset  ? help", Style::kDim}};
  if (!view.filter.empty())
    line.insert(line.begin(), {"rows with '" + view.filter + "'   ", Style::kNote});
  return line;
}

}  // namespace

std::vector<Line> draw(const Snapshot& snapshot, View& view) {
  std::vector<Line> lines = head_lines(snapshot, view);
  const bool bounded = view.height != 0;
  // On a small screen the head may not take what the panels need. Its first lines are those that
  // must be seen.
  if (bounded && lines.size() + 6 > view.height)
    lines.resize(std::min(lines.size(), std::max<std::size_t>(3, view.height / 3)));
  const std::size_t taken = lines.size() + (bounded ? 1 : 0);
  const std::size_t room = !bounded ? kUnbounded : view.height - std::min(taken, view.height);
  std::vector<Line> body;
  if (view.help) {
    body = help_lines();
  } else if (snapshot.problem.empty() || snapshot.removed_age_ns) {
    body = body_lines(snapshot, view, room);
  }
  if (bounded)
    body.resize(room);
  for (Line& line : body)
    lines.push_back(std::move(line));
  // A frame among frames has no foot, but rows that a filter hides are never missing silently.
  if (bounded || view.filtering || !view.filter.empty())
    lines.push_back(foot_line(view));
  if (bounded)
    lines.resize(view.height);
  for (Line& line : lines) {
    if (width_of(line) > view.width)
      line = fit(std::move(line), view.width, view.utf8);
  }
  return lines;
}

}  // namespace sluice::top
