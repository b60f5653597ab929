#include "supervisor/config/diagnostic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "supervisor/config/text.hpp"

namespace corral::config {
namespace {

/// So many columns of a long line are shown: some context before the offence, the rest after it. Escapes count as they are seen,
/// so that a binary file taken for a configuration fills no screen.
constexpr std::size_t most_shown = 100;
constexpr std::size_t shown_before = 40;

struct Palette {
  std::string_view bold, red, green, dim, plain;
};
constexpr Palette coloured{"\033[1m", "\033[1;31m", "\033[32m", "\033[2m", "\033[0m"};
constexpr Palette uncoloured{"", "", "", "", ""};

/// The first place at or after `at`, but not past `size`, where a character begins.
std::size_t next_start(std::string_view line, std::size_t at) {
  for (int step = 0; step < 3 && at < line.size() && (static_cast<unsigned char>(line[at]) & 0xC0U) == 0x80; ++step) {
    ++at;
  }
  return at;
}

/// How much of the front of `text` is no wider than that.
std::size_t fitting(std::string_view text, std::size_t columns) {
  std::size_t at = 0;
  for (std::size_t width = 0; at < text.size();) {
    const std::string_view character = text.substr(at, first_character(text.substr(at)).length);
    width += display(character).width;
    if (width > columns) {
      break;
    }
    at += character.size();
  }
  return at;
}

Excerpt cut(std::string_view line, std::size_t caret, std::size_t length) {
  Excerpt excerpt;
  std::size_t from = 0;
  if (fitting(line, most_shown) < line.size()) {
    from = next_start(line, caret - std::min(caret, shown_before));
    while (display(line.substr(from, caret - from)).width > shown_before) {
      from += first_character(line.substr(from)).length;
    }
  }
  const std::string_view rest = line.substr(from);
  const std::size_t keep = fitting(rest, most_shown);
  excerpt.text = std::string(rest.substr(0, keep));
  excerpt.caret = std::min(caret - from, keep);
  excerpt.length = std::min(length, keep - excerpt.caret);
  excerpt.cut_left = from > 0;
  excerpt.cut_right = keep < rest.size();
  return excerpt;
}

/// A key can be as long as the file.
std::string shown_pointer(const std::string& pointer) {
  constexpr std::size_t most = 200;
  const std::size_t keep = whole_characters(pointer, most);
  return printable(std::string_view(pointer).substr(0, keep)) + (keep < pointer.size() ? "…" : "");
}

std::string render_excerpt(const Diagnostic& diagnostic, const Palette& palette) {
  const Excerpt& excerpt = diagnostic.excerpt;
  const std::string_view text = excerpt.text;
  const Displayed before = display(text.substr(0, excerpt.caret));
  const Displayed offence = display(text.substr(excerpt.caret, excerpt.length));
  const Displayed behind = display(text.substr(excerpt.caret + excerpt.length));
  const std::string number = fmt::format("{:>5}", diagnostic.line);
  const std::size_t indent = before.width + (excerpt.cut_left ? 1 : 0);
  return fmt::format("{}{} |{} {}{}{}{}{}\n{}{:>{}} |{} {:>{}}{}{:^>{}}{}\n", palette.dim, number, palette.plain,
                     excerpt.cut_left ? "…" : "", before.text, offence.text, behind.text, excerpt.cut_right ? "…" : "",
                     palette.dim, "", number.size(), palette.plain, "", indent, palette.red, "",
                     std::max<std::size_t>(offence.width, 1), palette.plain);
}

}  // namespace

Diagnostic make_diagnostic(std::string_view file, std::string_view text, std::size_t begin, std::size_t end) {
  begin = std::min(begin, text.size());
  end = std::clamp(end, begin, text.size());
  const std::string_view before = text.substr(0, begin);
  const std::size_t last_break = before.rfind('\n');
  const std::size_t line_begin = last_break == std::string_view::npos ? 0 : last_break + 1;
  std::string_view line = text.substr(line_begin, text.find('\n', begin) - line_begin);
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  Diagnostic diagnostic;
  diagnostic.file = std::string(file);
  diagnostic.offset = begin;
  diagnostic.line = 1 + static_cast<std::size_t>(std::ranges::count(before, '\n'));
  diagnostic.column = 1 + count_characters(text.substr(line_begin, begin - line_begin));
  const std::size_t caret = std::min(begin - line_begin, line.size());
  diagnostic.excerpt = cut(line, caret, std::min(end - begin, line.size() - caret));
  return diagnostic;
}

std::string render(const Diagnostic& diagnostic, bool colour) {
  const Palette& palette = colour ? coloured : uncoloured;
  const bool placed = diagnostic.line != 0;
  const std::string place = placed ? fmt::format(":{}:{}", diagnostic.line, diagnostic.column) : "";
  const std::string pointer = diagnostic.pointer.empty() ? "" : "at " + shown_pointer(diagnostic.pointer) + ": ";
  std::string out = fmt::format("{}{}{}:{} {}{}\n", palette.bold, printable(diagnostic.file), place, palette.plain, pointer,
                                printable(diagnostic.message));
  if (placed) {
    out += render_excerpt(diagnostic, palette);
  }
  if (!diagnostic.suggestion.empty()) {
    out += fmt::format("        {}{}{}\n", palette.green, printable(diagnostic.suggestion), palette.plain);
  }
  return out;
}

std::string render(std::span<const Diagnostic> diagnostics, bool colour) {
  std::string out;
  for (const Diagnostic& diagnostic : diagnostics) {
    out += render(diagnostic, colour);
  }
  return out;
}

std::string in_one_line(const Diagnostic& diagnostic) {
  std::string text;
  if (diagnostic.line != 0) {
    text += fmt::format("{}:{}:{}: ", printable(diagnostic.file), diagnostic.line, diagnostic.column);
  }
  if (!diagnostic.pointer.empty()) {
    text += fmt::format("at {}: ", shown_pointer(diagnostic.pointer));
  }
  text += printable(diagnostic.message);
  return diagnostic.suggestion.empty() ? text : text + fmt::format(" ({})", printable(diagnostic.suggestion));
}

std::string to_json(std::span<const Diagnostic> diagnostics) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Diagnostic& one : diagnostics) {
    list.push_back({{"file", one.file},
                    {"line", one.line},
                    {"column", one.column},
                    {"offset", one.offset},
                    {"pointer", one.pointer},
                    {"message", one.message},
                    {"suggestion", one.suggestion}});
  }
  // A file name need not be UTF-8.
  return list.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace corral::config
