#include "common/base/signals.hpp"
#include "supervisor/core/action.hpp"

namespace corral::core {

std::string describe(const StopCause& cause) {
  switch (cause.kind) {
    case StopCause::Kind::signal: return "SIG" + signal_name(cause.signal) + " was received";
    case StopCause::Kind::program_failed: return "a program failed, and its policy says shutdown";
    case StopCause::Kind::tasks_failed: return "too many tasks failed";
    case StopCause::Kind::command: return "a command asked for it";
  }
  return {};
}

}  // namespace corral::core
