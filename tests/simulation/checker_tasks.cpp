// Workers that are fed: what is found about them, and what signals mean to tasks.
#include <csignal>

#include "supervisor/core/supervisor.hpp"
#include "tests/simulation/checker.hpp"

namespace corral::simulation {

using namespace core;

void Checker::told(const WorkerJudged& event) {
  Slot& known = slot(event.life.worker);
  if (known.life != event.life || known.concluded) {
    return;
  }
  switch (event.as) {
    case WorkerJudged::As::proven:
      known.proven = true;
      proven_programs_.insert(event.life.worker.program);
      return;
    case WorkerJudged::As::outdated: known.outdated = known.to_stop = true; return;
    case WorkerJudged::As::failing: known.to_stop = true; return;
    case WorkerJudged::As::dismissed: known.unwanted = true; return;
    case WorkerJudged::As::unwanted: known.unwanted = known.to_stop = true; return;
  }
}

/// The first signal is for the tasks alone; true when there is nothing else to it.
bool Checker::is_about_tasks(Instant now, const SignalReceived& signal) {
  const int number = signal.signal;
  if (stop_at_ || (number != SIGTERM && number != SIGINT && number != SIGHUP)) {
    return number == SIGHUP;
  }
  if (!drain_at_) {
    drain_at_ = now;
    drained_by_ = drain_due_ = number;
    return true;
  }
  return number == SIGHUP || (number == drained_by_ && now < *drain_at_ + Patience{}.echo);
}

void Checker::check_tasks(Instant now, const Action& action) {
  if (const auto* drain = std::get_if<DrainTasks>(&action)) {
    require(drain_due_ == drain->signal && drain_at_ == now, "tasks are drained by the first signal that asks for an end");
    drain_due_ = 0;
  } else if (std::holds_alternative<ReopenLogs>(action)) {
    require(reopening_due_, "log files are begun anew when SIGUSR2 asks for it");
    reopening_due_ = false;
  } else if (std::holds_alternative<AbortTasks>(action)) {
    require(scenario_.tasks && !aborted_, "tasks are told of a stop once");
    aborted_ = true;
  } else if (const auto* spawn = std::get_if<SpawnWorker>(&action)) {
    require(!tasks_ended_, "nobody is started when the tasks have ended");
    require(!slot(spawn->life.worker).unwanted, "who has been dismissed is not followed by another one");
  } else if (const auto* signal = std::get_if<SignalWorker>(&action); signal != nullptr && scenario_.tasks) {
    const Slot& known = slot(signal->life.worker);
    const bool launching = !known.ready;  // It may take too long.
    require(stop_at_ || known.to_stop || launching || failed_programs_.contains(signal->life.worker.program) ||
                signal->signal == passing_on_,
            "a worker is sent a signal when there is a reason: none for being dismissed, or for a drain");
  }
}

void Checker::check_fed(const Snapshot& snapshot) const {
  require(drain_due_ == 0, "the first signal that asks for an end drains the tasks");
  for (const ProgramSnapshot& seen : snapshot.programs) {
    for (const WorkerSnapshot& worker : seen.workers) {
      const auto found = slots_.find(WorkerId{seen.id, worker.index});
      const StateKind state = kind(worker.state);
      const bool waits = state == StateKind::waiting || state == StateKind::backoff;
      require(!tasks_ended_ || !waits, "nobody waits for a start when the tasks have ended");
      require(found == slots_.end() || !found->second.to_stop || (state != StateKind::running && state != StateKind::starting) ||
                  found->second.life->incarnation != worker.incarnation,
              "who is found to be of no use any more is stopped");
    }
  }
}

}  // namespace corral::simulation
