#include "tests/simulation/kernel.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

namespace corral::simulation {

using namespace core;

namespace {

ExitStatus some_crash(Random& random) {
  switch (pick(random, 4)) {
    case 0: return KilledBy{SIGSEGV, true};
    case 1: return KilledBy{SIGINT};  // By the keys of a terminal, of which the supervisor is not told.
    default: return ExitedWith{1};
  }
}

}  // namespace

void Kernel::push(Instant at, Event event) { queue_.push({at, order_++, std::move(event), false}); }

std::optional<Instant> Kernel::next_event() const { return queue_.empty() ? std::nullopt : std::optional(queue_.top().at); }

bool Kernel::still_possible(const Event& event) const {
  if (const auto* exited = std::get_if<WorkerExited>(&event)) {
    return processes_.at(exited->life).alive;
  }
  if (const auto* ready = std::get_if<WorkerReady>(&event)) {
    return processes_.at(ready->life).alive;
  }
  if (const auto* spawned = std::get_if<WorkerSpawned>(&event)) {
    return processes_.at(spawned->life).alive;
  }
  if (const auto* judged = std::get_if<WorkerJudged>(&event)) {
    return processes_.at(judged->life).alive;  // Who is gone is not fed any more.
  }
  return true;
}

std::optional<Event> Kernel::take() {
  const Pending next = queue_.top();
  queue_.pop();
  if (next.stale) {
    return next.event;
  }
  if (!still_possible(next.event)) {
    return std::nullopt;
  }
  if (const auto* exited = std::get_if<WorkerExited>(&next.event)) {
    processes_[exited->life].alive = false;
  } else if (const auto* failed = std::get_if<SpawnFailed>(&next.event)) {
    if (!std::exchange(processes_[failed->life].alive, false) && failed->failure.step != LaunchStep::fork) {
      return std::nullopt;
    }
    if (processes_[failed->life].executing) {  // The signal came after exec, then.
      return WorkerExited{failed->life, KilledBy{failed->failure.error_number}};
    }
  } else if (const auto* ready = std::get_if<WorkerReady>(&next.event)) {
    processes_[ready->life].executing = true;
    if (tasks_ended_) {
      push(next.at, WorkerJudged{ready->life, WorkerJudged::As::unwanted});
    }
  } else if (std::holds_alternative<TasksEnded>(next.event)) {
    tasks_ended_ = true;
  }
  if (chance(random_, scenario_.faults.stale_events)) {
    repeat_the_past(next.at);
  }
  return next.event;
}

/// Reports of lives long past: the core must know them by their incarnation.
void Kernel::repeat_the_past(Instant now) {
  for (const auto& [life, process] : processes_) {
    if (!process.alive && processes_.contains(corral::Life{life.worker, corral::next(life.incarnation)})) {
      Event event = chance(random_, 0.5) ? Event(WorkerExited{life, ExitedWith{1}}) : Event(OutputClosed{life});
      if (scenario_.tasks && chance(random_, 0.7)) {
        event = WorkerJudged{life, chance(random_, 0.5) ? WorkerJudged::As::unwanted : WorkerJudged::As::proven};
      }
      queue_.push({now, order_++, event, true});
      return;
    }
  }
}

Instant Kernel::soon(Instant now) { return now + some_time(random_, 1us, 5ms); }

void Kernel::perform(Instant now, const Action& action) {
  if (const auto* spawned = std::get_if<SpawnWorker>(&action)) {
    spawn(now, spawned->life);
  } else if (const auto* signalled = std::get_if<SignalWorker>(&action)) {
    signal(now, signalled->life, signalled->signal);
  } else if (const auto* drained = std::get_if<DrainOutput>(&action)) {
    drain(now, *drained);
  } else if (const auto* swept = std::get_if<SweepWorker>(&action)) {
    sweep(now, swept->life);
  } else if (std::holds_alternative<SweepAll>(action)) {
    sweep_all(now);
  } else if (std::holds_alternative<DrainTasks>(action) && chance(random_, 0.7)) {
    end_tasks(now + some_time(random_, 1us, 5s));
  }
}

/// What those who feed a worker find about it in its time.
void Kernel::judge(Instant ready, Life life) {
  using enum WorkerJudged::As;
  static constexpr std::array findings{proven, proven, proven, outdated, failing, dismissed, unwanted};
  for (std::uint32_t count = pick(random_, 4); count > 0; --count) {
    push(ready + some_time(random_, 10us, 20s), WorkerJudged{life, findings[pick(random_, findings.size())]});
  }
}

/// Whoever lives has its time to go by itself.
void Kernel::end_tasks(Instant at) {
  for (const auto& [life, process] : processes_) {
    if (process.executing && process.alive) {
      push(at, WorkerJudged{life, WorkerJudged::As::dismissed});
      push(at + some_time(random_, 1ms, 10s), WorkerJudged{life, WorkerJudged::As::unwanted});
    }
  }
  push(at, TasksEnded{});
}

void Kernel::spawn(Instant now, Life life) {
  const Faults& faults = scenario_.faults;
  Process& process = processes_[life];
  if (chance(random_, faults.spawn_fails)) {
    push(now, SpawnFailed{life, {LaunchStep::fork, EAGAIN, {}}});
    return;
  }
  process.alive = true;
  process.ignores_stop = chance(random_, faults.ignores_stop);
  const auto last = std::ranges::find_if(processes_, [&](const auto& entry) {
    return entry.first.worker == life.worker && next(entry.first.incarnation) == life.incarnation;
  });
  const bool as_the_last_one = last != processes_.end() && last->second.refuses;  // It is the same user's.
  process.unkillable = chance(random_, faults.unkillable) || as_the_last_one;
  process.immortal = process.unkillable && chance(random_, 0.5);
  process.refuses = as_the_last_one || (process.unkillable && chance(random_, 0.5));
  process.output_held = chance(random_, faults.output_held);
  process.descendants = chance(random_, faults.leaves_descendants) ? 1 + pick(random_, 3) : 0;
  process.immortal_descendants = chance(random_, faults.immortal_descendants);
  const bool hangs = chance(random_, faults.exec_hangs);
  push(hangs && chance(random_, 0.5) ? now + some_time(random_, 1ms, 60s) : now,
       WorkerSpawned{life, static_cast<std::int32_t>(1000 + order_)});
  if (!hangs && chance(random_, faults.exec_fails)) {
    process.doomed = true;
    push(soon(now), SpawnFailed{life, {LaunchStep::exec, ENOENT, "x"}});
    return;
  }
  if (hangs) {
    return;
  }
  const Instant ready = soon(now);
  push(ready, WorkerReady{life});
  if (scenario_.tasks) {
    judge(ready, life);
  }
  if (chance(random_, faults.closes_output)) {
    process.output_told = true;
    push(soon(ready), OutputClosed{life});
  }
  if (!chance(random_, faults.lives_for_ever)) {
    const ExitStatus status =
        chance(random_, faults.crashes) ? some_crash(random_) : ExitStatus(ExitedWith{chance(random_, 0.1) ? 3 : 0});
    die(ready + some_time(random_, 10us, 30s), life, status);
  }
}

/// Its natural end; a signal may come first. A process has one end: whatever is first in the queue wins.
void Kernel::die(Instant at, Life life, ExitStatus status, bool before_exec) {
  const Duration late = chance(random_, scenario_.faults.slow_reaping) ? some_time(random_, 1us, 1s) : Duration::zero();
  const bool had_terminal = scenario_.terminal && chance(random_, 0.7);  // It comes and goes with the shell's fg and bg.
  push(at + late, WorkerExited{life, status, {}, false, before_exec, had_terminal});
}

void Kernel::signal(Instant now, Life life, int number) {
  Process& process = processes_[life];
  if (process.alive && process.refuses) {
    push(chance(random_, 0.5) ? now : soon(now),
         SignalFailed{life, number, number == SIGKILL || chance(random_, 0.5) ? EPERM : EINVAL});
  }
  if (!process.alive || process.doomed || number == SIGCONT) {
    return;
  }
  const bool deadly = number == SIGKILL;
  if (!deadly && (process.refuses || process.ignores_stop || number == SIGUSR1 || number == SIGUSR2 || number == SIGWINCH)) {
    return;
  }
  if (deadly && process.unkillable) {
    if (!process.immortal) {
      process.doomed = true;
      const Instant at = now + some_time(random_, 1s, 60s);
      if (!process.executing && chance(random_, 0.5)) {  // It hung in exec, and never got out of it.
        push(at, SpawnFailed{life, {LaunchStep::killed, SIGKILL, {}}});
      } else {
        push(at, WorkerExited{life, KilledBy{SIGKILL}});
      }
    }
    return;
  }
  process.doomed = true;
  const Instant at = deadly || !chance(random_, scenario_.faults.slow_stop) ? soon(now) : now + some_time(random_, 1ms, 20s);
  if (deadly || at - now < 6ms) {
    // The end may come before exec was heard of: then there never was a worker.
    if (!process.executing && chance(random_, 0.5)) {
      push(at, SpawnFailed{life, {LaunchStep::killed, number, {}}});
      return;
    }
  } else {
    process.doomed = false;  // Still cleaning up: SIGKILL would end it.
  }
  if (chance(random_, 0.5)) {
    die(at, life, ExitedWith{0});
  } else {
    die(at, life, KilledBy{number}, !process.executing && chance(random_, 0.5));
  }
}

void Kernel::drain(Instant now, const DrainOutput& asked) {
  Process& process = processes_[asked.life];
  if (process.output_told) {
    return;
  }
  if (asked.another_follows && chance(random_, 0.5)) {
    process.output_ends_with_sweep = true;  // As of pipes that the supervisor keeps: nothing else tells of their end.
    return;
  }
  process.output_told = true;
  if (!process.output_held) {
    push(now, OutputClosed{asked.life});
  } else if (chance(random_, 0.5)) {
    push(now + some_time(random_, 1ms, 1s), OutputClosed{asked.life});
  }
}

void Kernel::sweep(Instant now, Life life) {
  Process& process = processes_[life];
  if (process.immortal_descendants) {
    return;
  }
  Instant gone = now;
  if (process.descendants > 0) {
    --process.descendants;
    if (process.descendants > 0) {
      return;
    }
    gone = soon(now);
  }
  if (std::exchange(process.output_ends_with_sweep, false)) {
    process.output_told = true;
    push(gone, OutputClosed{life});
  }
  push(gone, WorkerSwept{life});
}

void Kernel::sweep_all(Instant now) {
  Leftovers left;
  for (auto& [life, process] : processes_) {
    const bool immortal = process.immortal_descendants && !process.alive && process.output_told;
    if (immortal || process.alive) {
      ++left.found;
    }
    process.descendants = immortal ? process.descendants : 0;
  }
  if (left.found == 0) {
    push(now, AllSwept{});
  } else {
    left.pid = static_cast<std::int32_t>(1000 + order_);  // No two looks say the same.
    push(now, SweepIncomplete{left});
  }
}

}  // namespace corral::simulation
