// Durations and sizes as people write them.
//
// A number without a unit is refused: "10" once meant seconds to one program and milliseconds to the next.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/instant.hpp"
#include "common/base/result.hpp"

namespace corral {

/// The longest duration that text can ask for: 10 years. Beyond it a deadline is a typing mistake.
inline constexpr Duration longest_duration = std::chrono::hours(24 * 3650);

/// A decimal number and a unit, nothing between them: "250ms", "1.5s", "10s", "5m", "2h", "1d"; also "us" and "ns".
/// "0" alone is allowed (no unit could change it). Not negative, at most longest_duration.
/// The error says what is wrong with the text and which units there are.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);

/// What was probably meant by a duration or size with a unit of everyday life: "5m" for "5 minutes", "64MiB" for "64mib". Empty
/// where nothing comes near.
[[nodiscard]] std::string meant_duration(std::string_view text);
[[nodiscard]] std::string meant_size(std::string_view text);

/// The shortest exact text that parse_duration reads back: "250ms", "1.5s", "2h". Not negative.
[[nodiscard]] std::string format_duration(Duration duration);

/// For sentences: at most two significant decimals, "3.2 s", "200 ms", "41 us", "2 min 5 s", "3 h 10 min".
[[nodiscard]] std::string describe_duration(Duration duration);

/// "64MiB", "1.5GiB", "10kB", "512B"; binary (KiB, MiB, GiB, TiB) and decimal (kB, MB, GB, TB) units. "0" alone is
/// allowed. At most 2^63-1 bytes.
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);

/// For sentences and the reference page: "64 MiB".
[[nodiscard]] std::string describe_size(std::uint64_t bytes);

}  // namespace corral
