// The one place that launches, signals, reaps and sweeps processes.
//
// Everything is addressed by Life (worker and incarnation); pids are reported for messages only and never come back in.
// Invariants: a worker has at most one leader; every process is reaped exactly once; a pid that has been reaped is never
// signalled again; a launch leaves either one process that will be reported or nothing at all; no file is written and
// nothing is O(number of workers) on the restart path; no call blocks longer than the patience it is given.
// What this room must not do: decide (when to restart, how long to wait), read a configuration, print, touch Asio.
//
// The order of a turn of the loop, when SIGCHLD came or launches are outstanding:
//   reap(hints, deaths), reap(deaths); settle(outcomes); <the core steps, its actions call launch, signal, sweep>;
//   finish_sweeps(gone); let_go_of_output()
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/exit_status.hpp"
#include "common/base/ids.hpp"
#include "common/base/instant.hpp"
#include "supervisor/core/cpu_set.hpp"
#include "supervisor/core/event.hpp"
#include "supervisor/core/launch_failure.hpp"
#include "supervisor/core/spec.hpp"
#include "supervisor/shell/process/launch_template.hpp"
#include "supervisor/shell/process/setup.hpp"

namespace corral::process {

/// One process to start. Everything that is pointed to must live until launch() has returned, the template until the
/// outcome has been reported.
struct LaunchRequest {
  Life life{};
  const LaunchTemplate* program = nullptr;
  const core::CpuSet* placement = nullptr;  ///< Bind to these CPUs; null or empty: the supervisor's own affinity.
  std::uint32_t cores = 0;                  ///< For OMP_NUM_THREADS and its like; 0 leaves them alone.
  int stdin_fd = -1;                        ///< -1: /dev/null.
  int stdout_fd = -1;                       ///< -1: the supervisor's own.
  int stderr_fd = -1;                       ///< -1: the supervisor's own.
  int task_fd = -1;                         ///< Becomes descriptor 3, of which CORRAL_TASK_FD tells. -1: none.
  int mark_fd = -1;                         ///< Becomes descriptor 4, of which CORRAL_MARK_FD tells. -1: none.
  bool has_task = false;                    ///< This launch is for one task, {} in the command.
  std::string_view task = {};               ///< Its text, without NUL.
  std::uint64_t task_number = 0;
  /// `exec` with one worker: stdin too is the supervisor's own, the worker gets a process group and never a session,
  /// and the terminal is handed to it when stdin is one and the supervisor is in its foreground.
  bool transparent = false;
};

/// What became of a launch: exactly one for each launch() that returned a pid, and never after the Death of it.
struct LaunchOutcome {
  Life life;
  pid_t pid = 0;
  std::optional<core::LaunchFailure> failure;  ///< Nothing: exec succeeded. Otherwise no Death will be reported.
};

/// The leader of a life has been reaped.
struct Death {
  Life life;
  pid_t pid = 0;
  ExitStatus status{ExitedWith{0}};
  core::ResourceUsage usage;
  std::optional<core::LaunchFailure> failure;  ///< Killed before exec: this was a failed launch.
  bool out_of_memory = false;                  ///< SIGKILL by the kernel's OOM killer.
  bool before_exec = false;                    ///< So was this, but its launch had been reported as a success.
  bool group_remains = false;                  ///< Other processes of its group are still there.
};

/// Transparent mode only: the leader stopped (Ctrl-Z) or continued.
struct JobChange {
  Life life;
  int stopped_by = 0;  ///< The signal; 0: it continues.
};

struct Deaths {
  std::vector<Death> leaders;
  std::vector<JobChange> jobs;  ///< Filled only with ProcessOptions::watch_jobs.
  std::uint32_t orphans = 0;    ///< Processes that were no leaders, reaped as their adoptive parent.
};

struct ProcessOptions {
  std::string identity;  ///< CORRAL_SUPERVISOR of every worker; see setup.hpp. Not empty.
  core::Containment containment = core::Containment::automatic;
  bool plain = false;       ///< `exec` with one worker: no cgroups, everything is a descendant of the one.
  bool watch_jobs = false;  ///< Report stops and continuations (transparent, with a terminal).
};

class Processes {
 public:
  /// Launches that run side by side before launch() waits for the oldest one.
  static constexpr std::size_t side_by_side = 8;

  /// The setup must outlive this. An Error only where `containment` asks for cgroups and there are none.
  [[nodiscard]] static Result<Processes> open(const ProcessSetup& setup, ProcessOptions options);
  Processes(Processes&&) noexcept;
  Processes& operator=(Processes&&) noexcept;
  ~Processes();  ///< Kills nothing. Removes its cgroups where they are empty.

