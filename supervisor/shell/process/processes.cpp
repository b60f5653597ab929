#include "supervisor/shell/process/processes.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "common/base/check.hpp"
#include "supervisor/shell/process/processes_state.hpp"
#include "supervisor/shell/process/template_parts.hpp"

namespace corral::process {

Markers::Markers() {
  // With any other slack a supervisor above us has marked us: adding to its mark would make it another's.
  static constexpr int standard = 50'000;
  if (prctl(PR_GET_TIMERSLACK) == standard) {
    base_ = standard;
  }
}

std::uint32_t Markers::take() {
  if (base_ == 0) {
    return 0;
  }
  if (!free_.empty()) {
    const std::uint32_t marker = free_.back();
    free_.pop_back();
    return marker;
  }
  return next_ < most ? next_++ : 0;
}

void Markers::give_back(std::uint32_t marker) {
  if (marker != 0) {
    free_.push_back(marker);
  }
}

int signal_group_of(pid_t leader, int number) {
  const auto send = [](pid_t whom, int what) { return kill(whom, what) == 0 ? 0 : errno; };
  const int group = send(-leader, number);
  if (getpgid(leader) != leader) {
    return send(leader, number);  // It has not come as far as making its own group, or has left members behind in it.
  }
  // A group that holds one process that may be signalled takes the signal, whoever else is in it.
  return group == 0 && number == SIGKILL ? send(leader, 0) : group;
}

bool group_remains(pid_t leader) { return kill(-leader, 0) == 0 && kill(leader, 0) != 0 && errno == ESRCH; }

Processes::Processes(std::unique_ptr<State> state) : state_(std::move(state)) {}
Processes::Processes(Processes&&) noexcept = default;
Processes& Processes::operator=(Processes&&) noexcept = default;

Processes::~Processes() {
  if (state_ && state_->cgroup) {
    state_->cgroup->remove();
  }
}

Result<Processes> Processes::open(const ProcessSetup& setup, ProcessOptions options) {
  CORRAL_CHECK(!options.identity.empty());
  auto launcher = Launcher::open(options.identity, setup, options.plain);
  if (!launcher) {
    return std::unexpected(std::move(launcher.error()));
  }
  auto state = std::make_unique<State>(std::move(options), std::move(*launcher));
  siginfo_t any{};
  if (waitid(P_ALL, 0, &any, WEXITED | WNOHANG | WNOWAIT) == 0) {
    const auto before = state->descendants.children(true);
    state->strangers_known = before.has_value();
    if (before) {
      state->strangers.insert(before->begin(), before->end());
    }
  }
  if (state->options.plain) {
    state->no_cgroup = "one command needs none";
  } else if (state->options.containment == core::Containment::subreaper) {
    state->no_cgroup = "as configured";
  } else if (auto cgroup = WorkersCgroup::create(state->options.identity)) {
    state->cgroup.emplace(std::move(*cgroup));
  } else if (state->options.containment == core::Containment::cgroup) {
    return std::unexpected(std::move(cgroup.error()));
  } else {
    state->no_cgroup = cgroup.error().message;
  }
  return Processes(std::move(state));
}

void Processes::spare(pid_t pid) { state_->strangers.insert(pid); }

std::expected<pid_t, core::LaunchFailure> Processes::launch(const LaunchRequest& request) {
  State& s = *state_;
  CORRAL_CHECK(!s.living.contains(request.life.worker));
  const std::uint32_t marker = s.options.plain ? 0 : s.markers.take();
  auto pid = s.launcher->start(request, s.cgroup ? s.cgroup->fd() : -1, s.markers.slack(marker));
  if (s.cgroup && s.launcher->cgroup_refused() != 0) {
    s.no_cgroup = system_error("cannot start workers in cgroup '" + s.cgroup->path() + "'", s.launcher->cgroup_refused()).message;
    s.notices.push_back(s.no_cgroup + "; containing them as subreaper");
    s.cgroup->remove();
    s.cgroup.reset();
  }
  if (!pid) {
    s.markers.give_back(marker);
    return pid;
  }
  const auto [leader, fresh] = s.leaders.try_emplace(*pid, Leader{request.life, marker, false, false, false, {}});
  CORRAL_CHECK(fresh);
  s.living.emplace(request.life.worker, *pid);
  return pid;
}

void Processes::State::take_outcomes() {
  finished.clear();
  launcher->collect(finished);
  for (Launcher::Finished& launch : finished) {
    const auto found = leaders.find(launch.pid);
    CORRAL_CHECK(found != leaders.end() && found->second.life == launch.life);
    found->second.settled = true;
    found->second.settled_at = last_settled = coarse_now();
    if (launch.failure) {
      found->second.failed = true;
      living.erase(launch.life.worker);
    } else if (const std::optional<int> score = launch.program->parts().oom_score_adj) {
      set_oom_score(launch.life, launch.pid, *score, &launch.program->parts().program);
    } else if (!launch.transparent && !scores_inherited) {
      unscored.push_back(launch.pid);
    }
    outcomes.push_back({launch.life, launch.pid, std::move(launch.failure)});
  }
}

void Processes::settle(std::vector<LaunchOutcome>& out) {
  State& s = *state_;
  s.take_outcomes();
  std::ranges::move(s.outcomes, std::back_inserter(out));
  s.outcomes.clear();
}

void Processes::let_go_of_output() { state_->launcher->let_go_of_output(); }

std::size_t Processes::living() const { return state_->living.size(); }

std::size_t Processes::outstanding() const { return state_->launcher->outstanding() + state_->outcomes.size(); }

int Processes::signal(Life life, int number) {
  State& s = *state_;
  if (const auto found = s.living.find(life.worker); found != s.living.end()) {
    const pid_t pid = found->second;
    Leader& leader = s.leaders.at(pid);
    if (leader.life.incarnation == life.incarnation) {
      leader.killed_by_us = leader.killed_by_us || number == SIGKILL;
      return signal_group_of(pid, number);
    }
  }
  const auto rest = s.resting.find(life.worker);
  if (rest == s.resting.end() || rest->second.incarnation != life.incarnation || !rest->second.group) {
    return ESRCH;
  }
  rest->second.group = group_remains(rest->second.leader);
  return !rest->second.group ? ESRCH : kill(-rest->second.leader, number) == 0 ? 0 : errno;
}

void Processes::State::retire(const Leader& leader, pid_t pid, bool group) {
  Remains& rest = resting[leader.life.worker];
  markers.give_back(rest.marker);
  rest = Remains{pid, group, leader.marker, leader.life.incarnation};
}

void Processes::forget(WorkerId worker) {
  State& s = *state_;
  CORRAL_CHECK(!s.living.contains(worker));
  if (const auto rest = s.resting.find(worker); rest != s.resting.end()) {
    s.markers.give_back(rest->second.marker);
    s.resting.erase(rest);
  }
}

void Processes::catch_up() {
  State& s = *state_;
  if (s.caught_up) {
    return;
  }
  s.caught_up = true;
  s.oom.start();
  if (!s.options.plain && !s.descendants.children(false)) {
    s.notices.emplace_back(
        "/proc cannot be read (it is not mounted, or is that of another PID namespace): descendants that leave the process group "
        "of "
        "their worker cannot be found until everything stops");
  }
}

std::string Processes::containment() const {
  return state_->cgroup ? "cgroup " + state_->cgroup->path() : "subreaper (" + state_->no_cgroup + ")";
}

std::vector<std::string> Processes::take_notices() {
  std::vector<std::string> out = state_->launcher->take_notices();
  std::ranges::move(state_->notices, std::back_inserter(out));
  state_->notices.clear();
  return out;
}

}  // namespace corral::process
