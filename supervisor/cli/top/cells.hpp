// Text as cells of a terminal: what it shows, how wide that is, and what must never reach one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace corral::cli::top {

/// Cells that the valid UTF-8 text takes: 2 for wide characters, 0 for combining ones.
[[nodiscard]] std::size_t width_of(std::string_view text);

/// Control characters, invalid bytes and what changes the direction of writing as \xNN; without `utf8` everything but ASCII.
[[nodiscard]] std::string printable(std::string_view text, bool utf8);

/// At most so many cells of it; where something is cut off, the last one says so: '~'.
[[nodiscard]] std::string clipped(std::string_view text, std::size_t cells);

/// Exactly so many cells.
[[nodiscard]] std::string padded(std::string_view text, std::size_t cells);
[[nodiscard]] std::string padded_left(std::string_view text, std::size_t cells);

}  // namespace corral::cli::top
