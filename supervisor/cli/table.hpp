// A table for people: columns as wide as their widest cell.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace corral::cli {

enum class Column : std::uint8_t { text, number };  ///< Text stands left, a number right.

class Table {
 public:
  explicit Table(std::vector<Column> columns);

  /// The next cells, row after row. As bytes: a character of two is counted as two.
  void add(std::string_view cell);
  void add(std::initializer_list<std::string_view> cells);

  [[nodiscard]] std::size_t rows() const { return ends_.size() / columns_.size(); }

  /// Row `row`, without blanks and a new line at its end, after what is in `out`.
  void append_row(std::string& out, std::size_t row) const;

  /// All of it, each row with its end of line.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::size_t> widths_;
  std::string cells_;  ///< One after the other: thousands of strings, made to be copied once, took most of a status.
  std::vector<std::size_t> ends_;
};

}  // namespace corral::cli
