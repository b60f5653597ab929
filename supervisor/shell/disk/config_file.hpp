// Reads a configuration file, and only what can be one.
//
// A FIFO, a terminal, /dev/zero, a directory or 100 MB are refused at once: opening never waits and nothing is read
// that is not a regular file of a sensible size. What the text means is not this file's business.
#pragma once

#include <cstddef>
#include <string>

#include "common/base/result.hpp"

namespace corral::disk {

/// As config::longest_file; a test holds the two together.
inline constexpr std::size_t longest_config_file = std::size_t{4} << 20U;

/// The whole text. Root refuses a file that somebody else could have written: whoever writes it commands the
/// supervisor. The error names the file, the cause and what to do.
[[nodiscard]] Result<std::string> read_config_file(const std::string& path);

/// Whether root should refuse a file with these owner and mode, and why; empty where not.
[[nodiscard]] std::string distrust(unsigned owner, unsigned mode);

}  // namespace corral::disk
