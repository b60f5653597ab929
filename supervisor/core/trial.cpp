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

bool Supervisor::on_trial() const {
  return std::ranges::any_of(commands_, [](const PendingCommand& command) { return command.trial.has_value(); });
}

bool Supervisor::awaits_restoration() const {
  return std::ranges::any_of(
      commands_, [](const PendingCommand& command) { return command.trial && command.trial->state == Trial::State::lost; });
}

bool Supervisor::awaits_restoration(TrialId trial) const {
  return std::ranges::any_of(commands_, [&](const PendingCommand& command) {
    return command.trial && command.trial->state == Trial::State::lost && command.trial->id == trial;
  });
}

/// Some of its workers have yet to prove themselves, or all that it does is about to be undone.
bool Supervisor::is_on_trial(ProgramId id) const {
  return std::ranges::any_of(commands_, [&](const PendingCommand& command) {
    if (!command.trial || command.trial->state == Trial::State::lost) {
      return command.trial && std::ranges::count(command.trial->programs, id) > 0;
    }
    return std::ranges::any_of(command.targets, [&](const CommandTarget& target) {
      return target.worker.program == id && target.until == CommandTarget::Until::settles;
    });
  });
}

void Supervisor::begin_trial(PendingCommand& command) {
  command.trial = Trial{TrialId{++trials_}};
  for (const CommandTarget& target : command.targets) {
    if (target.until == CommandTarget::Until::settles) {
      command.trial->programs.push_back(target.worker.program);
    }
  }
  begin_waiting(std::move(command));
}

/// The configuration of this event ends the trial of an earlier one, and `next` takes over what is left of that.
void Supervisor::succeed_trial(const ConfigReloaded& event, PendingCommand& next) {
  const auto found = std::ranges::find_if(commands_, [](const PendingCommand& command) { return command.trial.has_value(); });
  if (found == commands_.end()) {
    return;
  }
  PendingCommand& earlier = *found;
  const bool is_lost = earlier.trial->state == Trial::State::lost;
  if (event.kind == ConfigReloaded::Kind::restored) {
    next.asked_by = std::exchange(earlier.asked_by, {});
    next.outcome = {CommandOutcome::Kind::rolled_back, 0, earlier.outcome.culprit};
  } else if (!is_lost && !earlier.targets.empty()) {
    earlier.outcome.kind = CommandOutcome::Kind::overtaken;
    earlier.outcome.culprit = earlier.outcome.culprit.value_or(earlier.targets.front().worker);
  }
  if (event.kind == ConfigReloaded::Kind::on_trial) {  // Who was not touched has yet to prove himself all the same.
    for (const CommandTarget& target : earlier.targets) {
      const bool is_known = std::ranges::count(next.targets, target.worker, &CommandTarget::worker) > 0;
      if (!is_known && target.until == CommandTarget::Until::settles) {
        next.targets.push_back(target);
      }
    }
  }
  earlier.trial.reset();
  earlier.targets.clear();
  commands_moved_ = true;
}

void Supervisor::lose_trial(PendingCommand& command, const CommandTarget& target) {
  command.trial->state = Trial::State::lost;
  command.outcome.kind = CommandOutcome::Kind::failed;
  command.outcome.culprit = target.worker;
  announce(TrialFailed{life_of(target.worker, *find(target.worker)), target.settle});
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
  const auto found = std::ranges::find_if(commands_, [&](const PendingCommand& command) {
    return command.trial && command.trial->state == Trial::State::lost && command.trial->id == event.trial;
  });
  if (found != commands_.end()) {
    found->trial.reset();  // The new one stays, such as it is: whoever asked for it is told who failed.
    commands_moved_ = true;
  }
}

}  // namespace corral::core
