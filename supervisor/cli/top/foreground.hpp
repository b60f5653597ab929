// Another program in the terminal's foreground, for as long as it likes.
#pragma once

#include <signal.h>

#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace corral::cli::top {

struct ForegroundEnd {
  int status = 0;    ///< As wait(2) has it.
  int ended_by = 0;  ///< SIGTERM or SIGHUP that came for us meanwhile, and was passed on; 0: none.
};

/// Runs it with `mask` and waits for its end. The keys of the terminal reach it, and not us: Ctrl-C ends it, Ctrl-Z stops both.
/// Everything that ends or stops a process is blocked when this is called.
[[nodiscard]] Result<ForegroundEnd> run_in_foreground(const char* path, const std::vector<std::string>& words,
                                                      const sigset_t& mask);

}  // namespace corral::cli::top
