// What the core decides, checked against what it may and what it must.
#include "tests/simulation/checker.hpp"

#include <algorithm>
#include <csignal>

#include "supervisor/core/supervisor.hpp"

namespace corral::simulation {

using namespace core;

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
