// Why a process could not be started, and what one used: facts that the shell reports and the core judges.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/instant.hpp"

namespace corral::core {

/// The steps between "start it" and the first instruction of the new program, in their order.
enum class LaunchStep : std::uint8_t {
  prepare,      ///< In the supervisor: pipes, memory.
  fork,         ///< clone(2): EAGAIN (process limit), ENOMEM.
  parent_died,  ///< The supervisor was gone before the parent-death signal was armed.
  session,      ///< setsid or setpgid.
  terminal,     ///< tcsetpgrp.
  limits,       ///< setrlimit, nice, oom_score_adj.
  affinity,     ///< sched_setaffinity: a core is offline or outside the cpuset.
  descriptors,  ///< dup2 of stdin, stdout, stderr.
  directory,    ///< chdir.
  groups,       ///< setgroups.
  group,        ///< setresgid.
  user,         ///< setresuid.
  privileges,   ///< no_new_privs.
  exec,         ///< execve: ENOENT, EACCES, ETXTBSY, …
  killed,       ///< A signal ended it before exec.
  timeout,      ///< exec had not succeeded when start_timeout was over.
};

[[nodiscard]] std::string_view name(LaunchStep step);

struct LaunchFailure {
  LaunchStep step = LaunchStep::prepare;
  int error_number = 0;  ///< errno of the step; the signal for `killed`; 0 where neither applies.
  std::string subject;   ///< What it was about: the path of exec, the directory, the user; of `prepare` why. May be empty.
  friend bool operator==(const LaunchFailure&, const LaunchFailure&) = default;
};

/// "cannot execute '/srv/x': No such file or directory", "cannot change to directory '/gone': …".
[[nodiscard]] std::string describe(const LaunchFailure& failure);

/// Of one incarnation, its waited-for descendants included (as wait4(2) has it).
struct ResourceUsage {
  Duration user{};
  Duration system{};
  std::uint64_t max_rss_bytes = 0;
  friend bool operator==(const ResourceUsage&, const ResourceUsage&) = default;
};

}  // namespace corral::core
