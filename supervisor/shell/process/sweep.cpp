// Sweeping: nothing of a life is left when corral says so, double-forked and setsid'ed descendants included.
//
// A process cannot run from this: when its parent dies it becomes a child of ours, and stays in the list of our children until
// we reap it. (One that a worker makes with CLONE_PARENT is our child at once, in the list of those that we have started; that
// one is looked through while it is short, and in any case when everything stops.) What is killed hands its own children over in
// turn; each pass takes one more generation, and SIGCHLD calls for the next pass.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "common/base/check.hpp"
#include "supervisor/shell/process/processes_state.hpp"

namespace corral::process {
namespace {

/// So many workers cost less to look through than one costs to restart.
constexpr std::size_t few = 16;

}  // namespace

/// Nothing where /proc does not tell.
std::optional<std::vector<pid_t>> Processes::State::orphans(bool among_what_we_started_too) {
  auto pids = descendants.children(among_what_we_started_too);
  if (pids) {
    std::erase_if(*pids, [this](pid_t pid) { return leaders.contains(pid) || strangers.contains(pid); });
  }
  return pids;
}

/// Without /proc: some of them, others at the next call.
std::vector<pid_t> Processes::State::orphans_by_search() {
  if (getpid() == 1) {
    kill(-1, SIGKILL);  // All there are but ourselves: with PID 1 they would end in any case.
    return {};
  }
  if (!strangers_known) {
    return {};
  }
  std::vector<pid_t> pids = search.look();
  std::erase_if(pids, [this](pid_t pid) { return leaders.contains(pid) || strangers.contains(pid); });
  return pids;
}

/// The life that an orphan came from; nothing where that cannot be told.
std::optional<Life> Processes::State::origin(pid_t orphan) {
  if (const auto known = attributed.find(orphan); known != attributed.end()) {
    return known->second;
  }
  const pid_t session = getsid(orphan);
  for (const pid_t leader : {session, getpgid(orphan)}) {
    if (const auto found = leaders.find(leader); found != leaders.end()) {
      return found->second.life;
    }
  }
  for (const auto& [life, rest] : sweeps) {
    if (rest.leader == session && kill(session, 0) != 0) {
      return life;
    }
  }
  const auto variable = supervisor_variable(orphan);
  if (!variable) {
    return std::nullopt;
  }
  std::optional<Life> life = life_named(*variable, options.identity);
  if (!life && variable->empty()) {
    const unsigned long slack = timer_slack_of(orphan);
    for (const auto& [swept, rest] : sweeps) {
      if (rest.marker != 0 && slack == markers.slack(rest.marker)) {
        life = swept;
      }
    }
  }
  if (life) {
    attributed.emplace(orphan, *life);
  }
  return life;
}

/// A process may go into any group of its session, which may be one of somebody who has nothing to do with us.
bool Processes::State::is_our_group(pid_t group, pid_t orphan) const {
  const auto is_led_by = [group](const auto& entry) { return entry.second.leader == group; };
  return group == orphan || std::ranges::any_of(sweeps, is_led_by) || std::ranges::any_of(resting, is_led_by);
}

/// It is our child and not reaped: its pid is its own.
int Processes::State::kill_orphan(pid_t orphan) {
  if (const pid_t group = getpgid(orphan); group > 1 && is_our_group(group, orphan)) {
    kill(-group, SIGKILL);
  }
  return kill(orphan, SIGKILL) == 0 ? 0 : errno;
}

void Processes::sweep(Life life) {
  State& s = *state_;
  if (s.sweeps.contains(life)) {
    return;
  }
  if (const auto found = s.living.find(life.worker); found != s.living.end()) {
    CORRAL_CHECK(s.leaders.at(found->second).life.incarnation != life.incarnation);
  }
  Remains rest;
  if (const auto found = s.resting.find(life.worker); found != s.resting.end() && found->second.incarnation == life.incarnation) {
    rest = found->second;
    s.resting.erase(found);
  }
  if (rest.group && group_remains(rest.leader)) {
    kill(-rest.leader, SIGKILL);
  }
  s.sweeps.emplace(life, rest);
}

void Processes::finish_sweeps(std::vector<Life>& gone) {
  State& s = *state_;
  if (s.sweeps.empty()) {
    return;
  }
  std::unordered_set<Life, LifeHash> alive;
  bool unknown_ending = false;
  for (const pid_t orphan : s.orphans(s.leaders.size() <= few).value_or(std::vector<pid_t>{})) {
    const std::optional<Life> life = s.origin(orphan);
    if (life && s.sweeps.contains(*life)) {
      alive.insert(*life);
      s.kill_orphan(orphan);
    } else if (!life && is_ending(orphan)) {
      unknown_ending = true;  // It may just have left us children of a life that we sweep: reap it, then look again.
    }
  }
  for (auto it = s.sweeps.begin(); it != s.sweeps.end();) {
    Remains& rest = it->second;
    rest.group = rest.group && group_remains(rest.leader);
    if (rest.group) {
      kill(-rest.leader, SIGKILL);
    }
    if (rest.group || unknown_ending || alive.contains(it->first)) {
      ++it;
      continue;
    }
    s.markers.give_back(rest.marker);
    gone.push_back(it->first);
    it = s.sweeps.erase(it);
  }
}

bool Processes::sweeping() const { return !state_->sweeps.empty(); }

core::Leftovers Processes::sweep_all() {
  State& s = *state_;
  core::Leftovers left;
  const auto note = [&left](pid_t pid, int error) {
    ++left.found;
    if (error == EPERM) {
      ++left.refused;
      left.error_number = error;
    }
    left.pid = left.pid == 0 || error == EPERM ? pid : left.pid;
  };
  for (auto& [pid, leader] : s.leaders) {
    leader.killed_by_us = true;
    note(pid, signal_group_of(pid, SIGKILL));
  }
  if (s.cgroup && s.cgroup->populated()) {
    s.cgroup->kill();
  }
  for (auto& [worker, rest] : s.resting) {
    if (rest.group && group_remains(rest.leader)) {
      kill(-rest.leader, SIGKILL);
    }
  }
  const auto listed = s.orphans(true);
  left.hidden = !listed;
  for (const pid_t orphan : listed ? *listed : s.orphans_by_search()) {
    note(orphan, s.kill_orphan(orphan));
  }
  return left;
}

bool Processes::alone() {
  State& s = *state_;
  siginfo_t info{};
  if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0) {
    if (s.strangers.empty() || !s.leaders.empty()) {
      return false;
    }
    if (const auto orphans = s.orphans(true); !orphans || !orphans->empty()) {
      return false;
    }
  }
  return !s.cgroup || !s.cgroup->populated();
}

}  // namespace corral::process
