// Commands: what each does to the workers it names, and when it is true.
//
// A command is looked at when a worker that it may wait for has changed, and not at any other event: with none under way,
// an event costs nothing more.
#include <algorithm>
#include <utility>

#include "supervisor/core/supervisor.hpp"

namespace corral::core {

namespace {

/// What makes sense while everything stops: who goes may be waited for, and told something.
bool is_for_a_stop(const Command& command) {
  return std::holds_alternative<StopWorkers>(command) || std::holds_alternative<SignalWorkers>(command);
}

}  // namespace

void Supervisor::on(const CommandReceived& event) {
  if (std::holds_alternative<ShutDown>(event.command)) {
    return carry_out(event.asked_by, std::get<ShutDown>(event.command));
  }
  if (phase_ != Phase::running && !is_for_a_stop(event.command)) {
    return answer(event.asked_by, {CommandOutcome::Kind::stopping});
  }
  if (event.asked_by && awaited_commands() >= most_commands) {
    return answer(event.asked_by, {CommandOutcome::Kind::busy});
  }
  std::visit([&](const auto& command) { carry_out(event.asked_by, command); }, event.command);
}

void Supervisor::on(const CommandAbandoned& event) {
  const auto abandoned = std::ranges::find(commands_, std::optional(event.id), &PendingCommand::asked_by);
  if (abandoned != commands_.end()) {  // Otherwise the answer was on its way.
    abandoned->asked_by.reset();
    commands_moved_ = true;
  }
}

/// A later command has the last word on whoever still waits for his turn in an earlier one.
void Supervisor::supersede(const std::vector<WorkerId>& workers) {
  for (PendingCommand& pending : commands_) {
    const auto taken = std::ranges::find_first_of(pending.queued, workers);
    if (taken != pending.queued.end()) {
      pending.outcome.spoil(CommandOutcome::Kind::overtaken, *taken);
      continue;
    }
    const auto touched = std::ranges::find_first_of(pending.targets, workers, {}, &CommandTarget::worker);
    if (!pending.asked_by && pending.rolling && touched != pending.targets.end()) {  // So that they never pile up.
      pending.outcome.spoil(CommandOutcome::Kind::overtaken, touched->worker);
    }
  }
  commands_moved_ = true;
}

void Supervisor::carry_out(std::optional<CommandId> asked_by, const StartWorkers& command) {
  // The process that there is will do, unless it is on its way out: then nothing changes, also for a rolling restart.
  const auto will_do = [this](WorkerId id) {
    const Worker* worker = find(id);
    return worker != nullptr && (kind(worker->state) == StateKind::running || kind(worker->state) == StateKind::starting);
  };
  std::vector<WorkerId> moved = command.workers;
  std::erase_if(moved, will_do);
  supersede(moved);
  PendingCommand pending{.asked_by = asked_by};
  for (const WorkerId target : command.workers) {
    if (Worker* worker = find(target)) {
      forgive(target.program);
      const Incarnation past{number(worker->incarnation) - (will_do(target) ? 1U : 0U)};
      if (!will_do(target)) {
        bring_up(target, *worker, false);
      }
      await(pending, target, CommandTarget::Until::runs);
      pending.targets.back().past = past;
    }
  }
  begin_waiting(std::move(pending));
}

void Supervisor::carry_out(std::optional<CommandId> asked_by, const StopWorkers& command) {
  supersede(command.workers);
  PendingCommand pending{.asked_by = asked_by};
  for (const WorkerId target : command.workers) {
    if (Worker* worker = find(target)) {
      if (phase_ == Phase::running) {
        hold_down(target, *worker);
      }
      worker->wanted_up = false;  // Or it could seem to be, where everything has ended with somebody who cannot be killed.
      await(pending, target, CommandTarget::Until::is_down);
    }
  }
  begin_waiting(std::move(pending));
}

void Supervisor::carry_out(std::optional<CommandId> asked_by, const RestartWorkers& command) {
  supersede(command.workers);
  PendingCommand pending{.asked_by = asked_by, .rolling = command.rolling};
  pending.queued.assign(command.workers.rbegin(), command.workers.rend());
  if (command.rolling) {
    const auto other = [&](WorkerId id) { return id.program != command.workers.front().program; };
    if (!command.workers.empty() && std::ranges::none_of(command.workers, other)) {
      pending.rolling->program = command.workers.front().program;
    }
    announce(RollBegun{static_cast<std::uint32_t>(command.workers.size()), command.rolling->at_once, pending.rolling->program});
  }
  admit_rolling(pending);
  begin_waiting(std::move(pending));
}

void Supervisor::carry_out(std::optional<CommandId> asked_by, const SignalWorkers& command) {
  CommandOutcome outcome;
  for (const WorkerId target : command.workers) {
    if (Worker* worker = find(target); worker != nullptr && has_process(kind(worker->state))) {
      act(SignalWorker{life_of(target, *worker), command.signal});
      ++outcome.workers;
    }
  }
  answer(asked_by, outcome);
}

void Supervisor::carry_out(std::optional<CommandId> asked_by, const ShutDown&) {
  const std::uint32_t workers = workers_with_process();
  if (phase_ == Phase::running) {
    begin_shutdown({StopCause::Kind::command, 0});
  }
  answer(asked_by, {CommandOutcome::Kind::done, workers});
}

// ---- Waiting for it to be true --------------------------------------------------------------------------------------

void Supervisor::await(PendingCommand& command, WorkerId id, CommandTarget::Until until) {
  Worker* worker = find(id);
  worker->watched = true;
  command.targets.push_back({id, until, worker->incarnation});
}

void Supervisor::begin_waiting(PendingCommand command) {
  commands_.push_back(std::move(command));
  commands_moved_ = true;
}

/// After a step: who has what it asked for, or can no longer get it, is answered. Without anybody to be answered a command is
/// over when all its workers were told; but for a trial, and for a rolling restart: what becomes of those is told.
void Supervisor::look_at_commands() {
  while (std::exchange(commands_moved_, false)) {  // The next of a rolling restart may move others.
    for (std::size_t i = 0; i < commands_.size();) {
      look_at(commands_[i]);
      PendingCommand& command = commands_[i];
      const bool is_followed = command.asked_by || command.trial || command.rolling;
      const bool is_lost = command.trial && command.trial->state == Trial::State::lost;
      if (command.queued.empty() && !is_lost && (command.targets.empty() || !is_followed)) {
        if (command.trial) {
          end_trial(command, TrialEnded::Why::told_otherwise);
        }
        tell_of_roll(command);
        answer(command.asked_by, command.outcome);
        commands_.erase(commands_.begin() + static_cast<std::ptrdiff_t>(i));
      } else {
        ++i;
      }
    }
  }
}

void Supervisor::look_at(PendingCommand& command) {
  std::optional<CommandTarget> lost;
  command.next_settled = never;
  std::erase_if(command.targets, [&](CommandTarget& target) {
    note_settling(target);
    if (command.trial) {
      follow_on_trial(target);
    }
    const Progress progress = progress_of(target);
    if (progress == Progress::is_true) {
      ++command.outcome.workers;
      note_replaced(command, target.worker);
    } else if (progress == Progress::waits) {
      command.next_settled = std::min(command.next_settled, target.settled_at > now_ ? target.settled_at : never);
    } else {
      const bool failed = progress == Progress::failed;
      if (failed && command.trial && !lost && is_to_blame(target)) {
        lost = target;
      }
      command.outcome.spoil(failed ? CommandOutcome::Kind::failed : CommandOutcome::Kind::overtaken, target.worker);
    }
    return progress != Progress::waits;
  });
  if (lost || (command.rolling && command.outcome.kind != CommandOutcome::Kind::done)) {
    leave_the_rest(command);
  }
  if (lost) {
    lose_trial(command, *lost);
  }
  admit_rolling(command);
}

Supervisor::Progress Supervisor::progress_of(CommandTarget& target) {
  using enum Progress;
  const Worker* worker = find(target.worker);
  const bool goes_up = target.until == CommandTarget::Until::runs || target.until == CommandTarget::Until::settles;
  if (worker == nullptr) {
    return goes_up ? overtaken : is_true;
  }
  const Program& program = program_of(target.worker.program);
  const StateKind now = kind(worker->state);
  if (!goes_up) {
    const bool leaves = worker->retired || program.retired;
    if (worker->wanted_up || (target.until == CommandTarget::Until::is_gone && !leaves)) {
      return overtaken;
    }
    return !is_settled(now) ? waits : worker->occupied ? failed : is_true;  // One that leaves goes when those behind it have.
  }
  if (worker->retired || program.retired) {
    return overtaken;
  }
  if (now == StateKind::failed || program.failed) {
    return failed;
  }
  if (!worker->wanted_up) {
    return overtaken;
  }
  const bool is_next = worker->incarnation > target.past;
  if (now == StateKind::exited) {
    return is_next ? is_true : overtaken;  // It has run, and that well.
  }
  if (now == StateKind::draining) {
    const bool has_settled = target.settled_at != never && worker->died_at >= target.settled_at;
    return has_settled ? is_true : waits;  // What is made of its end is not yet known.
  }
  if (target.settled_at != never && (now != StateKind::running || worker->ran_since > target.settled_at)) {
    return worker->outdated ? overtaken : failed;  // It ran, and did not stay.
  }
  if (now == StateKind::running && is_next) {
    return target.until == CommandTarget::Until::runs || now_ >= target.settled_at ? is_true : waits;
  }
  return now == StateKind::backoff ? failed : waits;
}

void Supervisor::answer(const std::optional<CommandId>& asked_by, const CommandOutcome& outcome) {
  if (asked_by) {
    act(AnswerCommand{*asked_by, outcome});
  }
}

/// The others are bounded too: each is a rolling restart that has yet to come to a worker that no other one will come to.
std::size_t Supervisor::awaited_commands() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(commands_, [](const PendingCommand& command) { return command.asked_by.has_value(); }));
}

void Supervisor::answer_all(CommandOutcome::Kind kind) {
  for (PendingCommand& command : commands_) {
    command.outcome.spoil(kind, std::nullopt);
    leave_the_rest(command);
    tell_of_roll(command);
    answer(command.asked_by, command.outcome);
  }
  commands_.clear();
}

/// When the first of those that run has run for long enough.
Instant Supervisor::next_settled() const {
  Instant first = never;
  for (const PendingCommand& command : commands_) {
    first = std::min(first, command.next_settled);
  }
  return first;
}

}  // namespace corral::core
