// The few system calls between clone(2) and execve(2), made by the new process in the supervisor's own memory.
//
// Everything it needs is prepared in a StartPlan before the clone; its only output is `failed_step` and `error`. It must
// not allocate, lock, call libc, or write anything else: the supervisor runs on at the same time.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "supervisor/core/launch_failure.hpp"

namespace corral::process {

/// stdin, stdout, stderr, the channel of tasks, and the mark of the one in work.
inline constexpr std::size_t handed_descriptors = 5;
inline constexpr std::array<int, handed_descriptors> no_descriptors{-1, -1, -1, -1, -1};

struct PlannedLimit {
  int resource = 0;
  rlimit limit{};
};

struct StartPlan {
  const char* path = nullptr;
  const char* const* argv = nullptr;
  const char* const* envp = nullptr;

  bool own_session = true;     ///< setsid; otherwise only a process group.
  bool take_terminal = false;  ///< Make the new group the foreground of the terminal on descriptor 0.
  bool shares_files = true;    ///< Cloned with CLONE_FILES: the table must be unshared before it is touched.

  /// What becomes 0 to 4; -1 leaves the first three, and closes the others. All below `descriptor_bound`.
  int descriptors[handed_descriptors] = {-1, -1, -1, -1, -1};
  unsigned descriptor_bound = 3;

  const void* affinity = nullptr;  ///< A kernel CPU mask; null: as the supervisor's.
  std::size_t affinity_size = 0;
  const PlannedLimit* limits = nullptr;
  std::size_t limit_count = 0;
  int nice = 0;
  bool set_nice = false;
  int umask = -1;
  unsigned long timer_slack = 0;  ///< 0: leave it.
  const char* directory = nullptr;

  bool set_groups = false;
  const gid_t* groups = nullptr;
  std::size_t group_count = 0;
  bool set_group = false;
  gid_t group = 0;
  bool set_user = false;
  uid_t user = 0;
  bool no_new_privileges = false;
  pid_t supervisor = 0;

  // Written by the new process.
  bool failed = false;
  core::LaunchStep failed_step = core::LaunchStep::exec;
  int error = 0;
  int detail = 0;  ///< The resource of a limit; -1: nice.
};

/// The entry point of the new process; `plan` is a StartPlan. Returns never: execve or exit_group(127).
void start_worker(void* plan);

}  // namespace corral::process
