// Why a single token is not JSON, and what to write instead. Inside this room only.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "supervisor/config/value.hpp"

namespace corral::config {

struct Hint {
  Range where;
  std::string message;
  std::string suggestion;
};

/// Each looks at what begins at `at`, which is refused by the parser.
[[nodiscard]] Hint hint_for_string(std::string_view text, std::size_t at);
[[nodiscard]] Hint hint_for_single_quotes(std::string_view text, std::size_t at);
[[nodiscard]] Hint hint_for_number(std::string_view text, std::size_t at);
[[nodiscard]] Hint hint_for_word(std::string_view text, std::size_t at);

/// From `at` to the end of the line, for what was never closed.
[[nodiscard]] Range to_line_end(std::string_view text, std::size_t at);

}  // namespace corral::config
