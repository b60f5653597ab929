// What is wrong with a configuration, where, and what to do about it.
//
// A Diagnostic holds everything that is needed to show it: it stays valid when the text that it speaks of is gone.
// Nothing here decides what is an error.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace corral::config {

/// The piece of the offending line that is worth showing.
struct Excerpt {
  std::string text;        ///< As it is in the file, without the line break.
  std::size_t caret = 0;   ///< Byte in `text` at which the offence begins; its size where it follows the line's end.
  std::size_t length = 0;  ///< Bytes of the offence on this line.
  bool cut_left = false;   ///< The line begins before `text`.
  bool cut_right = false;  ///< The line goes on after `text`.
};

struct Diagnostic {
  std::string file;
  std::size_t line = 0;    ///< From 1; 0 where there is no place (the file cannot be read).
  std::size_t column = 0;  ///< From 1, in characters.
  std::size_t offset = 0;  ///< In bytes, from 0.
  std::string pointer;     ///< JSON pointer; empty for the whole document.
  std::string message;     ///< What and why, without a full stop.
  std::string suggestion;  ///< A way out, such as `did you mean "on-failure"?`; may be empty.
  Excerpt excerpt;
  bool beyond_schema = false;  ///< It breaks a rule that a JSON Schema cannot state (docs/reference lists them).
};

/// `file:line:column: at /programs/crunch/restart: …`, the line, a caret, the suggestion. Several lines, the last one
/// with its line break. Safe to print whatever the file holds.
[[nodiscard]] std::string render(const Diagnostic& diagnostic, bool colour);

/// All of them, one after another.
[[nodiscard]] std::string render(std::span<const Diagnostic> diagnostics, bool colour);

/// One of them as part of a line of a log: no excerpt, no line break.
[[nodiscard]] std::string in_one_line(const Diagnostic& diagnostic);

/// A JSON array of objects with file, line, column, offset, pointer, message and suggestion, indented.
[[nodiscard]] std::string to_json(std::span<const Diagnostic> diagnostics);

/// The diagnostic for bytes [begin, end) of `text`; places beyond the end mean the end.
[[nodiscard]] Diagnostic make_diagnostic(std::string_view file, std::string_view text, std::size_t begin, std::size_t end);

}  // namespace corral::config
