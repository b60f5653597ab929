// What to say of words of a command line that no option and no argument took.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace corral::cli {

/// One sentence about the first of those that `command` has left over; empty where it has none. `words`: the whole command line;
/// those behind "--" never are left over.
[[nodiscard]] std::string explain_unexpected(const CLI::App& command, const std::vector<std::string>& words);

}  // namespace corral::cli
