#include "supervisor/cli/table.hpp"

#include <algorithm>

namespace corral::cli {

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)), widths_(columns_.size()) {}

void Table::add(std::string_view cell) {
  std::size_t& width = widths_[ends_.size() % columns_.size()];
  width = std::max(width, cell.size());
  cells_ += cell;
  ends_.push_back(cells_.size());
}

void Table::add(std::initializer_list<std::string_view> cells) {
  for (const std::string_view cell : cells) {
    add(cell);
  }
}

void Table::append_row(std::string& out, std::size_t row) const {
  constexpr std::size_t between = 2;
  std::size_t owed = 0;  // Blanks that stand only before something.
  for (std::size_t column = 0; column < columns_.size(); ++column) {
    const std::size_t cell = row * columns_.size() + column;
    const std::size_t begin = cell == 0 ? 0 : ends_[cell - 1];
    const std::size_t size = ends_[cell] - begin;
    const std::size_t rest = widths_[column] - size;
    const bool right = columns_[column] == Column::number;
    if (size > 0) {
      out.append(owed + (right ? rest : 0), ' ').append(cells_, begin, size);
      owed = 0;
    }
    owed += between + (right && size > 0 ? 0 : rest);
  }
}

std::string Table::text() const {
  std::string all;
  for (std::size_t row = 0; row < rows(); ++row) {
    append_row(all, row);
    all += '\n';
  }
  return all;
}

}  // namespace corral::cli
