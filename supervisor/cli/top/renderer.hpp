// A screen as bytes for a terminal: ECMA-48 sequences that every terminal of the last decades knows, nothing else.
//
// Pure. Only lines that differ from what is on the terminal are written. docs/decisions/0018-top.md says why there is no
// terminal library.
#pragma once

#include <string>
#include <string_view>

#include "supervisor/cli/top/painter.hpp"

namespace corral::cli::top {

/// The terminal's other screen, empty, without a cursor and without wrapping at the right end.
inline constexpr std::string_view enter_screen = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[0m\x1b[2J";
/// Back to how it was. Also what a crash writes: a constant, so that nothing needs to be made then.
inline constexpr std::string_view leave_screen = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";

class Renderer {
 public:
  explicit Renderer(bool colour) : colour_(colour) {}

  /// The bytes that turn what is there into `screen`.
  [[nodiscard]] std::string draw(const Screen& screen, Size size);

  /// Nothing is known any more of what is there.
  void forget() { shown_.clear(); }

 private:
  void append_line(std::string& out, const Line& line, std::size_t columns) const;

  bool colour_;
  Size size_{};
  Screen shown_;
};

}  // namespace corral::cli::top
