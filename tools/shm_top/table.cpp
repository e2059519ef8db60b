#include "tools/shm_top/table.hpp"

#include <algorithm>
#include <numeric>

#include "tools/shm_top/text.hpp"

namespace sluice::top {
namespace {

constexpr std::size_t kBetween = 2;

struct Placed {
  std::size_t column;
  std::size_t width;
};

std::size_t total(const std::vector<Placed>& placed) {
  const std::size_t gaps = placed.empty() ? 0 : (placed.size() - 1) * kBetween;
  return std::accumulate(placed.begin(), placed.end(), gaps,
                         [](std::size_t sum, const Placed& p) { return sum + p.width; });
}

std::vector<Placed> natural_widths(const Table& table) {
  std::vector<Placed> placed;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    std::size_t width = std::max(width_of(table.columns[i].title), table.columns[i].least);
    for (const auto& row : table.rows)
      width = std::max(width, width_of(row[i]));
    placed.push_back({i, width});
  }
  return placed;
}

// Narrows what may be narrowed, the widest first by what it has to give.
void narrow(const Table& table, std::vector<Placed>& placed, std::size_t width) {
  for (Placed& p : placed) {
    const std::size_t over = total(placed) - std::min(total(placed), width);
    const Column& column = table.columns[p.column];
    const std::size_t least = std::max(column.least, width_of(column.title));
    if (over != 0 && column.narrows && p.width > least)
      p.width -= std::min(over, p.width - least);
  }
}

// The columns that stay, then each other one by its rank if it fits: one too wide does not keep
// those behind it out.
std::vector<Placed> place(const Table& table, std::size_t width) {
  const std::vector<Placed> all = natural_widths(table);
  std::vector<std::size_t> ranked(all.size());
  std::iota(ranked.begin(), ranked.end(), std::size_t{0});
  std::stable_sort(ranked.begin(), ranked.end(), [&](std::size_t a, std::size_t b) {
    return table.columns[a].priority < table.columns[b].priority;
  });
  std::vector<Placed> placed;
  for (const std::size_t i : ranked) {
    std::vector<Placed> more = placed;
    more.insert(std::upper_bound(more.begin(), more.end(), i,
                                 [](std::size_t a, const Placed& p) { return a < p.column; }),
                all[i]);
    std::vector<Placed> narrowed = more;
    narrow(table, narrowed, width);
    if (table.columns[i].priority == 0 || total(narrowed) <= width)
      placed = std::move(more);
  }
  narrow(table, placed, width);
  return placed;  // what still stands over is cut
}

Line pad(Line line, std::size_t width, bool right, bool utf8) {
  if (width_of(line) >= width)
    return fit(std::move(line), width, utf8);
  const Span blank{std::string(width - width_of(line), ' '), Style::kPlain};
  line.insert(right ? line.begin() : line.end(), blank);
  return line;
}

// The cell as the column shows it in that width, which may still be too narrow for it.
Line shown(const Cell& cell, const Column& column, std::size_t width) {
  Line line = cell;
  if (column.drops_kind && width_of(line) > width && !line.empty())
    line.front().text = without_kind(line.front().text);
  return line;
}

void append(Line& line, Line more) {
  for (Span& span : more)
    line.push_back(std::move(span));
}

Line head_line(const Table& table, const std::vector<Placed>& placed, bool utf8) {
  Line line;
  for (const Placed& p : placed) {
    const Column& column = table.columns[p.column];
    const bool sorted = column.sort != Column::kUnsorted && column.sort == table.sort;
    if (!line.empty())
      line.push_back({std::string(kBetween, ' '), Style::kPlain});
    append(line, pad(cell(column.title, sorted ? Style::kSorted : Style::kHead), p.width,
                     column.right, utf8));
  }
  return line;
}

// The shared headings, centred over their columns; empty when no column has one.
Line group_line(const Table& table, const std::vector<Placed>& placed, bool utf8) {
  Line line;
  bool any = false;
  for (std::size_t i = 0; i < placed.size();) {
    const std::string& group = table.columns[placed[i].column].group;
    std::size_t width = placed[i].width;
    std::size_t next = i + 1;
    for (; next < placed.size() && !group.empty() &&
           table.columns[placed[next].column].group == group;
         ++next)
      width += kBetween + placed[next].width;
    if (!line.empty())
      line.push_back({std::string(kBetween, ' '), Style::kPlain});
    std::string text = cut(group, width, utf8);
    if (!text.empty() && width_of(text) + 2 <= width) {
      const std::size_t rest = width - width_of(text) - 2;
      std::string left;
      std::string right;
      for (std::size_t n = 0; n < rest; ++n)
        (n < rest / 2 ? left : right) += utf8 ? "─" : "-";
      text = left.append(" ").append(text).append(" ").append(right);
    }
    any = any || !group.empty();
    append(line, pad(cell(std::move(text), Style::kDim), width, false, utf8));
    i = next;
  }
  return any ? line : Line{};
}

}  // namespace

std::size_t width_of(const Line& line) noexcept {
  return std::accumulate(line.begin(), line.end(), std::size_t{0},
                         [](std::size_t sum, const Span& s) { return sum + width_of(s.text); });
}

std::string text_of(const Line& line) {
  return std::accumulate(line.begin(), line.end(), std::string{},
                         [](std::string text, const Span& s) { return text += s.text; });
}

std::string text_without_trailing_blanks(const Line& line) {
  std::string text = text_of(line);
  text.resize(text.find_last_not_of(' ') + 1);
  return text;
}

Line fit(Line line, std::size_t width, bool utf8) {
  const std::size_t has = width_of(line);
  if (has < width)
    line.push_back({std::string(width - has, ' '), Style::kPlain});
  if (has <= width)
    return line;
  Line out;
  std::size_t left = width;
  for (Span& span : line) {
    const std::size_t here = width_of(span.text);
    if (here < left) {
      left -= here;
      out.push_back(std::move(span));
      continue;
    }
    // The mark of the cut also stands where a span ends exactly at the width, for more follows.
    out.push_back({cut(span.text + " ", left, utf8), span.style});
    break;
  }
  return out;
}

TableLines layout(const Table& table, std::size_t width, bool utf8) {
  const std::vector<Placed> placed = place(table, width);
  TableLines out;
  if (Line group = group_line(table, placed, utf8); !group.empty())
    out.head.push_back(fit(std::move(group), width, utf8));
  out.head.push_back(fit(head_line(table, placed, utf8), width, utf8));
  for (const auto& row : table.rows) {
    Line line;
    for (const Placed& p : placed) {
      if (!line.empty())
        line.push_back({std::string(kBetween, ' '), Style::kPlain});
      const Column& column = table.columns[p.column];
      append(line, pad(shown(row[p.column], column, p.width), p.width, column.right, utf8));
    }
    out.rows.push_back(fit(std::move(line), width, utf8));
  }
  return out;
}

}  // namespace sluice::top
