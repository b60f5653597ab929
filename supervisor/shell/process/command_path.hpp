// Which file a command means.
#pragma once

#include <string>

#include "supervisor/core/launch_failure.hpp"

namespace corral::process {

/// What execvp(3) would find: a command with a slash is itself, any other is the first executable file of that name in
/// `search_path` (the value of PATH). Empty where there is none.
[[nodiscard]] std::string find_command(const std::string& command, const std::string& search_path);

/// The search path where the environment has no PATH.
inline constexpr const char* standard_search_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// For the report of a failed execve: `path`, and where that file is there but what it is run by is not, the name of the
/// interpreter: "no such file" about a file that one can see has cost people hours.
[[nodiscard]] std::string describe_executable(const std::string& path, int error_number);

}  // namespace corral::process
