// What is recorded of a task, and what a task is known by.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "supervisor/core/tasks/task.hpp"

namespace corral::state {

/// 128 bits of a line's bytes.
using LineHash = std::array<char, 16>;
[[nodiscard]] LineHash hash_line(std::string_view bytes, bool too_long);

/// A line, and how many of the same came before it in the input: not where it stands, so that an edited input finds its own.
struct TaskKey {
  LineHash hash{};
  std::uint64_t occurrence = 0;
  std::int64_t failed_row = 0;  ///< It has failed before, and this row says so; 0: it has not.
};

/// What a row says, however it is held. `status` is not among it: that changes.
struct RowContent {
  std::string_view hash;
  std::uint64_t occurrence = 0;
  std::uint64_t line = 0;
  std::string_view result;
  std::optional<std::string_view> output;
  std::optional<std::string_view> task;
};
/// Kept beside it: SQLite does not notice when a disk has changed a byte.
[[nodiscard]] std::int64_t sum_of(const RowContent& row);

struct TaskRow {
  TaskKey key;
  std::uint64_t line = 0;  ///< Its number in the input of the run that recorded it.
  core::Outcome outcome = core::Outcome::done;
  std::string result;                 ///< As a line of JSON.
  std::optional<std::string> output;  ///< What the results file gets, where that is something else (--raw).
  std::optional<std::string> task;    ///< Its bytes, unless it is done: to be run again.

  [[nodiscard]] std::string_view written() const { return output ? *output : result; }
  [[nodiscard]] std::size_t size() const {
    constexpr std::size_t overhead = 160;
    return overhead + result.size() + (output ? output->size() : 0) + (task ? task->size() : 0);
  }
};

}  // namespace corral::state
