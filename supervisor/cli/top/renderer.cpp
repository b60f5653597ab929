#include "supervisor/cli/top/renderer.hpp"

#include <fmt/format.h>

#include "supervisor/cli/top/cells.hpp"

namespace corral::cli::top {
namespace {

/// SGR parameters; empty: nothing special. Without colours what matters most is still told apart.
std::string_view attributes(Style style, bool colour) {
  switch (style) {
    case Style::plain: return "";
    case Style::strong: return "1";
    case Style::faint: return colour ? "2" : "";
    case Style::good: return colour ? "32" : "";
    case Style::warn: return colour ? "33" : "";
    case Style::bad: return colour ? "1;31" : "1";
    case Style::selected: return "7";
    case Style::bar: return colour ? "36" : "";
  }
  return "";
}

}  // namespace

void Renderer::append_line(std::string& out, const Line& line, std::size_t columns) const {
  std::size_t used = 0;
  for (const Span& span : line) {
    const std::string_view how = attributes(span.style, colour_);
    if (!how.empty()) {
      out.append("\x1b[").append(how).append("m");
    }
    out += span.text;
    if (!how.empty()) {
      out += "\x1b[0m";
    }
    used += width_of(span.text);
  }
  if (used < columns) {  // At the right end the cursor stands on the last character, which this would remove.
    out += "\x1b[K";
  }
}

std::string Renderer::draw(const Screen& screen, Size size) {
  std::string out;
  if (size != size_ || shown_.empty()) {
    shown_.clear();
    out += "\x1b[2J";
    size_ = size;
  }
  for (std::size_t row = 0; row < screen.size(); ++row) {
    const bool known = row < shown_.size() ? shown_[row] == screen[row] : screen[row].empty() && shown_.empty();
    if (!known) {
      out += fmt::format("\x1b[{};1H", row + 1);
      append_line(out, screen[row], size.columns);
    }
  }
  shown_ = screen;
  return out;
}

}  // namespace corral::cli::top
