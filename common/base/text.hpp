// Text for people and for machines.
#pragma once

#include <string>
#include <string_view>

namespace corral {

/// Appends `text` as a JSON string, quotes included. Bytes that are no valid UTF-8 become U+FFFD: JSON has no other way.
void append_json_string(std::string& out, std::string_view text);

/// Appends control characters as \xNN, those that turn the direction of text and bytes that are no valid UTF-8 likewise, so that
/// a file name cannot drive a terminal.
void append_printable(std::string& out, std::string_view text);

/// Length of the valid UTF-8 sequence at the front of `text`, 1 to 4; 0 where there is none.
[[nodiscard]] std::size_t utf8_length(std::string_view text);

}  // namespace corral