  /// Starts a process. The worker must have no leader. Waits at most about a millisecond, when side_by_side launches are under
  /// way. A failure means that there is no process (fork: EAGAIN, ENOMEM; prepare; exec: no such command in PATH).
  [[nodiscard]] std::expected<pid_t, core::LaunchFailure> launch(const LaunchRequest& request);

  /// The outcomes of launches, appended. Only looks: a process that waited for an exec would have to be woken by it, which
  /// costs the new worker more than all its other preparations together. A launch that failed announces itself by SIGCHLD.
  void settle(std::vector<LaunchOutcome>& out);

  /// Closes what launches that are over have kept of their workers' output: no pipe comes to its end before. Once a turn, when
  /// everything that was due has been launched, since the next launch overwrites it anyway.
  void let_go_of_output();

  /// Launches whose outcome has not been reported.
  [[nodiscard]] std::size_t outstanding() const;
  /// Workers that have a process.
  [[nodiscard]] std::size_t living() const;

  /// Reaps the zombies there are, at most so many, appended to `out`. The kernel looks at every child to find out that there is
  /// no more: 12 us with 1,000 of them, 350 us with 5,000. True where it has stopped after `most` of them: more may be left.
  [[nodiscard]] bool reap(Deaths& out, std::size_t most = SIZE_MAX);
  /// Reaps the child that SIGCHLD was about (ssi_pid), whatever the number of workers. Signals coalesce, so a reap() of
  /// all must follow: after what these deaths ask for has been launched, and the more rarely the more children there are.
  /// `exited`: it says so too that this one called exit (CLD_EXITED), which no process does before its exec has been tried.
  void reap(pid_t hint, bool exited, Deaths& out);

  /// Sends to the whole group of a life, also after its leader died while others of the group remain. 0, or why it has not
  /// reached the leader: ESRCH where nobody was there.
  int signal(Life life, int number);

  /// SIGKILL to all that is left of a life whose leader is dead, descendants that left the group included. finish_sweeps()
  /// reports when nothing is left; a life is swept once, whatever the number of calls.
  void sweep(Life life);

  /// SIGKILL to everything: leaders, their groups, orphans of unknown origin. alone() tells when it is done. Says who was still
  /// there to be killed.
  core::Leftovers sweep_all();

  /// One pass for all lives that are being swept: kills what it finds, appends those of which nothing is left. Call it
  /// after each reap() while sweeping() is true: what dies hands its own children over to the supervisor. A pass
  /// without cgroups reads the list of all children, so ask once for a batch, and on a stop of everything wait for the
  /// leaders and then use sweep_all() instead of a sweep for each.
  void finish_sweeps(std::vector<Life>& gone);
  [[nodiscard]] bool sweeping() const;

  /// For a supervisor that cannot go on: kills and reaps all that there is, for a second at most. Nothing else may follow.
  void leave_nobody() noexcept;

  /// True when the supervisor has no descendant at all.
  [[nodiscard]] bool alone();

  /// Frees what is kept for a worker between its lives. It must have no leader.
  void forget(WorkerId worker);

  /// Preparations that no launch waits for. Call once when the first launches are under way.
  void catch_up();

  /// So many workers are about to be launched for the first time: see scores.cpp. Call before the first launch.
  void expect(std::size_t workers);

  /// Workers shall die before the supervisor when memory runs out. Telling the kernel so costs more than all else that a restart
  /// needs, and it need not be at once: call set_some_scores() a moment later, while scores_are_due().
  [[nodiscard]] bool scores_are_due() const;
  void set_some_scores();

  /// What the kernel says of the memory that ran out: where it counts, how many it has killed there since the beginning of the
  /// count, and what the cgroup may take and took at most, where that is known.
  struct OomEvidence {
    std::string source;
    std::uint64_t kills = 0;
    std::optional<std::uint64_t> limit_bytes;
    std::optional<std::uint64_t> peak_bytes;
  };
  [[nodiscard]] OomEvidence oom_evidence() const;

  /// A child that is none of ours to sweep.
  void spare(pid_t pid);

  /// What contains the workers, for people: "cgroup /sys/fs/cgroup/…" or "subreaper". And what was degraded and why, once each.
  [[nodiscard]] std::string containment() const;
  [[nodiscard]] std::vector<std::string> take_notices();

 private:
  struct State;
  explicit Processes(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace corral::process
