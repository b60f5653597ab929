#include "supervisor/core/job_control.hpp"

#include <csignal>

namespace corral::core {
namespace {

/// Sent by the terminal to a group that read from it, or changed its settings, in the background.
bool wants_terminal(int signal) { return signal == SIGTTIN || signal == SIGTTOU; }

}  // namespace

JobReaction on_command_stopped(int signal, Foreground foreground) {
  switch (foreground) {
    case Foreground::nobody: return JobReaction::leave;
    case Foreground::supervisor: return wants_terminal(signal) ? JobReaction::hand_over : JobReaction::stop_along;
    case Foreground::command: return wants_terminal(signal) ? JobReaction::resume : JobReaction::stop_along;
    case Foreground::stranger:
      // No key does that to a job in the background. Stopped along, it could not pass on the SIGTERM that comes next.
      return signal == SIGSTOP ? JobReaction::leave : JobReaction::stop_along;
  }
  return JobReaction::leave;
}

JobReaction on_stop_refused(int signal, Foreground foreground) {
  // As the kernel has it for an orphaned group: it goes on. Continued without the terminal, one that wants it would be
  // stopped again at once, for ever.
  return signal == SIGTSTP || foreground == Foreground::command ? JobReaction::resume : JobReaction::leave;
}

bool is_wanted_back(int signal, bool from_kernel, Foreground foreground) {
  return wants_terminal(signal) && from_kernel && foreground == Foreground::command;
}

}  // namespace corral::core
