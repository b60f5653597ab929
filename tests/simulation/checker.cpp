#include "tests/simulation/checker.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>

#include "supervisor/core/supervisor.hpp"

namespace corral::simulation {

using namespace core;

namespace {

bool same_process(const PlannedProgram& left, const PlannedProgram& right) {
  return left.spec.launch == right.spec.launch && left.placements == right.placements;
}

}  // namespace

void Checker::require(bool holds, const std::string& invariant) const {
  if (!holds) {
    throw Violation(invariant);
  }
}

/// As it was when it was last configured.
const PlannedProgram& Checker::last_known(ProgramId id) const { return last_known_.at(id); }

const PlannedProgram* Checker::program(ProgramId id) const {
  const auto found = std::ranges::find(plan_.programs, id, &PlannedProgram::id);
  return found == plan_.programs.end() ? nullptr : &*found;
}

// ---- What the core is told ------------------------------------------------------------------------------------------

Duration Checker::longest_stop() const {
  Duration longest{};
  for (const PlannedProgram& planned : plan_.programs) {
    longest = std::max(longest, planned.spec.stop.grace);
  }
  for (const auto& [id, known] : slots_) {
    longest = std::max(longest, known.grace);
  }
  return longest;
}

/// From now on everything must be over within the sum of all deadlines; timers come up to 50 ms late each.
void Checker::stopping(Instant now, Duration grace) {
  const Patience patience;
  const Duration drain = std::max(patience.output, patience.kill);
  const Instant by = now + grace + patience.kill + drain + patience.kill + 2s;
  exit_by_ = exit_by_ ? std::min(*exit_by_, by) : by;
  if (!stop_at_) {
    stop_at_ = now;
  }
}

void Checker::before(Instant now, const Event& event) {
  now_ = now;
  told_deadline_ = std::holds_alternative<DeadlineReached>(event);
  if (sweeping_) {
    return;  // All workers have come to rest; nobody listens any more.
  }
  if (const auto* signal = std::get_if<SignalReceived>(&event)) {
    const int number = signal->signal;
    if (scenario_.transparent) {
      if (number == SIGTERM || number == SIGINT || number == SIGQUIT || number == SIGHUP) {
        stop_at_ = stop_at_.value_or(now);
        if (scenario_.transparent_grace) {
          stopping(now, longest_stop());
        }
      }
      return;
    }
    const bool stops = number == SIGTERM || number == SIGINT || (number == SIGHUP && signal->terminal_gone);
    if (number == SIGQUIT) {
      killed_at_once_ = true;
      grace_over_ = grace_over_ || std::ranges::any_of(slots_, [](const auto& entry) {
                      return entry.second.life && !entry.second.concluded && !entry.second.exited;
                    });
      stopping(now, Duration::zero());
    } else if (stops && stop_at_ && number != SIGHUP) {
      forced_by_ = number;
      stopping(now, Duration::zero());
    } else if (stops) {
      stopping(now, longest_stop());
    }
  } else if (const auto* ready = std::get_if<WorkerReady>(&event)) {
    if (slot(ready->life.worker).life == ready->life) {
      slot(ready->life.worker).ready = now;
    }
  } else if (const auto* exited = std::get_if<WorkerExited>(&event)) {
    Slot& known = slot(exited->life.worker);
    if (known.life == exited->life) {
      known.exited = now;
      known.status = exited->status;
      last_status_ = exited->status;
      unanswered_.erase(exited->life);
    }
  } else if (const auto* failed = std::get_if<SpawnFailed>(&event)) {
    if (slot(failed->life.worker).life == failed->life) {
      last_launch_failure_ = failed->failure;
    }
    unanswered_.erase(failed->life);
  } else if (const auto* answered = std::get_if<WorkerSpawned>(&event)) {
    unanswered_.erase(answered->life);
  } else if (const auto* swept = std::get_if<WorkerSwept>(&event)) {
    if (slot(swept->life.worker).life == swept->life) {
      slot(swept->life.worker).swept = true;
      slot(swept->life.worker).unkillable = false;
    }
  } else if (const auto* reloaded = std::get_if<ConfigReloaded>(&event)) {
    if (stop_at_) {
      return;
    }
    for (const PlannedProgram& planned : reloaded->plan.programs) {
      const PlannedProgram* old = program(planned.id);
      if (old != nullptr && old->spec.restart.limit != planned.spec.restart.limit) {
        unhealthy_exits_[planned.id].clear();  // A new limit counts from now on.
      }
      if (old == nullptr || !same_process(*old, planned)) {
        unhealthy_exits_[planned.id].clear();
        failed_programs_.erase(planned.id);
        for (auto& [id, known] : slots_) {
          if (id.program == planned.id) {
            known.unhealthy = 0;
            known.not_before = {};
          }
        }
      }
    }
    adopt(reloaded->plan);
  }
}

void Checker::adopt(const Plan& plan) {
  plan_ = plan;
  for (const PlannedProgram& planned : plan.programs) {
    last_known_[planned.id] = planned;
  }
}

// ---- What it decides ------------------------------------------------------------------------------------------------

void Checker::decided(Instant now, const Action& action) {
  require(!exit_status_, "nothing is decided after ExitSupervisor");
  if (const auto* spawn = std::get_if<SpawnWorker>(&action)) {
    spawned(now, spawn->life);
  } else if (const auto* signal = std::get_if<SignalWorker>(&action)) {
    signalled(now, *signal);
  } else if (const auto* notice = std::get_if<Announce>(&action)) {
    noticed(now, notice->notice);
  } else if (std::holds_alternative<SweepAll>(action)) {
    sweeping_ = true;
  } else if (const auto* ended = std::get_if<ExitSupervisor>(&action)) {
    finished(now, ended->status);
  }
}

void Checker::spawned(Instant now, Life life) {
  Slot& known = slot(life.worker);
  require(!stop_at_, "nothing is launched once everything was told to stop");
  const PlannedProgram* planned = program(life.worker.program);
  require(planned != nullptr, "only programs of the configuration in force are launched");
  require(life.worker.index < planned->workers(), "only workers of the configuration in force are launched");
  require(!failed_programs_.contains(life.worker.program), "a failed program is not launched");
  require(!known.unkillable, "a slot whose process cannot be killed is not used again");
  if (known.life) {
    const Process& process = kernel_.processes().at(*known.life);
    require(!process.alive, "a slot never has two live processes");
    require(known.swept || known.failed_launch, "no descendant of the last life is alive when the next begins");
    require(known.concluded, "a life is concluded before the next begins");
  }
  require(number(life.incarnation) > number(known.last), "incarnations count up");
  require(now >= known.not_before, "a restart waits for its delay");
  unanswered_.insert(life);
  require(unanswered_.size() <= scenario_.launches_at_once, "launches at once are bounded");
  Slot fresh;
  fresh.life = life;
  fresh.last = life.incarnation;
  fresh.concluded = false;
  fresh.swept = false;
  fresh.unhealthy = known.unhealthy;
  known = fresh;
}

void Checker::signalled(Instant now, const SignalWorker& signal) {
  Slot& known = slot(signal.life.worker);
  require(known.life == signal.life && !known.concluded, "only the present life is signalled");
  require(!known.exited, "a process that is gone is not signalled");
  if (scenario_.transparent && signal.signal != SIGKILL) {
    const bool ends = signal.signal == SIGTERM || signal.signal == SIGINT || signal.signal == SIGQUIT || signal.signal == SIGHUP;
    if (ends && scenario_.transparent_grace && !known.stop_sent) {
      known.stop_sent = now;
      known.grace = plan_.programs.front().spec.stop.grace;
    }
    return;
  }
  const StopPolicy& policy = last_known(signal.life.worker.program).spec.stop;
  if (signal.signal == SIGKILL) {
    known.kill_sent = known.kill_sent.value_or(now);
    const bool patience_over = known.stop_sent && now >= *known.stop_sent + known.grace;
    const bool is_stop_signal = policy.signal == SIGKILL;
    const bool launch_took_too_long = !known.ready;
    require(patience_over || forced_by_ != 0 || killed_at_once_ || is_stop_signal || launch_took_too_long,
            "SIGKILL comes after the grace, not before");
    grace_over_ = grace_over_ || (patience_over && forced_by_ == 0 && stop_at_ && !is_stop_signal);
    if (is_stop_signal && !known.stop_sent) {
      known.stop_sent = now;
      known.grace = policy.grace;
    }
  } else if (signal.signal != SIGUSR1 && signal.signal != SIGUSR2 && !known.stop_sent) {
    require(signal.signal == policy.signal, "a worker is stopped with its own stop signal");
    known.stop_sent = now;
    known.grace = policy.grace;
  }
}

void Checker::noticed(Instant now, const Notice& notice) {
  if (const auto* ended = std::get_if<Ended>(&notice)) {
    concluded(now, ended->life, ended->verdict, false);
  } else if (const auto* failed = std::get_if<LaunchFailed>(&notice)) {
    last_launch_failure_ = failed->failure;
    concluded(now, failed->life, failed->verdict, true);
  } else if (const auto* lost = std::get_if<ProgramFailed>(&notice)) {
    failed_programs_.insert(lost->program);
    anything_failed_ = true;
    if (lost->shuts_down && !stop_at_) {
      stopping(now, longest_stop());
    }
  } else if (const auto* begun = std::get_if<ShutdownBegun>(&notice)) {
    if (begun->cause.kind == StopCause::Kind::program_failed && !stop_at_) {
      stopping(now, longest_stop());
    }
  } else if (const auto* hopeless = std::get_if<Unkillable>(&notice)) {
    Slot& known = slot(hopeless->life.worker);
    require(known.kill_sent.has_value(), "only what was sent SIGKILL can be unkillable");
    known.unkillable = true;
    known.concluded = true;
    anything_failed_ = true;
    left_behind_ = true;
  } else if (const auto* killed = std::get_if<KillSent>(&notice)) {
    const Slot& known = slot(killed->life.worker);
    const bool signals_alike = last_known(killed->life.worker.program).spec.stop.signal == SIGKILL;
    require(signals_alike || killed->grace.has_value() == (known.stop_sent && now >= *known.stop_sent + known.grace),
            "a kill says that the grace was over when it was, and only then");
  } else if (const auto* gone = std::get_if<GoneAtLast>(&notice)) {
    require(!kernel_.processes().at(gone->life).alive, "what is said to be gone is gone");
  } else if (const auto* started = std::get_if<Started>(&notice)) {
    require(slot(started->life.worker).ready.has_value(), "a worker runs when exec has succeeded, not before");
    anything_ran_ = true;
  } else if (std::holds_alternative<LeftBehind>(notice)) {
    left_behind_ = true;
  } else if (const auto* broken = std::get_if<ShellBrokePromise>(&notice)) {
    require(false, "the fake kernel keeps its promises, but the core saw " + broken->what);
  }
}

// ---- The policy, told naively ---------------------------------------------------------------------------------------

void Checker::concluded(Instant now, Life life, const Verdict& verdict, bool launch_failed) {
  Slot& known = slot(life.worker);
  require(known.life == life && !known.concluded, "each life is concluded exactly once");
  require(!kernel_.processes().at(life).alive, "a life is concluded when its process is gone");
  known.concluded = true;
  known.failed_launch = launch_failed && !known.exited;
  if (verdict.kind == Verdict::Kind::survivors) {
    require(!known.swept, "descendants are given up only where there are some");
    anything_failed_ = true;
    left_behind_ = true;
    known.unkillable = true;
    return;
  }
  require(known.swept || known.failed_launch, "a life is concluded when its descendants are gone");
  const PlannedProgram* planned = program(life.worker.program);
  const bool leaves = planned == nullptr || life.worker.index >= planned->workers();
  if (stop_at_ || leaves) {
    require(verdict.kind == Verdict::Kind::stopped || verdict.kind == Verdict::Kind::program_failed,
            "what was told to stop is stopped");
    return;
  }
  if (verdict.kind == Verdict::Kind::replaced) {
    return;
  }
  if (failed_programs_.contains(life.worker.program)) {
    require(verdict.kind == Verdict::Kind::program_failed, "a failed program's workers are not started again");
    return;
  }
  const RestartPolicy& policy = planned->spec.restart;
  const bool success = !launch_failed && known.status && known.status->exited() != nullptr &&
                       std::ranges::count(policy.success_codes, known.status->exited()->code) > 0;
  const bool again = policy.when == RestartWhen::always || (policy.when == RestartWhen::on_failure && !success);
  if (!again) {
    require(verdict.kind == (success ? Verdict::Kind::finished : Verdict::Kind::not_restarted),
            "the policy restarts nothing here");
    anything_failed_ = anything_failed_ || !success;
    return;
  }
  const bool healthy = !launch_failed && known.ready && *known.exited - *known.ready >= policy.healthy_after;
  check_restart(now, known, *planned, verdict, healthy);
}

void Checker::check_restart(Instant now, Slot& known, const PlannedProgram& planned, const Verdict& verdict, bool healthy) {
  const RestartPolicy& policy = planned.spec.restart;
  known.unhealthy = healthy ? 0 : known.unhealthy + 1;
  std::vector<Instant>& exits = unhealthy_exits_[planned.id];
  if (!healthy) {
    exits.push_back(now);
  }
  if (policy.limit && !healthy) {
    const auto recent = std::ranges::count_if(exits, [&](Instant at) { return now - at < policy.limit->within; });
    if (static_cast<std::uint32_t>(recent) > policy.limit->restarts) {
      require(verdict.kind == Verdict::Kind::program_failed, "a program beyond its limit fails");
      return;
    }
  }
  require(verdict.kind == Verdict::Kind::restart, "the policy restarts here");
  double base = 0;
  if (known.unhealthy > 0) {
    base = static_cast<double>(policy.delay.count());
    for (std::uint32_t i = 1; i < known.unhealthy && base < static_cast<double>(policy.max_delay.count()); ++i) {
      base *= policy.factor;
    }
    base = policy.delay == Duration::zero() ? 0 : std::min(base, static_cast<double>(policy.max_delay.count()));
  }
  const auto delay = static_cast<double>(verdict.delay.count());
  require(delay >= base * (1 - policy.jitter) - 2 && delay <= base * (1 + policy.jitter) + 2,
          "the delay follows from delay, factor, max_delay and jitter");
  known.not_before = now + verdict.delay;
}

// ---- The end --------------------------------------------------------------------------------------------------------

int Checker::expected_status() const {
  if (scenario_.transparent) {
    if (!anything_ran_ && last_launch_failure_) {
      const bool exec = last_launch_failure_->step == LaunchStep::exec;
      return exec && last_launch_failure_->error_number == ENOENT ? 127 : exec ? 126 : 125;
    }
    return last_status_ ? last_status_->shell_code() : left_behind_ ? 3 : 0;
  }
  if (forced_by_ != 0) {
    return 128 + forced_by_;
  }
  if (!anything_ran_ && anything_failed_ && last_launch_failure_) {
    return 125;
  }
  return grace_over_ || left_behind_ ? 3 : anything_failed_ ? 1 : 0;
}

void Checker::finished(Instant, int status) {
  exit_status_ = status;
  for (const auto& [life, process] : kernel_.processes()) {
    require(!process.alive || left_behind_, "no process outlives the supervisor unless it said so");
    require(process.descendants == 0 || left_behind_, "no descendant outlives the supervisor unless it said so");
  }
  for (const auto& [id, known] : slots_) {
    require(known.concluded, "every life is concluded before the end");
  }
  require(status == expected_status(),
          "the exit status says what happened: " + std::to_string(status) + ", expected " + std::to_string(expected_status()));
}

void Checker::after(Instant now, const Snapshot& snapshot, std::optional<Instant> next_deadline) {
  require(!exit_by_ || now <= *exit_by_ || exit_status_, "a stop ends within the sum of its deadlines");
  if (told_deadline_ && next_deadline && *next_deadline <= now) {
    require(++repeated_deadlines_ < 3, "a deadline is acted upon, not looked at again and again");
  } else {
    repeated_deadlines_ = 0;
  }
  for (const ProgramSnapshot& seen : snapshot.programs) {
    for (const WorkerSnapshot& worker : seen.workers) {
      const Slot& known = slot(WorkerId{seen.id, worker.index});
      if (const auto* stopping_now = std::get_if<Stopping>(&worker.state)) {
        require(!known.stop_sent || stopping_now->kill_at <= *known.stop_sent + known.grace || scenario_.transparent,
                "the grace is counted from the stop signal");
      }
      require(kind(worker.state) != StateKind::running || known.ready, "running means that exec has succeeded");
    }
  }
}

void Checker::at_rest(const Snapshot& snapshot) const {
  for (const ProgramSnapshot& seen : snapshot.programs) {
    for (const WorkerSnapshot& worker : seen.workers) {
      const StateKind state = kind(worker.state);
      require(is_settled(state) || state == StateKind::running, "nobody waits for something that will never come");
      require(state != StateKind::stopped || !worker.wanted_up, "a worker that is wanted is up, finished or failed");
    }
  }
}

}  // namespace corral::simulation
