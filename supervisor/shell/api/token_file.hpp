// The file with the token that clients over TCP have to show.
#pragma once

#include <string>

#include "common/base/result.hpp"

namespace corral::api {

/// What the file holds, its line break left out. Where there is none, one is made: mode 0600, 256 bits of the kernel's
/// randomness in 64 hexadecimal digits. A file that others can read or write, that belongs to somebody else, that is no plain
/// file or that holds anything but a token is refused. No error shows any of it.
[[nodiscard]] Result<std::string> token_of(const std::string& path);

}  // namespace corral::api
