// UTF-8 and text for people: checking, cutting and escaping what a stranger wrote.
//
// Nothing that comes out of printable(), in_quotes() or display() can move a cursor, colour a terminal, turn the
// direction of writing or break a line. Columns are counted in characters, as editors count them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace corral::config {

/// One character at the front of a text: its length in bytes (1 where it is not UTF-8, 0 at the end).
struct Character {
  char32_t code = 0;
  std::size_t length = 0;
  bool valid = false;
};

[[nodiscard]] Character first_character(std::string_view text);

/// The offset of the first byte that is not part of well-formed UTF-8 (no overlong forms, no surrogates).
[[nodiscard]] std::optional<std::size_t> find_invalid_utf8(std::string_view text);

[[nodiscard]] std::size_t count_characters(std::string_view text);

/// Bytes to keep of `text` so that it is at most `bytes` long and no character is cut in two.
[[nodiscard]] std::size_t whole_characters(std::string_view text, std::size_t bytes);

/// `text` with control characters, broken bytes and invisible direction marks written as \x1b, \xff, \u202e.
/// Tabs and line breaks are escaped too, as \t and \n.
[[nodiscard]] std::string printable(std::string_view text);

/// In double quotes, printable, and cut to `most` bytes with "…" where it is longer.
[[nodiscard]] std::string in_quotes(std::string_view text, std::size_t most = 60);

/// A piece of a source line as a terminal can show it, and how many columns that takes there. A tab becomes blanks.
struct Displayed {
  std::string text;
  std::size_t width = 0;
};

[[nodiscard]] Displayed display(std::string_view piece);

/// `text` as a JSON string, quotes included.
[[nodiscard]] std::string json_string(std::string_view text);

}  // namespace corral::config
