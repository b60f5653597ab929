// What `corral explain` prints: the supervisor's reasons, each with the line of the configuration that decides.
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "supervisor/config/config.hpp"

namespace corral::cli {

/// `answer`: shell::to_json() of an explanation. `file`: the configuration as it is now; with an empty name no line is told, nor
/// of one that is not what is in force.
[[nodiscard]] Result<std::string> explanation_text(std::string_view answer, const config::Source& file);

}  // namespace corral::cli
