// Lines of styled text, and tables that fit themselves into a width. Pure.
//
// No line is ever wider than asked: columns are narrowed, then left out by their priority, and what
// still stands over is cut.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::top {

enum class Style : std::uint8_t {
  kPlain,
  kDim,
  kTitle,   // of a panel
  kChosen,  // of the panel that keys mean
  kHead,    // of a column
  kSorted,  // of the column that orders the rows
  kName,
  kGood,
  kNote,   // worth a look
  kAlarm,  // the only red
  kBar,
};

struct Span {
  std::string text;
  Style style{Style::kPlain};
};
using Line = std::vector<Span>;

[[nodiscard]] std::size_t width_of(const Line& line) noexcept;
[[nodiscard]] std::string text_of(const Line& line);
[[nodiscard]] std::string text_without_trailing_blanks(const Line& line);
// The line, cut or padded with blanks to exactly `width`.
[[nodiscard]] Line fit(Line line, std::size_t width, bool utf8);

struct Column {
  std::string title;
  bool right{false};
  std::uint8_t priority{0};  // higher is left out earlier; 0 stays
  std::size_t least{0};      // never narrower while it is shown (numbers come and go)
  bool narrows{false};       // may be cut down to `least` before anything is left out
  bool drops_kind{false};    // what does not fit loses its kind (without_kind) before it is cut
  std::string group{};       // columns side by side with the same group share a heading
  std::size_t sort{kUnsorted};
  static constexpr std::size_t kUnsorted = 99;
};

using Cell = Line;
[[nodiscard]] inline Cell cell(std::string text, Style style = Style::kPlain) {
  return {{std::move(text), style}};
}

struct Table {
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;  // one cell per column
  std::size_t sort{Column::kUnsorted};  // of the columns, which orders the rows
};

struct TableLines {
  std::vector<Line> head;
  std::vector<Line> rows;
};
[[nodiscard]] TableLines layout(const Table& table, std::size_t width, bool utf8);

}  // namespace sluice::top
