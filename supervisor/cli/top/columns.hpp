// The table of workers: which columns fit into a width, and what stands in them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "supervisor/cli/top/model.hpp"
#include "supervisor/cli/top/painter.hpp"

namespace corral::cli::top {

/// In the order in which they stand.
enum class Field : std::uint8_t { cores, worker, state, bar, cpu, memory, tasks, restarts, uptime, pid, event };

struct Column {
  Field field;
  std::size_t width;
};

/// In the order in which they stand. The worker's name and its state are always among them; the others come in the order
/// of their worth while there is room.
[[nodiscard]] std::vector<Column> choose_columns(const Model& model, const Look& look);

[[nodiscard]] Line title_line(const std::vector<Column>& columns);
[[nodiscard]] Line row_line(const Row& row, const std::vector<Column>& columns, bool selected, const Look& look);

}  // namespace corral::cli::top
