// Where the output of a program's workers goes. Plain data, a part of ProgramSpec.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace corral::core {

/// The supervisor's own stdout and stderr, a file, or nowhere.
enum class LogTo : std::uint8_t { inherit, file, nothing };

enum class LineFormat : std::uint8_t { plain, json };

/// What becomes of lines that the disk does not take: their worker waits for it, or they are dropped and counted.
enum class WhenFull : std::uint8_t { block, drop };

struct RotatePolicy {
  std::uint64_t size = std::uint64_t{16} << 20U;  ///< No file is longer, unless a single line is; 0: whatever its size.
  std::uint32_t keep = 5;                         ///< Older files beside the one that is written, 0 to 1000.
  bool compress = false;                          ///< All but the youngest of them.
  bool daily = false;
  friend bool operator==(const RotatePolicy&, const RotatePolicy&) = default;
};

struct LogSpec {
  LogTo to = LogTo::inherit;
  std::string file = "logs/{program}-{index}.log";  ///< From `config` on: absolute, or of the supervisor's own directory.
  RotatePolicy rotate;
  LineFormat format = LineFormat::plain;
  WhenFull when_full = WhenFull::drop;
  std::optional<bool> merge_stderr;  ///< stderr goes where stdout goes. Nothing was said: in a file it does.

  [[nodiscard]] bool merges() const { return merge_stderr.value_or(to == LogTo::file); }
  friend bool operator==(const LogSpec&, const LogSpec&) = default;
};

}  // namespace corral::core
