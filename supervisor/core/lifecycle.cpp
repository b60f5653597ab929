// One worker from launch to death: carries out the reactions of reaction.hpp.
#include <algorithm>
#include <csignal>

#include "common/base/check.hpp"
#include "supervisor/core/supervisor.hpp"

namespace corral::core {

void Supervisor::apply(WorkerId id, Happening happening) {
  Worker* worker = find(id);
  CORRAL_CHECK(worker != nullptr);
  const StateKind before = kind(worker->state);
  const Reaction reaction = react(before, happening);
  if (reaction == Reaction::unexpected) {
    announce(ShellBrokePromise{id, std::string(name(happening)) + " while " + std::string(name(before))});
    return;
  }
  perform(id, *worker, reaction);
  const StateKind reached = kind(find(id)->state);
  CORRAL_CHECK((exits_of(before, reaction) & 1U << static_cast<unsigned>(reached)) != 0);
}

void Supervisor::perform(WorkerId id, Worker& worker, Reaction reaction) {
  switch (reaction) {
    case Reaction::nothing:
    case Reaction::unexpected: return;
    case Reaction::enqueue: return enqueue(id, worker);
    case Reaction::forget: return forget(id, worker);
    case Reaction::launch: return launch(id, worker);
    case Reaction::note_pid: return;  // The event has already left it in the worker.
    case Reaction::run:
      worker.ran_since = now_;
      anything_ran_ = true;
      enter(id, worker, Running{now_});
      announce(Started{life_of(id, worker), worker.pid, worker.start_why});
      return;
    case Reaction::stop: return stop(id, worker);
    case Reaction::kill: return kill(id, worker);
    case Reaction::drain: return drain(id, worker);
    case Reaction::note_output: worker.output_open = false; return maybe_conclude(id, worker);
    case Reaction::note_swept: std::get<Draining>(worker.state).swept = true; return maybe_conclude(id, worker);
    case Reaction::judge_failure: return end_launch(id, worker, *last_launch_failure_);
    case Reaction::give_up: return give_up(id, worker);
    case Reaction::overdue: return overdue(id, worker);
    case Reaction::late_exit:
      announce(GoneAtLast{life_of(id, worker)});
      act(SweepWorker{life_of(id, worker)});
      return;
    case Reaction::late_sweep:
      if (worker.occupied) {
        worker.occupied = false;
        if (worker.wanted_up && phase_ == Phase::running) {
          enqueue(id, worker);
        }
        to_tidy_.push_back(id.program);  // It may have left the configuration meanwhile.
      }
      return;
  }
}

/// The one place where a state changes: the old state's deadline goes with it, the new one's is noted.
void Supervisor::enter(WorkerId id, Worker& worker, State state) {
  Program& program = program_of(id.program);
  const bool was_settled = is_settled(kind(worker.state));
  const bool settled = is_settled(kind(state));
  const bool was_kept = is_kept_down(worker);
  worker.state = state;
  count_kept_down(was_kept, worker);
  commands_moved_ = commands_moved_ || worker.watched;
  if (was_settled != settled) {
    unsettled_ += settled ? -1U : 1U;
    program.unsettled += settled ? -1U : 1U;
    if (settled) {
      act(ReleaseOutput{id});
    }
    if (settled && (worker.retired || program.retired)) {
      to_tidy_.push_back(id.program);
    }
  }
  reschedule(id, worker);
}

void Supervisor::reschedule(WorkerId id, Worker& worker) {
  const Instant due = deadline_of(worker.state, worker.output_open).value_or(never);
  if (due == worker.due) {
    return;
  }
  if (worker.due != never && due != never) {
    auto entry = due_.extract(Due{worker.due, id});  // One deadline after the other: the same memory.
    CORRAL_CHECK(!entry.empty());
    entry.value() = Due{due, id};
    due_.insert(std::move(entry));
  } else if (worker.due != never) {
    due_.erase(Due{worker.due, id});
  } else {
    due_.insert(Due{due, id});
  }
  worker.due = due;
}

void Supervisor::enqueue(WorkerId id, Worker& worker) {
  if (worker.occupied) {
    return;  // Two processes in one slot are worse than none.
  }
  CORRAL_CHECK(phase_ == Phase::running);
  enter(id, worker, Waiting{});
  if (!worker.queued) {
    worker.queued = true;
    launch_queue_.push_back(id);
  }
}

void Supervisor::admit_launches() {
  while (spawning_ < options_.launches_at_once && !launch_queue_.empty()) {
    const WorkerId id = launch_queue_.front();
    launch_queue_.pop_front();
    if (Worker* worker = find(id)) {
      worker->queued = false;
      apply(id, Happening::turn_came);
    }
  }
}

void Supervisor::forget(WorkerId id, Worker& worker) {
  if (program_of(id.program).failed) {
    enter(id, worker, Failed{FailReason::program_failed});
  } else {
    enter(id, worker, Stopped{});
  }
}

void Supervisor::launch(WorkerId id, Worker& worker) {
  CORRAL_CHECK(phase_ == Phase::running && worker.wanted_up && !worker.spawning && !worker.occupied);
  const std::uint32_t reliefs = program_of(id.program).plan.reliefs;
  if (const Worker* other = find(WorkerId{id.program, id.index < reliefs ? id.index + reliefs : id.index - reliefs});
      reliefs > 0 && other) {
    worker.incarnation = std::max(worker.incarnation, other->incarnation);  // Lives are counted by worker.
  }
  worker.incarnation = next(worker.incarnation);
  worker.pid = 0;
  worker.ran_since = never;
  worker.launched_at = now_;
  worker.usage = {};
  worker.refused = 0;
  worker.timed_out = false;
  worker.executed = false;
  worker.out_of_memory = false;
  worker.had_terminal = false;
  worker.outdated = false;
  worker.told_again = false;
  worker.proven = false;
  worker.spawning = true;
  ++spawning_;
  enter(id, worker, Starting{after(now_, program_of(id.program).plan.spec.start_timeout)});
  worker.output_open = true;
  act(SpawnWorker{life_of(id, worker)});
}

StopWhy Supervisor::why_stopped(const Program& program, const Worker& worker) {
  if (program.failed) {
    return StopWhy::program_failed;
  }
  if (worker.retired || program.retired) {
    return StopWhy::retired;
  }
  const bool comes_back = worker.outdated && worker.wanted_up;
  return !comes_back ? StopWhy::asked : worker.told_again ? StopWhy::restarted : StopWhy::replaced;
}

void Supervisor::stop(WorkerId id, Worker& worker) {
  const StopPolicy& policy = program_of(id.program).plan.spec.stop;
  const Life life = life_of(id, worker);
  enter(id, worker, Stopping{after(now_, policy.grace)});
  act(SignalWorker{life, policy.signal});
  if (policy.signal != SIGCONT) {
    act(SignalWorker{life, SIGCONT});  // A stopped process would never see the signal.
  }
  if (phase_ == Phase::running) {
    announce(StopSignalled{life, policy.signal, policy.grace, worker.pid, why_stopped(program_of(id.program), worker)});
  }
}

void Supervisor::kill(WorkerId id, Worker& worker) {
  const StateKind before = kind(worker.state);
  std::optional<Duration> grace;
  if (const auto* stopping = std::get_if<Stopping>(&worker.state); stopping != nullptr && now_ >= stopping->kill_at) {
    const StopPolicy& policy = program_of(id.program).plan.spec.stop;
    grace = policy.grace;
    // A stop signal of SIGKILL left no grace to be over.
    grace_was_over_ = grace_was_over_ || (phase_ == Phase::stopping && policy.signal != SIGKILL);
  }
  // Its launch has timed out when nobody asked for its end.
  worker.timed_out = before == StateKind::starting && worker.wanted_up && !worker.outdated;
  worker.refused = 0;  // Whoever may not be asked may still be killed.
  enter(id, worker, Killing{after(now_, options_.patience.kill)});
  act(SignalWorker{life_of(id, worker), SIGKILL});
  announce(KillSent{life_of(id, worker), grace, worker.pid});
}

void Supervisor::drain(WorkerId id, Worker& worker) {
  if (worker.spawning) {  // It came and went before its launch was reported.
    worker.spawning = false;
    --spawning_;
  }
  const StateKind before = kind(worker.state);
  worker.ended_unasked = worker.wanted_up && (before == StateKind::starting || before == StateKind::running);
  // When everything stops, one sweep at the end is for all: a thousand small ones would be most of the work.
  const bool swept_at_the_end = phase_ == Phase::stopping;
  // A new definition may be another user's: what the old one's processes held is not handed on to it.
  const bool another_follows =
      worker.wanted_up && !worker.outdated && wants_restart(program_of(id.program).plan.spec.restart, *last_status_);
  const Patience& patience = options_.patience;
  enter(id, worker,
        Draining{*last_status_, after(now_, patience.output), after(now_, patience.sweep), after(now_, patience.kill),
                 swept_at_the_end, another_follows});
  if (worker.output_open) {
    act(DrainOutput{life_of(id, worker), another_follows});
  }
  if (!swept_at_the_end) {
    act(SweepWorker{life_of(id, worker)});
  }
  maybe_conclude(id, worker);
}

void Supervisor::maybe_conclude(WorkerId id, Worker& worker) {
  if (kind(worker.state) != StateKind::draining) {
    return;
  }
  const Draining& draining = std::get<Draining>(worker.state);
  if (draining.swept && !worker.output_open) {
    end_life(id, worker, ExitStatus(draining.status));
  } else {
    reschedule(id, worker);  // One of its two deadlines is gone.
  }
}

void Supervisor::abandon_output(WorkerId id, Worker& worker) {
  if (worker.output_open) {
    worker.output_open = false;
    act(AbandonOutput{life_of(id, worker)});
  }
}

void Supervisor::overdue(WorkerId id, Worker& worker) {
  Draining& draining = std::get<Draining>(worker.state);
  if (!draining.swept && now_ >= draining.give_up_at) {
    abandon_output(id, worker);
    announce(Ended{life_of(id, worker), worker.pid, draining.status, worker.existed(), worker.usage, worker.out_of_memory,
                   Verdict{Verdict::Kind::survivors}});
    anything_failed_ = true;
    left_behind_ = true;
    worker.occupied = true;
    close_slot(id);
    fail_rolls_of(id);
    enter(id, worker, Failed{FailReason::survivors});
    return;
  }
  if (!draining.swept && now_ >= draining.sweep_again) {
    draining.sweep_again = after(now_, options_.patience.sweep);
    act(SweepWorker{life_of(id, worker)});
  }
  if (worker.output_open && draining.may_wait_for_output() && now_ >= draining.drain_by) {
    announce(OutputHeld{life_of(id, worker)});
    abandon_output(id, worker);
  }
  maybe_conclude(id, worker);
}

void Supervisor::give_up(WorkerId id, Worker& worker) {
  announce(Unkillable{life_of(id, worker), worker.pid, worker.refused});
  abandon_output(id, worker);
  worker.occupied = true;
  if (worker.spawning) {
    worker.spawning = false;
    --spawning_;
  }
  anything_failed_ = true;
  left_behind_ = true;
  close_slot(id);
  enter(id, worker, Failed{FailReason::unkillable});
}

/// Whoever feeds it shall not wait for it.
void Supervisor::close_slot(WorkerId id) {
  if (options_.tasks) {
    act(CloseSlot{id});
  }
}

}  // namespace corral::core
