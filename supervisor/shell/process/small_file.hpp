// Whole small files of /proc, /sys and our own.
#pragma once

#include <fcntl.h>

#include <optional>
#include <string>

namespace corral::process {

/// The text of a file, at most 1 MiB of it; nothing when it cannot be read.
[[nodiscard]] std::optional<std::string> read_small_file(const char* path, int directory = AT_FDCWD);

}  // namespace corral::process
