// How far the tasks are, for people: a line on a terminal, a sentence elsewhere. Pure text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/instant.hpp"
#include "supervisor/core/tasks/task.hpp"

namespace corral::shell {

enum class ProgressStyle : std::uint8_t {
  none,
  sentences,  ///< One every ten seconds.
  line,       ///< One that is drawn anew, on a terminal.
};

struct ProgressFacts {
  core::TaskCounts counts;
  std::optional<double> taken;  ///< The share of the input that has been taken, 0 to 1; nothing where its size is not known.
  Duration elapsed{};
  std::string cells;        ///< A character for each worker.
  std::uint64_t known = 0;  ///< Tasks that were recorded by an earlier run.
};

/// What is left, by what has been done so far; nothing where that says nothing yet.
[[nodiscard]] std::optional<Duration> time_left(const ProgressFacts& facts);
/// "512 tasks done, 3 failed, 120 a second, about 12 s left".
[[nodiscard]] std::string progress_sentence(const ProgressFacts& facts);
/// "[#####.....] 51% 512 done, 3 failed, 120/s, 12 s left |##-#|", at most `width` columns; "|60# 4-|" where the cells are too
/// many.
[[nodiscard]] std::string progress_line(const ProgressFacts& facts, std::size_t width);

}  // namespace corral::shell
