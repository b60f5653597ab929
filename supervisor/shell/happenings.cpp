// What has happened since the last turn: signals, deaths, launches that are over.
#include <algorithm>
#include <csignal>
#include <utility>

#include "supervisor/shell/pump.hpp"

namespace corral::shell {

namespace {

constexpr Duration rarest_look = std::chrono::milliseconds(100);

/// Between two looks for deaths that no signal told of (signals coalesce): the kernel asks every child, at 40 to 300 ns each with
/// thousands of them. After one that found nothing a hundred times of what it took, so that looks take about a hundredth of the
/// time however many workers end; after one that found something, when there may well be more, so much for each worker.
constexpr int look_pause = 100;
constexpr Duration longest_look_pause = std::chrono::milliseconds(200);
constexpr Duration pause_in_a_crowd = std::chrono::microseconds(4);
constexpr std::size_t many = 256;  ///< With fewer a look costs less than what it takes to come back to it.

/// So many are taken in before what follows from them is done: in a stop, descriptors are closed while others still die.
constexpr std::size_t deaths_at_once = 32;

}  // namespace

void Pump::read_signals() {
  std::vector<ReceivedSignal> received;
  signals_->read(received);
  for (const ReceivedSignal& signal : received) {
    if (signal.number == SIGCHLD) {
      // The one it tells of first: that costs the same with any number of workers. The others when that is dealt with.
      child_signalled_ = true;
      process::Deaths deaths;
      processes_->reap(signal.sender, signal.exited, deaths);
      take_in(std::move(deaths));
      continue;
    }
    if (!is_for_command(signal)) {
      continue;
    }
    hurry_hooks(signal.number);
    if (processes_->outstanding() > 0) {
      report_launches();  // Who runs already shall get the signal too.
    }
    enqueue(core::SignalReceived{signal.number, signal.number == SIGHUP && signal.from_kernel});
  }
}

/// Who is swept may be handed over by whoever dies.
bool Pump::may_not_wait() const { return sweeping_all_ || processes_->sweeping(); }

void Pump::reap_all() {
  process::Deaths deaths;
  const Instant began = now();
  child_signalled_ = processes_->reap(deaths, deaths_at_once);
  const std::size_t workers = processes_->living();
  if (child_signalled_ || workers < many) {
    look_again_ = Instant{};
  } else if (!deaths.leaders.empty() || deaths.orphans > 0) {
    look_again_ = after(now(), pause_in_a_crowd * static_cast<std::int64_t>(workers));
  } else {
    const Instant ended = now();
    look_again_ = after(ended, std::min(look_pause * (ended - began), longest_look_pause));
  }
  take_in(std::move(deaths));
  if (child_signalled_) {
    return;  // A pass looks at every orphan that is left: one for all that are dead by now.
  }
  sweep_due_ = sweep_due_ || processes_->sweeping();
  if (sweeping_all_) {
    perform(core::SweepAll{});
  }
}

void Pump::take_in(process::Deaths deaths) {
  if (processes_->outstanding() > 0) {
    report_launches();  // A short life ends before anybody has looked at its launch: it begins before it ends.
  }
  const bool had_terminal = !deaths.leaders.empty() && terminal_.foreground() == core::Foreground::command;
  for (process::Death& death : deaths.leaders) {
    if (Hooks::owns(death.life)) {
      death.failure ? hooks_->launch_failed(*death.failure) : hooks_->died(death, now());
      continue;
    }
    if (death.failure) {
      launch_failed(death.life);
      enqueue(core::SpawnFailed{death.life, std::move(*death.failure)});
    } else {
      if (relay_ && feed_ && death.status != ExitStatus(ExitedWith{0})) {
        relay_->read_now(death.life);  // Its last words belong to the story of its task.
      }
      if (feed_) {
        note_task(death.life);
        feed_->lost(now(), {death.life, death.status, death.usage, death.out_of_memory, {}});
      }
      enqueue(core::WorkerExited{death.life, death.status, death.usage, death.out_of_memory, death.before_exec, had_terminal});
    }
    terminal_.ended();
    stopped_.reset();
  }
  for (const process::JobChange& change : deaths.jobs) {
    follow_job(change);
  }
}

bool Pump::report_launches() {
  std::vector<process::LaunchOutcome> outcomes;
  processes_->settle(outcomes);
  for (process::LaunchOutcome& outcome : outcomes) {
    if (Hooks::owns(outcome.life)) {
      if (outcome.failure) {
        hooks_->launch_failed(*outcome.failure);
      }
      continue;
    }
    if (outcome.failure) {
      launch_failed(outcome.life);
      enqueue(core::SpawnFailed{outcome.life, std::move(*outcome.failure)});
    } else {
      enqueue(core::WorkerReady{outcome.life});
      if (feed_) {
        feed_->opened(now(), outcome.life);
      }
    }
  }
  if (processes_->outstanding() == 0) {
    retired_.clear();
  }
  return !outcomes.empty();
}

void Pump::settle() {
  const bool any = report_launches();
  // Nobody tells of an exec: the timer looks again.
  settle_wait_ = any ? Duration::zero() : std::min(std::max(settle_wait_ * 2, first_look), rarest_look);
}

}  // namespace corral::shell
