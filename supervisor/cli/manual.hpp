// The man page, from the one description of the command line.
#pragma once

namespace corral::cli {

/// Prints corral(1).
int manual();

}  // namespace corral::cli
