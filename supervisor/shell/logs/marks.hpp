// When the lines of a log were written, to a second: lines of a plain file do not say.
//
// Beside NAME stands .NAME.times, with a line "milliseconds offset" for each second in which something was written: what lies
// behind that offset, up to the next mark, was written in that second. It moves on with its file. Losing it costs `--since` its
// precision and nothing else, so nobody is told of a mark that could not be made.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace corral::logs {

inline constexpr std::int64_t mark_length_ms = 1000;

struct Mark {
  std::int64_t time_ms = 0;
  std::uint64_t offset = 0;
};

[[nodiscard]] std::string marks_name(const std::string& name);

/// `afresh`: the file is new, marks that are there are those of another.
void append_mark(const std::string& path, Mark mark, bool afresh);

/// In the order of the file; none where there are none. What is not in order is left out.
[[nodiscard]] std::vector<Mark> read_marks(const std::string& path);

}  // namespace corral::logs
