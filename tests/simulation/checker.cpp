#include "tests/simulation/checker.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <utility>

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
void Checker::stopping(Instant now, Duration grace, int number) {
  const Patience patience;
  const Duration drain = std::max(patience.output, patience.kill);
  const Instant by = now + grace + patience.kill + drain + patience.kill + 2s;
  exit_by_ = exit_by_ ? std::min(*exit_by_, by) : by;
  if (!stop_at_) {
    stop_at_ = now;
    stopped_by_ = number;
  }
}

void Checker::before(Instant now, const Event& event) {
  now_ = now;
  told_deadline_ = std::holds_alternative<DeadlineReached>(event);
  told_to_kill_ = must_stop_ = false;
  passing_on_ = 0;
  passed_on_ = 0;
  drain_due_ = 0;
  freed_.reset();
  if (sweeping_) {
    return;  // All workers have come to rest; nobody listens any more.
  }
  if (const auto* signal = std::get_if<SignalReceived>(&event)) {
    told(now, *signal);
  } else if (const auto* ready = std::get_if<WorkerReady>(&event)) {
    if (slot(ready->life.worker).life == ready->life) {
      slot(ready->life.worker).ready = now;
    }
  } else if (const auto* exited = std::get_if<WorkerExited>(&event)) {
    Slot& known = slot(exited->life.worker);
    if (known.life == exited->life) {
      known.exited = now;
      known.status = exited->status;
      const PlannedProgram* planned = program(exited->life.worker.program);
      known.ended_unasked = !stop_at_ && !known.stop_sent && !known.kill_sent && !known.unwanted && !tasks_ended_ &&
                            planned != nullptr && exited->life.worker.index < planned->workers() &&
                            !failed_programs_.contains(exited->life.worker.program);
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
  } else if (const auto* closed = std::get_if<OutputClosed>(&event)) {
    if (slot(closed->life.worker).life == closed->life) {
      slot(closed->life.worker).output_over = true;
    }
  } else if (const auto* swept = std::get_if<WorkerSwept>(&event)) {
    Slot& known = slot(swept->life.worker);
    if (known.life == swept->life) {
      known.swept = true;
      if (std::exchange(known.unkillable, false)) {
        freed_ = swept->life.worker;
      }
    }
  } else if (const auto* changed = std::get_if<ConfigReloaded>(&event)) {
    reloaded(*changed);
  } else if (const auto* judged = std::get_if<WorkerJudged>(&event)) {
    told(*judged);
  } else if (std::holds_alternative<TasksEnded>(event)) {
    tasks_ended_ = true;
  }
}

void Checker::told(Instant now, const SignalReceived& signal) {
  const int number = signal.signal;
  if (scenario_.transparent) {
    passing_on_ = number == SIGUSR2 ? 0 : number == SIGWINCH ? SIGUSR1 : number;
    if (number == SIGTERM || number == SIGINT || number == SIGQUIT || number == SIGHUP) {
      stop_at_ = stop_at_.value_or(now);
      if (scenario_.transparent_grace) {
        stopping(now, longest_stop());
      }
    }
    return;
  }
  if (scenario_.tasks && is_about_tasks(now, signal)) {
    return;
  }
  passing_on_ = number == SIGUSR1 || number == SIGUSR2 ? number : 0;
  const bool stops = number == SIGTERM || number == SIGINT || (number == SIGHUP && signal.terminal_gone);
  if (number == SIGQUIT) {
    told_to_kill_ = killed_at_once_ = true;
    grace_over_ = grace_over_ || std::ranges::any_of(slots_, [](const auto& entry) {
                    return entry.second.life && !entry.second.concluded && !entry.second.exited;
                  });
    stopping(now, Duration::zero(), number);
  } else if (stops && stop_at_ && number == stopped_by_ && now < *stop_at_ + Patience{}.echo) {
    return;  // One wish that came twice.
  } else if (stops && stop_at_ && number != SIGHUP) {
    told_to_kill_ = true;
    forced_by_ = number;
    stopping(now, Duration::zero());
  } else if (stops) {
    stopping(now, longest_stop(), number);
  }
}

void Checker::reloaded(const ConfigReloaded& reloaded) {
  if (stop_at_) {
    return;
  }
  for (const PlannedProgram& planned : reloaded.plan.programs) {
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
  for (auto& [id, known] : slots_) {
    known.reloaded_since_end = known.exited.has_value();
  }
  adopt(reloaded.plan);
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
  if (awaits_continue_) {
    const auto* next = std::get_if<SignalWorker>(&action);
    require(next != nullptr && next->life == *awaits_continue_ && next->signal == SIGCONT,
            "SIGCONT follows the stop signal, or a stopped process would never see it");
    awaits_continue_.reset();
  }
  if (awaits_sweep_) {
    const auto* next = std::get_if<SweepWorker>(&action);
    require(next != nullptr && next->life == *awaits_sweep_, "output whose end the sweep shall tell is followed by that sweep");
    awaits_sweep_.reset();
  }
  check_tasks(now, action);
  if (const auto* spawn = std::get_if<SpawnWorker>(&action)) {
    spawned(now, spawn->life);
  } else if (const auto* signal = std::get_if<SignalWorker>(&action)) {
    signalled(now, *signal);
  } else if (const auto* notice = std::get_if<Announce>(&action)) {
    noticed(now, notice->notice);
  } else if (const auto* drain = std::get_if<DrainOutput>(&action); drain != nullptr && drain->another_follows) {
    awaits_sweep_ = drain->life;
  } else if (const auto* left = std::get_if<AbandonOutput>(&action)) {
    abandoned(now, left->life);
  } else if (std::holds_alternative<SweepAll>(action)) {
    require(stop_at_ || !plan_.stay, "a supervisor that shall stay stays");
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
  fresh.exact_delays = known.exact_delays;
  known = fresh;
}

void Checker::abandoned(Instant now, Life life) {
  Slot& known = slot(life.worker);
  require(known.life == life && !known.output_over, "output is abandoned once, and only where it is open");
  require(known.unkillable || (known.exited && now >= *known.exited + Patience{}.output),
          "the last output has its time before it is abandoned");
  known.output_over = true;
}

void Checker::signalled(Instant now, const SignalWorker& signal) {
  Slot& known = slot(signal.life.worker);
  require(known.life == signal.life && !known.concluded, "only the present life is signalled");
  require(!known.exited, "a process that is gone is not signalled");
  if (signal.signal == passing_on_) {
    ++passed_on_;
  }
  if (scenario_.transparent && signal.signal != SIGKILL) {
    require(signal.signal == passing_on_, "signals are passed on as the rules say");
    const bool ends = signal.signal == SIGTERM || signal.signal == SIGINT || signal.signal == SIGQUIT || signal.signal == SIGHUP;
    if (ends && scenario_.transparent_grace && !known.stop_sent) {
      known.stop_sent = now;
      known.grace = plan_.programs.front().spec.stop.grace;
    }
    return;
  }
  const StopPolicy& policy = last_known(signal.life.worker.program).spec.stop;
  if (signal.signal == SIGKILL) {
    check_kill(now, known, policy);
  } else if (signal.signal != passing_on_ && !known.stop_sent) {
    require(signal.signal == policy.signal, "a worker is stopped with its own stop signal");
    known.stop_sent = now;
    known.grace = policy.grace;
    if (signal.signal != SIGCONT) {
      awaits_continue_ = signal.life;
    }
  }
}

void Checker::check_kill(Instant now, Slot& known, const StopPolicy& policy) {
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
  known.launch_timed_out = !known.stop_sent && !stop_at_ && !tasks_ended_;
}

}  // namespace corral::simulation
