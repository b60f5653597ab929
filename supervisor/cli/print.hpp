// What sub-commands print. An output that cannot be written to is a failure with a sentence, never an abort.
#pragma once

#include <string_view>

namespace corral::cli {

/// All of `text` to stdout. `status` where that worked; 2, and a sentence on stderr, where it did not.
[[nodiscard]] int deliver(std::string_view text, int status);

/// To stderr. Where that cannot be written to there is nobody left to tell.
void tell(std::string_view text);

}  // namespace corral::cli
