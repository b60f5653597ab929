#include "common/base/text.hpp"

#include <array>
#include <cstdint>
#include <cstring>

namespace corral {
namespace {

constexpr std::string_view hex = "0123456789abcdef";

/// Nothing but printable ASCII. Eight bytes at a time: a line for each restart asks for this.
bool is_plain(std::string_view text) {
  constexpr std::uint64_t each = 0x0101010101010101;
  constexpr std::uint64_t high = each * 0x80;
  std::uint64_t found = 0;
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text.data() + at, 8);
    const std::uint64_t del = bytes ^ each * 0x7f;
    // High bits: of bytes above 0x7f; borrowed by those below 0x20; borrowed by 0x7f itself. A borrow may find one too many.
    found |= (bytes | (bytes - each * 0x20) | (del - each)) & high;
  }
  for (; at < text.size(); ++at) {
    found |= static_cast<unsigned char>(text[at]) - 0x20U < 0x5fU ? 0 : high;
  }
  return found == 0;
}

/// How many bytes a text begins with that stand in a JSON string as they are, and are ASCII.
std::size_t plain_run(std::string_view text) {
  constexpr std::uint64_t each = 0x0101010101010101;
  constexpr std::uint64_t high = each * 0x80;
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text.data() + at, 8);
    const std::uint64_t quote = bytes ^ each * '"';
    const std::uint64_t back = bytes ^ each * '\\';
    const std::uint64_t del = bytes ^ each * 0x7f;
    // High bits as in is_plain(): one too many costs nothing but a closer look.
    if (((bytes | (bytes - each * 0x20) | (quote - each) | (back - each) | (del - each)) & high) != 0) {
      break;
    }
  }
  for (; at < text.size(); ++at) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c - 0x20U >= 0x5fU || c == '"' || c == '\\') {
      break;
    }
  }
  return at;
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }

}  // namespace

std::size_t utf8_length(std::string_view text) {
  if (text.empty()) {
    return 0;
  }
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) {
    return 1;
  }
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) {
    return 0;
  }
  std::uint32_t code = lead & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(text[i])) {
      return 0;
    }
    code = code << 6U | (static_cast<unsigned char>(text[i]) & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  return code < smallest[length] || code > 0x10ffff || surrogate ? 0 : length;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    if (const std::size_t run = plain_run(text); run > 0) {
      out.append(text.substr(0, run));
      text.remove_prefix(run);
      continue;
    }
    const char c = text.front();
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      out += "\xef\xbf\xbd";
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += "\\u00";
      out += hex[static_cast<unsigned char>(c) >> 4U];
      out += hex[static_cast<unsigned char>(c) & 15U];
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out += '"';
}

/// One character of UTF-8: a control, C1 (U+0080 to U+009F) included, or one that turns the direction of what stands around it,
/// so that a line reads as what it does not say (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069).
static bool drives_a_terminal(std::string_view character) {
  const auto byte = [character](std::size_t at) { return static_cast<unsigned char>(character[at]); };
  switch (character.size()) {
    case 1: return byte(0) < 0x20 || byte(0) == 0x7f;
    case 2: return (byte(0) == 0xc2 && byte(1) < 0xa0) || (byte(0) == 0xd8 && byte(1) == 0x9c);
    case 3:
      return byte(0) == 0xe2 &&
             ((byte(1) == 0x80 && (byte(2) == 0x8e || byte(2) == 0x8f || (byte(2) >= 0xaa && byte(2) <= 0xae))) ||
              (byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9));
    default: return false;
  }
}

/// The number of a character of UTF-8 of one to three bytes.
static std::uint32_t number_of(std::string_view character) {
  constexpr std::array<std::uint32_t, 4> of_the_first{0x7f, 0x7f, 0x1f, 0x0f};
  std::uint32_t number = static_cast<unsigned char>(character.front()) & of_the_first[character.size()];
  for (const char byte : character.substr(1)) {
    number = number << 6U | (static_cast<unsigned char>(byte) & 0x3fU);
  }
  return number;
}

void append_printable(std::string& out, std::string_view text, Escapes escapes) {
  if (is_plain(text)) {
    out += text;
    return;
  }
  const auto append_hex = [&out](std::string_view before, std::uint32_t number, std::uint32_t digits) {
    out += before;
    while (digits-- > 0) {
      out += hex[number >> (4 * digits) & 15U];
    }
  };
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::size_t taken = length == 0 ? 1 : length;
    const bool drives = length > 0 && drives_a_terminal(text.substr(0, length));
    if (drives && escapes == Escapes::of_json) {
      append_hex("\\u", number_of(text.substr(0, length)), 4);
    } else if (drives || length == 0) {
      for (const char byte : text.substr(0, taken)) {
        append_hex("\\x", static_cast<unsigned char>(byte), 2);
      }
    } else {
      out += text.substr(0, taken);
    }
    text.remove_prefix(taken);
  }
}

}  // namespace corral
