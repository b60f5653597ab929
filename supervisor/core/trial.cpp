// A reload on trial: a configuration that has to prove itself, or the one before it comes back.
//
// It is a command like any other, that nobody has to wait for: its workers have to live for as long as their program says that
// it takes to be healthy. The first that fails ends it. Then the configuration before is asked for and nothing else changes,
// until it comes or cannot; meanwhile the supervisor does not come to its end, even with nobody left. A newer configuration has
// the last word at any moment.
#include <algorithm>
#include <utility>

#include "supervisor/core/supervisor.hpp"

namespace corral::core {

namespace {

/// The one command that is on trial, if there is one.
auto find_trial(auto& commands) -> decltype(commands.data()) {
  const auto found = std::ranges::find_if(commands, [](const PendingCommand& command) { return command.trial.has_value(); });
  return found == commands.end() ? nullptr : &*found;
}

bool is_lost(const PendingCommand* command) { return command != nullptr && command->trial->state == Trial::State::lost; }

bool tries(const PendingCommand* command, const auto& is_meant) {
  return command != nullptr && std::ranges::any_of(command->targets, [&](const CommandTarget& target) {
           return target.until == CommandTarget::Until::settles && is_meant(target.worker);
         });
}

}  // namespace

bool Supervisor::on_trial() const { return find_trial(commands_) != nullptr; }

bool Supervisor::awaits_restoration() const { return is_lost(find_trial(commands_)); }

bool Supervisor::awaits_restoration(TrialId trial) const {
  return awaits_restoration() && find_trial(commands_)->trial->id == trial;
}

/// Some of its workers have yet to prove themselves, or all that it does is about to be undone.
bool Supervisor::is_on_trial(ProgramId id) const {
  const PendingCommand* command = find_trial(commands_);
  return is_lost(command) ? std::ranges::count(command->trial->programs, id) > 0
                          : tries(command, [id](WorkerId worker) { return worker.program == id; });
}

bool Supervisor::is_on_trial(WorkerId id) const {
  return tries(find_trial(commands_), [id](WorkerId worker) { return worker == id; });
}

/// One that touches nobody, and has inherited nothing, is none.
void Supervisor::begin_trial(PendingCommand command) {
  if (command.targets.empty() && command.trial->state == Trial::State::under_way) {
    command.trial.reset();
  } else {
    for (const CommandTarget& target : command.targets) {
      if (target.until == CommandTarget::Until::settles) {
        command.trial->programs.push_back(target.worker.program);
      }
    }
  }
  if (command.trial || command.asked_by) {
    begin_waiting(std::move(command));
  }
}

/// Workers that a scaling during a trial brings are the new configuration's too.
void Supervisor::extend_trial(const PendingCommand& scaled) {
  PendingCommand* command = find_trial(commands_);
  if (command == nullptr || is_lost(command)) {
    return;
  }
  for (CommandTarget target : scaled.targets) {
    if (target.until == CommandTarget::Until::runs && is_on_trial(target.worker.program)) {
      target.until = CommandTarget::Until::settles;
      std::erase_if(command->targets, [&](const CommandTarget& known) { return known.worker == target.worker; });
      command->targets.push_back(target);
    }
  }
}

/// The configuration of this event ends the trial of an earlier one, and `next` takes over what is left of that.
void Supervisor::succeed_trial(const ConfigReloaded& event, PendingCommand& next) {
  PendingCommand* const found = find_trial(commands_);
  if (found == nullptr) {
    return;
  }
  PendingCommand& earlier = *found;
  const bool was_lost = is_lost(found);
  if (event.kind == ConfigReloaded::Kind::restored) {
    next.asked_by = std::exchange(earlier.asked_by, {});
    next.outcome = {CommandOutcome::Kind::rolled_back, 0, earlier.outcome.culprit};
  } else if (!was_lost && !earlier.targets.empty()) {
    earlier.outcome.kind = CommandOutcome::Kind::superseded;
    earlier.outcome.culprit = earlier.outcome.culprit.value_or(earlier.targets.front().worker);
  }
  if (event.kind == ConfigReloaded::Kind::on_trial) {
    inherit_trial(earlier, next);
  } else if (event.kind == ConfigReloaded::Kind::changed) {
    make_up_for(*earlier.trial);
    if (!was_lost) {
      end_trial(earlier, TrialEnded::Why::reloaded);
    }
  }
  earlier.trial.reset();
  earlier.targets.clear();
  commands_moved_ = true;
}

/// Who was not touched has yet to prove himself all the same; or has failed already.
void Supervisor::inherit_trial(const PendingCommand& earlier, PendingCommand& next) {
  if (earlier.trial->state == Trial::State::lost) {
    if (const auto culprit = still_to_blame(earlier, next)) {
      next.targets.clear();
      next.trial->programs = earlier.trial->programs;
      lose_trial(next, *culprit);
    }
    return;
  }
  for (const CommandTarget& target : earlier.targets) {
    const bool is_known = std::ranges::count(next.targets, target.worker, &CommandTarget::worker) > 0;
    if (!is_known && target.until == CommandTarget::Until::settles) {
      next.targets.push_back(target);
    }
  }
}

/// What made a trial fail may be part of the next configuration just as it was: then that one has failed already.
std::optional<CommandTarget> Supervisor::still_to_blame(const PendingCommand& earlier, const PendingCommand& next) {
  for (const ProgramId id : earlier.trial->programs) {
    const Program& program = program_of(id);
    const bool is_another =
        std::ranges::any_of(next.targets, [&](const CommandTarget& target) { return target.worker.program == id; });
    for (std::uint32_t index = 0; index < program.workers.size() && !is_another; ++index) {
      const StateKind now = kind(program.workers[index].state);
      if (now == StateKind::failed || now == StateKind::backoff) {
        return CommandTarget{.worker = {id, index},
                             .until = CommandTarget::Until::settles,
                             .healthy_after = program.plan.spec.restart.healthy_after};
      }
    }
  }
  return std::nullopt;
}

/// The configuration stays after all: what its programs would have shut down they shut down now.
void Supervisor::make_up_for(const Trial& trial) {
  to_shut_down_ = to_shut_down_ || std::ranges::any_of(trial.programs, [&](ProgramId id) {
                    const Program& program = program_of(id);
                    const bool has_failed = program.failed || std::ranges::any_of(program.workers, [](const Worker& worker) {
                                              const auto* failed = std::get_if<Failed>(&worker.state);
                                              return failed != nullptr && failed->reason == FailReason::not_restarted;
                                            });
                    return has_failed && !program.retired && program.plan.spec.restart.then == ThenDo::shutdown;
                  });
}

/// It was passed, or was ended by whoever told its workers something else. A lost one is not over.
void Supervisor::end_trial(PendingCommand& command, TrialEnded::Why why) {
  CommandOutcome& outcome = command.outcome;
  if (outcome.kind == CommandOutcome::Kind::done) {
    return announce(TrialPassed{outcome.workers});
  }
  if (outcome.kind == CommandOutcome::Kind::overtaken || outcome.kind == CommandOutcome::Kind::superseded) {
    announce(TrialEnded{*outcome.culprit, why});
  }
  if (outcome.kind == CommandOutcome::Kind::overtaken) {
    outcome.kind = CommandOutcome::Kind::trial_ended;
  }
}

void Supervisor::lose_trial(PendingCommand& command, const CommandTarget& target) {
  command.trial->state = Trial::State::lost;
  command.outcome.kind = CommandOutcome::Kind::failed;
  command.outcome.culprit = target.worker;
  announce(TrialFailed{life_of(target.worker, *find(target.worker)), target.healthy_after});
  act(RestoreConfiguration{command.trial->id});
}

/// Somebody has restarted or scaled it: its next life is on trial in place of this one.
void Supervisor::follow_on_trial(CommandTarget& target) {
  const Worker* worker = find(target.worker);
  if (worker != nullptr && worker->wanted_up && worker->outdated && worker->incarnation > target.past) {
    target.past = worker->incarnation;
    target.settled_at = never;
  }
}

/// Of one that has failed. Where a process of the old configuration cannot be killed, the new one has not even been tried.
bool Supervisor::is_to_blame(const CommandTarget& target) {
  return target.until == CommandTarget::Until::settles && !find(target.worker)->occupied;
}

void Supervisor::on(const RestoreFailed& event) {
  if (awaits_restoration(event.trial)) {
    PendingCommand* const found = find_trial(commands_);
    make_up_for(*found->trial);
    found->trial.reset();  // The new one stays, such as it is: whoever asked for it is told who failed.
    commands_moved_ = true;
  }
}

}  // namespace corral::core
