// A rolling restart: whose turn it is, when the next may go, and what ends it.
#include <algorithm>

#include "supervisor/core/supervisor.hpp"

namespace corral::core {

/// As many as may go at once; without a limit, all.
void Supervisor::admit_rolling(PendingCommand& command) {
  while (!command.queued.empty() && (!command.rolling || command.targets.size() < command.rolling->at_once)) {
    const WorkerId id = command.queued.back();
    command.queued.pop_back();
    if (Worker* worker = find(id)) {
      forgive(id.program);
      await(command, id, command.rolling ? CommandTarget::Until::settles : CommandTarget::Until::runs);
      command.targets.back().healthy_after = program_of(id.program).plan.spec.restart.healthy_after;
      command.targets.back().pause = command.rolling ? command.rolling->pause : Duration::zero();
      bring_up(id, *worker, true);
    } else {  // It has left its program while it was waiting for its turn.
      command.outcome.spoil(CommandOutcome::Kind::overtaken, id);
      leave_queued(command);
    }
  }
}

void Supervisor::leave_queued(PendingCommand& command) {
  command.outcome.left += static_cast<std::uint32_t>(command.queued.size());
  command.queued.clear();
}

/// The first that fails is the last that was touched.
void Supervisor::leave_the_rest(PendingCommand& command) {
  leave_queued(command);
  command.targets.clear();
  command.next_settled = never;
}

void Supervisor::tell_of_roll(const PendingCommand& command) {
  if (command.rolling) {
    announce(RollEnded{command.outcome, command.rolling->program});
  }
}

/// From when on it counts as settled: it has lived for long enough, or has shown before that it works.
void Supervisor::note_settling(CommandTarget& target) {
  const Worker* worker = target.until == CommandTarget::Until::settles ? find(target.worker) : nullptr;
  if (worker == nullptr || kind(worker->state) != StateKind::running || worker->incarnation <= target.past) {
    return;
  }
  if (target.settled_at == never) {
    target.settled_at = after(after(worker->ran_since, target.healthy_after), target.pause);
  }
  if (worker->proven) {
    target.settled_at = std::min(target.settled_at, after(now_, target.pause));
  }
}

/// Until all are it is watched: the others are not given what has broken it.
void Supervisor::note_replaced(PendingCommand& command, WorkerId id) {
  if (command.rolling) {
    command.replaced.push_back(id);
    if (Worker* worker = find(id)) {
      worker->in_a_roll = true;
    }
  }
}

/// Who ends well after a healthy life is only followed by another.
void Supervisor::note_end_in_a_roll(WorkerId id, const Worker& worker, Verdict::Kind follows, const ExitStatus* status) {
  const bool well = status != nullptr && worker.unhealthy == 0 && is_success(program_of(id.program).plan.spec.restart, *status);
  if (worker.in_a_roll && (follows == Verdict::Kind::not_restarted || follows == Verdict::Kind::program_failed ||
                           (follows == Verdict::Kind::restart && !well))) {
    fail_rolls_of(id);
  }
}

/// One that was healthy already has failed, and nobody had asked it to end: whoever counts on it goes no further.
void Supervisor::fail_rolls_of(WorkerId id) {
  for (PendingCommand& command : commands_) {
    if (std::ranges::count(command.replaced, id) > 0) {
      command.outcome.spoil(CommandOutcome::Kind::failed, id);
      commands_moved_ = true;
    }
  }
}

}  // namespace corral::core
