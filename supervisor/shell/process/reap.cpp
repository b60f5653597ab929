// Reaping: the only place that waits for processes.
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "common/base/check.hpp"
#include "supervisor/shell/process/processes_state.hpp"

namespace corral::process {
namespace {

Duration duration_of(const timeval& time) { return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec); }

/// waitid with the resource usage that libc's wrapper leaves out. The pid, 0 for nothing yet, negative for no children.
pid_t wait_for(idtype_t kind, pid_t which, int options, siginfo_t& info, rusage& usage) {
  info.si_pid = 0;
  long answer = 0;
  do {
    answer = syscall(SYS_waitid, kind, which, &info, options | WNOHANG, &usage);
  } while (answer < 0 && errno == EINTR);
  return answer < 0 ? -1 : info.si_pid;
}

ExitStatus status_of(const siginfo_t& info) {
  return info.si_code == CLD_EXITED ? ExitStatus(ExitedWith{info.si_status})
                                    : ExitStatus(KilledBy{info.si_status, info.si_code == CLD_DUMPED});
}

/// Long after the kernel let go of our memory a process cannot die "before exec" any more.
constexpr Duration young = std::chrono::milliseconds(100);

}  // namespace

bool Processes::State::killed_by_oom(bool killed_by_us, int signal) {
  if (signal != SIGKILL || killed_by_us || !caught_up) {
    return false;
  }
  oom_credit += oom.fresh();
  if (oom_credit == 0) {
    return false;
  }
  --oom_credit;
  return true;
}

void Processes::State::bury(pid_t pid, const Leader& leader, const Death& facts, Deaths& out) {
  Death death = facts;
  death.life = leader.life;
  const KilledBy* killed = death.status.killed();
  death.out_of_memory = killed != nullptr && killed_by_oom(leader.killed_by_us, killed->signal);
  death.group_remains = process::group_remains(pid);
  living.erase(leader.life.worker);
  retire(leader, pid, death.group_remains);
  out.leaders.push_back(std::move(death));
}

bool Processes::State::reap_one(pid_t which, bool exited, Deaths& out) {
  const int job_changes = options.watch_jobs ? WSTOPPED | WCONTINUED : 0;
  siginfo_t info{};
  rusage usage{};
  // A death so soon after the launch may be one before exec, which can only be seen while the process is unreaped.
  const bool look_first = !exited && (launcher->outstanding() > 0 || coarse_now() - last_settled < young);
  if (!look_first) {
    take_outcomes();  // Before it is reaped: they concern processes that are still there.
  }
  pid_t pid = wait_for(which == 0 ? P_ALL : P_PID, which, WEXITED | job_changes | (look_first ? WNOWAIT : 0), info, usage);
  if (pid <= 0) {
    return false;
  }
  auto found = leaders.find(pid);
  const bool ended = info.si_code == CLD_EXITED || info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED;
  if (look_first && found != leaders.end() && ended) {
    take_outcomes();
  }
  std::optional<core::LaunchFailure> failure;
  bool told = false;
  if (look_first) {
    if (found != leaders.end() && ended) {
      if (info.si_code != CLD_EXITED && !found->second.failed && coarse_now() - found->second.settled_at < young &&
          died_before_exec(pid)) {
        // Its memory was let go of, which looks like an exec. Whoever has been told so already is told of an exit.
        told = std::erase_if(outcomes, [&](const LaunchOutcome& o) { return o.life == found->second.life; }) == 0;
        if (!told) {
          failure = core::LaunchFailure{core::LaunchStep::killed, info.si_status, {}};
        }
      }
    }
    pid = wait_for(P_PID, pid, WEXITED | job_changes, info, usage);
    CORRAL_CHECK(pid > 0);
  }
  if (!ended) {
    if (found != leaders.end()) {
      out.jobs.push_back({found->second.life, info.si_code == CLD_CONTINUED ? 0 : info.si_status});
    }
    return true;
  }
  search.start_over();
  if (found == leaders.end()) {
    attributed.erase(pid);
    if (strangers.erase(pid) == 0) {
      ++out.orphans;
    }
    return true;
  }
  const Leader leader = found->second;
  CORRAL_CHECK(leader.settled);
  leaders.erase(found);
  if (!unscored.empty() && unscored.back() == pid) {
    unscored.pop_back();  // In a crash loop it is the last one always.
  }
  if (!scored.empty() && scored.back().pid == pid) {
    scored.pop_back();
  }
  if (leader.failed) {
    markers.give_back(leader.marker);
    return true;
  }
  Death facts;
  facts.pid = pid;
  facts.status = status_of(info);
  facts.usage = {duration_of(usage.ru_utime), duration_of(usage.ru_stime), static_cast<std::uint64_t>(usage.ru_maxrss) * 1024};
  facts.failure = std::move(failure);
  facts.before_exec = told;
  bury(pid, leader, facts, out);
  return true;
}

bool Processes::reap(Deaths& out, std::size_t most) {
  for (std::size_t reaped = 0; reaped < most; ++reaped) {
    if (!state_->reap_one(0, false, out)) {
      state_->oom_credit = 0;
      return false;
    }
  }
  return true;
}

void Processes::reap(pid_t hint, bool exited, Deaths& out) {
  // Whatever number came with the signal: only a child that has ended is reaped here.
  if (hint > 0) {
    state_->reap_one(hint, exited, out);
  }
}

}  // namespace corral::process
