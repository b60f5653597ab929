// Whole small files of /proc, /sys and our own.
#pragma once

#include <fcntl.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace corral::process {

/// The text of a file, at most 1 MiB of it; nothing when it cannot be read.
[[nodiscard]] std::optional<std::string> read_small_file(const char* path, int directory = AT_FDCWD);

/// The process that `text` begins with the number of; 0 where it begins with none.
[[nodiscard]] pid_t pid_in(std::string_view text);

}  // namespace corral::process
