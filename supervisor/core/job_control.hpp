// Job control of `exec` with one worker: two process groups share what a shell takes for one job.
//
// The shell knows the supervisor's group alone. It brings that to the foreground, and sends SIGCONT only when it knows it to be
// stopped: nobody tells of a job that ran in the background and is in the foreground now. So nothing is kept about whose the
// terminal is. It is looked at when something has been stopped for want of it, and what follows is decided by that one look.
#pragma once

#include <cstdint>

namespace corral::core {

/// Whose the terminal is at this moment.
enum class Foreground : std::uint8_t {
  nobody,      ///< There is none.
  supervisor,  ///< The job is in the foreground, and the supervisor has not handed it over.
  command,     ///< Handed over.
  stranger,    ///< The shell's: the job is in the background. Or that of a job of the command, when it is a shell itself.
};

enum class JobReaction : std::uint8_t {
  leave,       ///< Whoever stopped it will continue it.
  resume,      ///< SIGCONT.
  hand_over,   ///< The terminal, then SIGCONT.
  stop_along,  ///< Take the terminal back and stop the whole job: that is what its shell waits for.
};

/// The command's group has been stopped by this signal.
[[nodiscard]] JobReaction on_command_stopped(int signal, Foreground foreground);

/// It was to be stop_along, but there is no shell that could continue the job, so the kernel did not stop it.
[[nodiscard]] JobReaction on_stop_refused(int signal, Foreground foreground);

/// The supervisor's group got this signal. True: another process of the job (the pager behind a pipe, the script around) has
/// asked for the terminal while the command has it. It is to have it; the command is not concerned.
[[nodiscard]] bool is_wanted_back(int signal, bool from_kernel, Foreground foreground);

}  // namespace corral::core
