#include "supervisor/cli/print.hpp"

#include <cerrno>
#include <cstdio>

#include "common/base/result.hpp"

namespace corral::cli {

int deliver(std::string_view text, int status) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) {
    return status;
  }
  tell("corral: " + system_error("cannot write to stdout", errno).message + "\n");
  return 2;
}

void tell(std::string_view text) {
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr));
  static_cast<void>(std::fflush(stderr));
}

}  // namespace corral::cli
