// Text for people and for machines.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace corral {

/// Appends `text` as a JSON string, quotes included. Bytes that are no valid UTF-8 become U+FFFD: JSON has no other way.
void append_json_string(std::string& out, std::string_view text);

/// Appends control characters as \xNN, those that turn the direction of text and bytes that are no valid UTF-8 likewise, so that
/// a file name cannot drive a terminal.
enum class Escapes : std::uint8_t {
  of_bytes,
  of_json,  ///< \uNNNN where it is UTF-8: what was JSON stays JSON.
};
void append_printable(std::string& out, std::string_view text, Escapes escapes = Escapes::of_bytes);

/// Length of the valid UTF-8 sequence at the front of `text`, 1 to 4; 0 where there is none.
[[nodiscard]] std::size_t utf8_length(std::string_view text);

}  // namespace corral
