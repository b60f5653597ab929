#include "supervisor/config/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace corral::config {
namespace {

struct CodeRange {
  char32_t first;
  char32_t last;
};

/// What moves, hides or reorders text on a terminal: C0 and C1 controls, and the marks of "trojan source" tricks.
constexpr std::array<CodeRange, 8> unprintable{{{0x00, 0x1F},
                                                {0x7F, 0x9F},
                                                {0x061C, 0x061C},
                                                {0x200B, 0x200F},
                                                {0x2028, 0x202E},
                                                {0x2060, 0x2069},
                                                {0xFEFF, 0xFEFF},
                                                {0xE0000, 0xE007F}}};

/// Two columns wide on terminals: East Asian scripts and emoji. An approximation: the caret may be off by a column.
constexpr std::array<CodeRange, 9> wide{{{0x1100, 0x115F},
                                         {0x2E80, 0x303E},
                                         {0x3041, 0xA4CF},
                                         {0xAC00, 0xD7A3},
                                         {0xF900, 0xFAFF},
                                         {0xFE30, 0xFE6F},
                                         {0xFF00, 0xFF60},
                                         {0x1F300, 0x1FAFF},
                                         {0x20000, 0x3FFFD}}};

constexpr std::array<CodeRange, 4> combining{{{0x0300, 0x036F}, {0x1AB0, 0x1AFF}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}}};

template <std::size_t N>
bool is_in(const std::array<CodeRange, N>& ranges, char32_t code) {
  return std::ranges::any_of(ranges, [&](const CodeRange& r) { return code >= r.first && code <= r.last; });
}

std::size_t columns_of(char32_t code) { return is_in(combining, code) ? 0 : is_in(wide, code) ? 2 : 1; }

unsigned byte_at(std::string_view text, std::size_t at) { return static_cast<unsigned char>(text[at]); }

std::string escaped(std::string_view bytes, const Character& character) {
  if (!character.valid) {
    return fmt::format("\\x{:02x}", byte_at(bytes, 0));
  }
  switch (character.code) {
    case U'\t': return "\\t";
    case U'\n': return "\\n";
    case U'\r': return "\\r";
    default: break;
  }
  const auto code = static_cast<std::uint32_t>(character.code);
  return code < 0x80 ? fmt::format("\\x{:02x}", code) : fmt::format("\\u{:04x}", code);
}

}  // namespace

Character first_character(std::string_view text) {
  if (text.empty()) {
    return {};
  }
  const unsigned lead = byte_at(text, 0);
  if (lead < 0x80) {
    return {.code = lead, .length = 1, .valid = true};
  }
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};  // Anything below is an overlong form.
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) {
    return {.code = 0, .length = 1, .valid = false};
  }
  char32_t code = lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte_at(text, i) & 0xC0U) != 0x80) {
      return {.code = 0, .length = 1, .valid = false};
    }
    code = code << 6U | (byte_at(text, i) & 0x3FU);
  }
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < smallest.at(length) || code > 0x10FFFF || surrogate) {
    return {.code = 0, .length = 1, .valid = false};
  }
  return {.code = code, .length = length, .valid = true};
}

std::optional<std::size_t> find_invalid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const Character character = first_character(text.substr(at));
    if (!character.valid) {
      return at;
    }
    at += character.length;
  }
  return std::nullopt;
}

std::size_t count_characters(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); at += first_character(text.substr(at)).length) {
    ++count;
  }
  return count;
}

std::size_t whole_characters(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) {
    return text.size();
  }
  const auto continues = [&](std::size_t at) { return (byte_at(text, at) & 0xC0U) == 0x80; };
  std::size_t keep = bytes;
  for (int back = 0; back < 3 && keep > 0 && continues(keep); ++back) {
    --keep;
  }
  return continues(keep) ? bytes : keep;  // Not UTF-8 anyway.
}

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    const Character character = first_character(rest);
    if (!character.valid || is_in(unprintable, character.code)) {
      out += escaped(rest, character);
    } else {
      out += rest.substr(0, character.length);
    }
    at += character.length;
  }
  return out;
}

std::string in_quotes(std::string_view text, std::size_t most) {
  const std::size_t keep = whole_characters(text, most);
  return '"' + printable(text.substr(0, keep)) + (keep < text.size() ? "…\"" : "\"");
}

Displayed display(std::string_view piece) {
  constexpr std::size_t tab_width = 4;
  Displayed out;
  for (std::size_t at = 0; at < piece.size();) {
    const std::string_view rest = piece.substr(at);
    const Character character = first_character(rest);
    if (character.code == U'\t') {
      out.text.append(tab_width, ' ');
      out.width += tab_width;
    } else if (!character.valid || is_in(unprintable, character.code)) {
      const std::string shown = escaped(rest, character);
      out.text += shown;
      out.width += shown.size();
    } else {
      out.text += rest.substr(0, character.length);
      out.width += columns_of(character.code);
    }
    at += character.length;
  }
  return out;
}

std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace corral::config
