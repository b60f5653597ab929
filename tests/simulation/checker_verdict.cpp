// What the core says, and what should follow the end of a life and of everything: the policies told once more, naively.
#include <algorithm>
#include <cerrno>
#include <csignal>

#include "tests/simulation/checker.hpp"

namespace corral::simulation {

using namespace core;

void Checker::noticed(Instant now, const Notice& notice) {
  if (const auto* ended = std::get_if<Ended>(&notice)) {
    check_end(*ended);
    concluded(now, ended->life, ended->verdict, false);
    check_unhealthy(ended->life, ended->verdict, ended->unhealthy_in_a_row);
  } else if (const auto* failed = std::get_if<LaunchFailed>(&notice)) {
    last_launch_failure_ = failed->failure;
    concluded(now, failed->life, failed->verdict, true);
    check_unhealthy(failed->life, failed->verdict, failed->unhealthy_in_a_row);
  } else if (const auto* stop = std::get_if<StopSignalled>(&notice)) {
    check_stop(*stop);
  } else if (const auto* lost = std::get_if<ProgramFailed>(&notice)) {
    failed_programs_.insert(lost->program);
    anything_failed_ = true;
    if (lost->shuts_down && !stop_at_) {
      stopping(now, longest_stop());
    }
  } else if (const auto* begun = std::get_if<ShutdownBegun>(&notice)) {
    require(!scenario_.tasks || aborted_, "tasks are told of a stop before any worker is");
    if (begun->cause.kind == StopCause::Kind::program_failed && !stop_at_) {
      stopping(now, longest_stop());
    }
  } else if (const auto* hopeless = std::get_if<Unkillable>(&notice)) {
    Slot& known = slot(hopeless->life.worker);
    unanswered_.erase(hopeless->life);
    require(known.kill_sent.has_value(), "only what was sent SIGKILL can be unkillable");
    require(hopeless->error_number == known.refused, "whoever cannot be killed is said to be so for the right reason");
    known.unkillable = true;
    known.concluded = true;
    anything_failed_ = true;
    left_behind_ = true;
  } else if (const auto* killed = std::get_if<KillSent>(&notice)) {
    Slot& known = slot(killed->life.worker);
    known.killing = true;
    known.refused = 0;
    const bool signals_alike = last_known(killed->life.worker.program).spec.stop.signal == SIGKILL;
    require(signals_alike || killed->grace.has_value() == (known.stop_sent && now >= *known.stop_sent + known.grace),
            "a kill says that the grace was over when it was, and only then");
  } else if (const auto* refused = std::get_if<SignalRefused>(&notice)) {
    const Slot& known = slot(refused->life.worker);
    require(awaits_refusal_ == refused->life && refused->error_number == known.refused,
            "a refusal is said when there is news of it");
    require(refused->give_up_in.has_value() == known.killing, "after SIGKILL, and only then, nothing is next but to give up");
    awaits_refusal_.reset();
  } else if (const auto* gone = std::get_if<GoneAtLast>(&notice)) {
    require(!kernel_.processes().at(gone->life).alive, "what is said to be gone is gone");
  } else if (const auto* started = std::get_if<Started>(&notice)) {
    require(slot(started->life.worker).ready.has_value(), "a worker runs when exec has succeeded, not before");
    anything_ran_ = true;
  } else if (const auto* passed = std::get_if<SignalPassedOn>(&notice)) {
    told_of(now, *passed);
  } else if (const auto* behind = std::get_if<LeftBehind>(&notice)) {
    require(leftovers_ == behind->left, "what is left behind is what the last look has found");
    left_behind_ = incomplete_ = true;
  } else if (const auto* broken = std::get_if<ShellBrokePromise>(&notice)) {
    require(false, "the fake kernel keeps its promises, but the core saw " + broken->what);
  }
}

/// Each one is told of, but not one by one in a storm.
void Checker::told_of(Instant now, const SignalPassedOn& passed) {
  const auto last = told_at_.find(passed.signal);
  told_too_soon_ = told_too_soon_ || (last != told_at_.end() && now < last->second + 1s);
  told_at_[passed.signal] = now;
  heard_[passed.signal] -= passed.times;
}

// ---- The policy, told naively ---------------------------------------------------------------------------------------

void Checker::concluded(Instant now, Life life, const Verdict& verdict, bool launch_failed) {
  Slot& known = slot(life.worker);
  require(known.life == life && !known.concluded, "each life is concluded exactly once");
  require(!kernel_.processes().at(life).alive, "a life is concluded when its process is gone");
  known.concluded = true;
  known.failed_launch = launch_failed && !known.exited;
  const int code = launch_failed || !known.status ? 0 : known.status->shell_code();
  if (known.had_terminal && (code == 128 + SIGINT || code == 128 + SIGQUIT)) {
    stop_at_ = stop_at_.value_or(now);  // Ctrl-C, which only the command has seen.
  }
  if (verdict.kind == Verdict::Kind::survivors) {
    require(!known.swept, "descendants are given up only where there are some");
    require(kernel_.processes().at(life).immortal_descendants, "descendants that can be killed are killed");
    anything_failed_ = true;
    left_behind_ = true;
    known.unkillable = true;
    return;
  }
  require(!known.launch_timed_out || (launch_failed && last_launch_failure_->step == LaunchStep::timeout),
          "a launch that took too long is a failed launch, and says so");
  // When everything stops, one sweep at the end is for all.
  require(known.swept || known.failed_launch || stop_at_, "a life is concluded when its descendants are gone");
  require(known.output_over || known.failed_launch, "a life is concluded when its output has ended, or was abandoned");
  const PlannedProgram* planned = program(life.worker.program);
  const bool leaves = planned == nullptr || life.worker.index >= planned->workers();
  const RestartPolicy& policy = last_known(life.worker.program).spec.restart;
  const bool success = !launch_failed && known.status && known.status->exited() != nullptr &&
                       std::ranges::count(policy.success_codes, known.status->exited()->code) > 0;
  const bool again = policy.when == RestartWhen::always || (policy.when == RestartWhen::on_failure && !success);
  const bool of_its_own = !launch_failed && known.ended_unasked && !again && !failed_programs_.contains(life.worker.program);
  if ((stop_at_ || leaves) && known.reloaded_since_end && verdict.kind == Verdict::Kind::stopped) {
    return;  // Its old definition may be gone, and with that what its end meant.
  }
  if ((stop_at_ || leaves || known.unwanted || tasks_ended_) && !of_its_own) {
    require(verdict.kind == Verdict::Kind::stopped || verdict.kind == Verdict::Kind::program_failed,
            "what was told to stop is stopped");
    return;
  }
  require(!scenario_.tasks || failed_programs_.contains(life.worker.program) || stop_at_ ||
              must_be_replaced(known) == (verdict.kind == Verdict::Kind::replaced),
          "who is outdated is replaced, and nobody else");
  if (verdict.kind == Verdict::Kind::replaced) {
    known.unhealthy = 0;
    return;
  }
  if (failed_programs_.contains(life.worker.program)) {
    require(verdict.kind == Verdict::Kind::program_failed, "a failed program's workers are not started again");
    return;
  }
  if (!again) {
    require(verdict.kind == (success ? Verdict::Kind::finished : Verdict::Kind::not_restarted),
            "the policy restarts nothing here");
    anything_failed_ = anything_failed_ || !success;
    must_stop_ = must_stop_ || (!success && policy.then == ThenDo::shutdown && !stop_at_);
    return;
  }
  const bool lived_long = known.ready && known.exited && *known.exited - *known.ready >= policy.healthy_after;
  const bool healthy = !launch_failed && (known.proven || lived_long);
  check_restart(now, known, *planned, verdict, healthy, launch_failed);
}

void Checker::check_restart(Instant now, Slot& known, const PlannedProgram& planned, const Verdict& verdict, bool healthy,
                            bool launch_failed) {
  const RestartPolicy& policy = planned.spec.restart;
  known.unhealthy = healthy ? 0 : known.unhealthy + 1;
  std::vector<Instant>& exits = unhealthy_exits_[planned.id];
  const bool counts = !healthy && !proven_programs_.contains(planned.id);
  if (counts) {
    exits.push_back(now);
  }
  if (policy.limit && counts) {
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
  const double least = launch_failed ? 10e6 : 0;  // A failed launch is never tried again in a tight loop.
  require(delay >= std::max(least, base * (1 - policy.jitter) - 2) && delay <= std::max(least, base * (1 + policy.jitter) + 2),
          "the delay follows from delay, factor, max_delay and jitter");
  const bool exact = policy.jitter > 0 && base >= 20e6 && delay > base - 2 && delay < base + 2;
  known.exact_delays = exact ? known.exact_delays + 1 : 0;
  require(known.exact_delays < 3, "jitter makes delays differ");
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
    return incomplete_ ? 3 : 128 + forced_by_;
  }
  if (!anything_ran_ && anything_failed_ && last_launch_failure_) {
    return 125;
  }
  return grace_over_ || left_behind_ ? 3 : anything_failed_ ? 1 : 0;
}

void Checker::finished(Instant, int status) {
  exit_status_ = status;
  for (const auto& [signal, untold] : heard_) {
    require(untold == 0, "each signal that was passed on is told of, once");
  }
  for (const auto& [life, process] : kernel_.processes()) {
    require(!process.alive || incomplete_, "no process outlives the supervisor unless it said so");
    require(process.descendants == 0 || incomplete_, "no descendant outlives the supervisor unless it said so");
  }
  for (const auto& [id, known] : slots_) {
    require(known.concluded, "every life is concluded before the end");
  }
  require(status == expected_status(),
          "the exit status says what happened: " + std::to_string(status) + ", expected " + std::to_string(expected_status()));
}

void Checker::after(Instant now, const Snapshot& snapshot, std::optional<Instant> next_deadline) {
  require(!exit_by_ || now <= *exit_by_ || exit_status_, "a stop ends within the sum of its deadlines");
  require(!told_too_soon_ || exit_status_, "a storm of signals is told of once a second");
  require(!must_stop_ || stop_at_, "a failure that shall stop everything does");
  require(!awaits_refusal_, "a signal that the kernel refuses is said to be refused");
  require(!awaits_continue_, "SIGCONT follows the stop signal");
  require(!awaits_sweep_, "output whose end the sweep shall tell is followed by that sweep");
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
  check_told(snapshot);
  check_idle(snapshot);
  check_fed(snapshot);
}

/// What a signal asked for was done to everybody.
void Checker::check_told(const Snapshot& snapshot) const {
  std::uint32_t hearing = 0;
  for (const ProgramSnapshot& seen : snapshot.programs) {
    for (const WorkerSnapshot& worker : seen.workers) {
      const StateKind state = kind(worker.state);
      hearing += state == StateKind::running || (scenario_.transparent && has_process(state)) ? 1U : 0U;
      require(!told_to_kill_ || !has_process(state) || state == StateKind::killing,
              "whoever is told to die at once is killed at once");
    }
  }
  require(!reopening_due_, "SIGUSR2 begins the log files anew");
  require(passing_on_ == 0 || sweeping_ || passed_on_ == hearing, "a signal that is passed on reaches those that run");
}

/// Nobody waits for nothing.
void Checker::check_idle(const Snapshot& snapshot) const {
  bool all_settled = true;
  for (const ProgramSnapshot& seen : snapshot.programs) {
    for (const WorkerSnapshot& worker : seen.workers) {
      const StateKind state = kind(worker.state);
      all_settled = all_settled && is_settled(state);
      require(state != StateKind::waiting || unanswered_.size() >= scenario_.launches_at_once,
              "nobody waits for a turn while there is room for a launch");
      const bool freed = freed_ == WorkerId{seen.id, worker.index} && program(seen.id) != nullptr &&
                         worker.index < program(seen.id)->workers() && !failed_programs_.contains(seen.id);
      const bool needed = !stop_at_ && !tasks_ended_ && !slots_.at(WorkerId{seen.id, worker.index}).unwanted;
      require(!freed || !needed || !is_settled(state), "a slot is used again when its last life is gone after all");
    }
  }
  require(sweeping_ || !all_settled || (plan_.stay && !stop_at_), "when all have finished the supervisor does too");
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
