// What workers wrote -> what stands in a log file.
//
// Every line ends with a line break, also a last one that had none. A piece of a longer line (common/wire/block_splitter.hpp) is
// a line of its own with a mark: in a plain file it ends with a backslash; only pieces are that long, so that nobody else's line
// can be taken for one. With names the mark is `crunch/0 > ` in place of `crunch/0 | `, in JSON "goes_on". Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "supervisor/shell/logs/target.hpp"

namespace corral::logs {

/// Consecutive bytes of one worker's stream.
struct Piece {
  std::size_t size = 0;
  std::uint32_t worker = 0;  ///< Its index.
  bool err = false;
  bool goes_on = false;
  std::int64_t time_ms = 0;  ///< Wall clock, when it was read.
};

/// A plain file's bytes.
void append_plain(std::string& out, std::string_view bytes, bool goes_on);

/// `bytes` holds the pieces one after another.
void append_formatted(std::string& out, const Target& target, std::string_view bytes, const std::vector<Piece>& pieces);

/// Since 1970, for people.
[[nodiscard]] std::int64_t wall_ms();

/// "2026-01-31T12:00:00.123Z".
[[nodiscard]] std::string time_text(std::int64_t time_ms);

/// Lines that `bytes` hold, a last one without a break too.
[[nodiscard]] std::uint64_t count_lines(std::string_view bytes);

}  // namespace corral::logs
