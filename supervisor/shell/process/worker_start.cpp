#include "supervisor/shell/process/worker_start.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include <csignal>

#include "supervisor/shell/process/raw_syscall.hpp"

namespace corral::process {
namespace {

using core::LaunchStep;

/// As the kernel has it, which is not as libc has it.
struct KernelSigaction {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)();
  unsigned long mask;
};

template <class T>
CORRAL_BARE __attribute__((always_inline)) inline long address(T* pointer) {
  return reinterpret_cast<long>(pointer);
}

[[noreturn]] CORRAL_BARE __attribute__((noinline)) void give_up(StartPlan& plan, LaunchStep step, long error) {
  plan.failed_step = step;
  plan.error = static_cast<int>(-error);
  __atomic_store_n(&plan.failed, true, __ATOMIC_RELEASE);
  for (;;) {
    raw_syscall(SYS_exit_group, 127);
  }
}

CORRAL_BARE __attribute__((always_inline)) inline void demand(StartPlan& plan, LaunchStep step, long answer) {
  if (answer < 0) {
    give_up(plan, step, answer);
  }
}

CORRAL_BARE void leave_the_supervisors_group(StartPlan& plan) {
  if (plan.own_session) {
    demand(plan, LaunchStep::session, raw_syscall(SYS_setsid));
    return;
  }
  demand(plan, LaunchStep::session, raw_syscall(SYS_setpgid, 0, 0));
  if (plan.take_terminal) {
    // From the background this raises SIGTTOU, which is blocked like every other signal here.
    pid_t group = static_cast<pid_t>(raw_syscall(SYS_getpid));
    demand(plan, LaunchStep::terminal, raw_syscall(SYS_ioctl, 0, TIOCSPGRP, address(&group)));
  }
}

/// Until the table is our own, a dup2 here would change the supervisor's descriptors. Unsharing only what lies below
/// the bound keeps a launch as cheap with 10,000 open pipes as with none.
CORRAL_BARE void own_the_descriptors(StartPlan& plan) {
  if (plan.shares_files) {
    if (raw_syscall(SYS_close_range, plan.descriptor_bound, ~0U, CLOSE_RANGE_UNSHARE) < 0) {
      demand(plan, LaunchStep::descriptors, raw_syscall(SYS_unshare, CLONE_FILES));
    }
  }
  const int last = plan.descriptors[4] >= 0 ? 5 : plan.descriptors[3] >= 0 ? 4 : 3;
  // First out of the way, so that no source is overwritten before it is used.
  int source[handed_descriptors];
  for (int i = 0; i < last; ++i) {
    source[i] = plan.descriptors[i];
    if (source[i] >= 0 && source[i] < i) {
      const long moved = raw_syscall(SYS_fcntl, source[i], F_DUPFD_CLOEXEC, handed_descriptors);
      demand(plan, LaunchStep::descriptors, moved);
      source[i] = static_cast<int>(moved);
    }
  }
  for (int i = 0; i < last; ++i) {
    if (source[i] == i) {
      demand(plan, LaunchStep::descriptors, raw_syscall(SYS_fcntl, i, F_SETFD, 0));
    } else if (source[i] >= 0) {
      demand(plan, LaunchStep::descriptors, raw_syscall(SYS_dup3, source[i], i, 0));
    }
  }
  // Where close_range is denied, CLOEXEC on every descriptor of ours does the work.
  raw_syscall(SYS_close_range, last, ~0U, 0);
}

CORRAL_BARE void limit_resources(StartPlan& plan) {
  for (std::size_t i = 0; i < plan.limit_count; ++i) {
    plan.detail = plan.limits[i].resource;
    demand(plan, LaunchStep::limits, raw_syscall(SYS_prlimit64, 0, plan.limits[i].resource, address(&plan.limits[i].limit), 0));
  }
  if (plan.set_nice) {
    plan.detail = -1;
    demand(plan, LaunchStep::limits, raw_syscall(SYS_setpriority, PRIO_PROCESS, 0, plan.nice));
  }
  if (plan.umask >= 0) {
    raw_syscall(SYS_umask, plan.umask);
  }
  if (plan.timer_slack != 0) {
    raw_syscall(SYS_prctl, PR_SET_TIMERSLACK, static_cast<long>(plan.timer_slack));
  }
  if (plan.affinity != nullptr) {
    demand(plan, LaunchStep::affinity,
           raw_syscall(SYS_sched_setaffinity, 0, static_cast<long>(plan.affinity_size), address(plan.affinity)));
  }
}

CORRAL_BARE void change_identity(StartPlan& plan) {
  if (plan.set_groups) {
    demand(plan, LaunchStep::groups, raw_syscall(SYS_setgroups, static_cast<long>(plan.group_count), address(plan.groups)));
  }
  if (plan.set_group) {
    demand(plan, LaunchStep::group, raw_syscall(SYS_setresgid, plan.group, plan.group, plan.group));
    gid_t got[3] = {};
    raw_syscall(SYS_getresgid, address(&got[0]), address(&got[1]), address(&got[2]));
    if (got[0] != plan.group || got[1] != plan.group || got[2] != plan.group) {
      give_up(plan, LaunchStep::group, -1);
    }
  }
  if (plan.set_user) {
    demand(plan, LaunchStep::user, raw_syscall(SYS_setresuid, plan.user, plan.user, plan.user));
    uid_t got[3] = {};
    raw_syscall(SYS_getresuid, address(&got[0]), address(&got[1]), address(&got[2]));
    if (got[0] != plan.user || got[1] != plan.user || got[2] != plan.user) {
      give_up(plan, LaunchStep::user, -1);
    }
  }
  if (plan.no_new_privileges) {
    demand(plan, LaunchStep::privileges, raw_syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  }
}

/// After the change of identity, which clears it. A supervisor that died before this line would never tell us.
CORRAL_BARE void die_with_the_supervisor(StartPlan& plan) {
  demand(plan, LaunchStep::privileges, raw_syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
  if (raw_syscall(SYS_getppid) != plan.supervisor) {
    give_up(plan, LaunchStep::parent_died, 0);
  }
}

CORRAL_BARE void restore_signals() {
  KernelSigaction standard{};  // SIG_DFL. Everything else is at its default in the supervisor, or reset by execve.
  raw_syscall(SYS_rt_sigaction, SIGPIPE, address(&standard), 0, sizeof(unsigned long));
  unsigned long none = 0;
  raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, address(&none), 0, sizeof none);
}

}  // namespace

CORRAL_BARE void start_worker(void* argument) {
  StartPlan& plan = *static_cast<StartPlan*>(argument);
  leave_the_supervisors_group(plan);
  own_the_descriptors(plan);
  limit_resources(plan);
  if (plan.directory != nullptr) {
    demand(plan, LaunchStep::directory, raw_syscall(SYS_chdir, address(plan.directory)));
  }
  change_identity(plan);
  die_with_the_supervisor(plan);
  restore_signals();
  give_up(plan, LaunchStep::exec, raw_syscall(SYS_execve, address(plan.path), address(plan.argv), address(plan.envp)));
}

}  // namespace corral::process
