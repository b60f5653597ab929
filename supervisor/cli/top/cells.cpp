#include "supervisor/cli/top/cells.hpp"

#include <algorithm>
#include <array>

#include "common/base/text.hpp"

namespace corral::cli::top {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

/// What terminals draw over the character before: the combining blocks, joiners, variation selectors, skin tones left out.
constexpr std::array<Range, 9> no_width{{{0x300, 0x36f},
                                         {0x483, 0x489},
                                         {0x591, 0x5bd},
                                         {0x610, 0x61a},
                                         {0x64b, 0x65f},
                                         {0x200b, 0x200d},
                                         {0x20d0, 0x20ff},
                                         {0xfe00, 0xfe0f},
                                         {0xfe20, 0xfe2f}}};

/// East Asian wide and fullwidth blocks, and emoji.
constexpr std::array<Range, 13> wide{{{0x1100, 0x115f},
                                      {0x231a, 0x231b},
                                      {0x23e9, 0x23ec},
                                      {0x2e80, 0x303e},
                                      {0x3041, 0xa4cf},
                                      {0xa960, 0xa97f},
                                      {0xac00, 0xd7a3},
                                      {0xf900, 0xfaff},
                                      {0xfe30, 0xfe6f},
                                      {0xff00, 0xff60},
                                      {0xffe0, 0xffe6},
                                      {0x1f300, 0x1faff},
                                      {0x20000, 0x3fffd}}};

bool is_in(char32_t code, const auto& ranges) {
  return std::ranges::any_of(ranges, [&](const Range& range) { return range.first <= code && code <= range.last; });
}

/// Of a valid sequence.
char32_t code_of(std::string_view sequence) {
  const auto lead = static_cast<unsigned char>(sequence.front());
  if (sequence.size() == 1) {
    return lead;
  }
  char32_t code = lead & (0xffU >> (sequence.size() + 1));
  for (const char c : sequence.substr(1)) {
    code = code << 6U | (static_cast<unsigned char>(c) & 0x3fU);
  }
  return code;
}

std::size_t width_of_one(std::string_view sequence) {
  const char32_t code = code_of(sequence);
  return code < 0x300 ? 1 : is_in(code, no_width) ? 0 : is_in(code, wide) ? 2 : 1;
}

/// A writing direction, a line or paragraph separator, an invisible filler: they make text look like other text.
bool deceives(char32_t code) {
  constexpr std::array<Range, 5> ranges{{{0x61c, 0x61c}, {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}}};
  return is_in(code, ranges);
}

void append_escaped(std::string& out, std::string_view bytes) {
  constexpr std::string_view hex = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out.append("\\x") += hex[byte >> 4U];
    out += hex[byte & 15U];
  }
}

}  // namespace

std::size_t width_of(std::string_view text) {
  std::size_t cells = 0;
  while (!text.empty()) {
    const std::size_t length = std::max<std::size_t>(1, utf8_length(text));
    cells += width_of_one(text.substr(0, length));
    text.remove_prefix(length);
  }
  return cells;
}

std::string printable(std::string_view text, bool utf8) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view sequence = text.substr(0, std::max<std::size_t>(1, length));
    const char32_t code = length == 0 ? 0 : code_of(sequence);
    const bool plain = code >= 0x20 && code < 0x7f;
    if (plain || (utf8 && code >= 0xa0 && !deceives(code))) {
      out += sequence;
    } else {
      append_escaped(out, sequence);
    }
    text.remove_prefix(sequence.size());
  }
  return out;
}

std::string clipped(std::string_view text, std::size_t cells) {
  if (width_of(text) <= cells) {
    return std::string(text);
  }
  std::string out;
  std::size_t used = 0;
  while (cells > 0) {
    const std::size_t length = std::max<std::size_t>(1, utf8_length(text));
    const std::size_t width = width_of_one(text.substr(0, length));
    if (used + width > cells - 1) {
      break;
    }
    used += width;
    out += text.substr(0, length);
    text.remove_prefix(length);
  }
  return cells > 0 ? out + '~' : out;
}

std::string padded(std::string_view text, std::size_t cells) {
  std::string out = clipped(text, cells);
  out.append(cells - width_of(out), ' ');
  return out;
}

std::string padded_left(std::string_view text, std::size_t cells) {
  const std::string out = clipped(text, cells);
  return std::string(cells - width_of(out), ' ') + out;
}

}  // namespace corral::cli::top
