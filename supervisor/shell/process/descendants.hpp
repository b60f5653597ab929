// Who our children are, and to which life one belongs that is no leader.
//
// A process whose parent died becomes the subreaper's child. Whose it was is told, in this order, by its group (and
// session, where workers have one of their own), by CORRAL_SUPERVISOR in its environment, and by its timer slack, which a fork
// and an exec inherit and `env -i` does not reach.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/ids.hpp"

namespace corral::process {

class Descendants {
 public:
  Descendants() = default;
  Descendants(const Descendants&) = delete;
  Descendants& operator=(const Descendants&) = delete;
  ~Descendants();

  /// Pids of our children, zombies included; nothing where /proc does not tell. What has lost its parent becomes a child of
  /// our first thread, and its list is read always. The list of the calling thread holds what that thread has started
  /// (and what a worker made with CLONE_PARENT), and is read only on request: it is as long as there are workers.
  [[nodiscard]] std::optional<std::vector<pid_t>> children(bool of_this_thread_too);

 private:
  [[nodiscard]] std::optional<std::vector<pid_t>> scan() const;
  int first_ = -1;
  int this_ = -1;
  bool tried_ = false;
};

/// The children of another process, of all its threads; none where they cannot be read.
[[nodiscard]] std::vector<pid_t> children_of(pid_t pid);

/// Whether /proc is there and counts processes as we do: not where it is that of another PID namespace.
[[nodiscard]] bool proc_is_ours();

/// The value of CORRAL_SUPERVISOR that `pid` was started with; nothing where that cannot be read, empty where it has
/// none, also in the middle of an exec and at the end of a life, when there is no environment to be seen.
[[nodiscard]] std::optional<std::string> supervisor_variable(pid_t pid);

/// The life that a value of CORRAL_SUPERVISOR names, if it is one of `identity`.
[[nodiscard]] std::optional<Life> life_named(std::string_view value, std::string_view identity);

/// 0 where it cannot be read.
[[nodiscard]] unsigned long timer_slack_of(pid_t pid);

/// A child that is about to end or has ended and is not reaped yet: it may have let go of its memory, and with that of
/// its environment, but not yet of its own children.
[[nodiscard]] bool is_ending(pid_t child);

/// A zombie that never came as far as exec. Looks at /proc before the process is reaped.
[[nodiscard]] bool died_before_exec(pid_t zombie);

}  // namespace corral::process
