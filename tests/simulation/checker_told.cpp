// What the core is told: what it then has to know, and what has to follow.
#include <algorithm>
#include <csignal>
#include <utility>

#include "supervisor/core/supervisor.hpp"
#include "tests/simulation/checker.hpp"

namespace corral::simulation {

using namespace core;

namespace {

bool same_process(const PlannedProgram& left, const PlannedProgram& right) {
  const bool nowhere = left.spec.log.to == LogTo::nothing;
  return left.spec.launch == right.spec.launch && left.placements == right.placements &&
         nowhere == (right.spec.log.to == LogTo::nothing);
}

}  // namespace

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
  reopening_due_ = false;
  freed_.reset();
  hear(event);
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
      known.had_terminal = exited->had_terminal;
      const PlannedProgram* planned = program(exited->life.worker.program);
      known.ended_unasked = !stop_at_ && !known.stop_sent && !known.kill_sent && !known.unwanted && !tasks_ended_ &&
                            planned != nullptr && exited->life.worker.index < planned->workers() &&
                            !failed_programs_.contains(exited->life.worker.program);
      unanswered_.erase(exited->life);
    }
  } else if (const auto* failed = std::get_if<SpawnFailed>(&event)) {
    unanswered_.erase(failed->life);
  } else if (const auto* answered = std::get_if<WorkerSpawned>(&event)) {
    unanswered_.erase(answered->life);
  } else if (const auto* unheard = std::get_if<SignalFailed>(&event)) {
    refused(*unheard);
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

/// What counts however late it comes.
void Checker::hear(const Event& event) {
  if (const auto* looked = std::get_if<SweepIncomplete>(&event)) {
    leftovers_ = looked->left;
  } else if (const auto* exited = std::get_if<WorkerExited>(&event)) {
    if (const Slot& known = slot(exited->life.worker); known.life == exited->life) {
      last_status_ = exited->status;
      anything_ran_ = anything_ran_ || (known.ready && !exited->before_exec);
    }
  } else if (const auto* failed = std::get_if<SpawnFailed>(&event)) {
    last_launch_failure_ = slot(failed->life.worker).life == failed->life ? failed->failure : last_launch_failure_;
  }
}

void Checker::refused(const SignalFailed& failed) {
  Slot& known = slot(failed.life.worker);
  const bool late = known.killing && failed.signal != SIGKILL;
  if (known.life != failed.life || known.concluded || known.exited || late) {
    return;
  }
  if (known.refused != failed.error_number) {
    awaits_refusal_ = failed.life;
  }
  known.refused = failed.error_number;
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
  reopening_due_ = number == SIGUSR2;
  heard_[number] += passing_on_ != 0 ? 1 : 0;
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

}  // namespace corral::simulation
