// What a signal means: stop, kill, drain, reload, or something for the workers.
#include <algorithm>
#include <csignal>
#include <utility>

#include "supervisor/core/supervisor.hpp"

namespace corral::core {

void Supervisor::on(const SignalReceived& event) {
  if (phase_ == Phase::sweeping) {
    return;
  }
  if (options_.transparent) {
    pass_on(event.signal);
    return;
  }
  if (options_.led && phase_ == Phase::running && (event.signal == SIGTERM || event.signal == SIGHUP)) {
    return hear(event.signal, std::nullopt);  // They came to its giver's process group, or should have come to the giver.
  }
  if (options_.led && phase_ == Phase::running && event.signal == SIGINT) {
    return pass_to_running(event.signal);
  }
  switch (event.signal) {
    case SIGTERM:
    case SIGINT: return stop_or_kill(event.signal);
    case SIGQUIT: return kill_at_once(event.signal);
    case SIGUSR2: act(ReopenLogs{}); [[fallthrough]];
    case SIGUSR1: return pass_to_running(event.signal);
    case SIGHUP:
      if (options_.tasks) {
        return drain_asked_ || phase_ != Phase::running ? void() : begin_drain(event.signal);
      }
      if (event.terminal_gone) {
        return stop_or_kill(event.signal);
      }
      if (options_.reloadable && phase_ == Phase::running) {
        return act(LoadConfiguration{});
      }
      [[fallthrough]];
    default:
      if (event.signal == SIGCONT || event.signal == SIGPIPE || event.signal == SIGWINCH) {
        return;  // They come by themselves, and mean nothing to a supervisor.
      }
      hear(event.signal, std::nullopt);
  }
}

void Supervisor::stop_or_kill(int signal) {
  if (phase_ == Phase::running && options_.tasks && options_.drains && !drain_asked_) {
    begin_drain(signal);
  } else if (phase_ == Phase::running && (!drain_asked_ || !is_echo(signal))) {
    begin_shutdown({StopCause::Kind::signal, signal});
  } else if (phase_ == Phase::running) {
    return;
  } else if (signal != SIGHUP && !is_echo(signal)) {  // A terminal that goes away during a stop asks for nothing new.
    kill_everything(signal);
  }
}

/// Who sends a signal on often sends it to us and to our group, which is one wish: timeout does, npm and make at Ctrl-C. Nobody
/// presses a key twice in that time.
bool Supervisor::is_echo(int signal) const { return signal == asked_by_ && now_ < after(asked_at_, options_.patience.echo); }

void Supervisor::kill_at_once(int signal) {
  grace_was_over_ = grace_was_over_ || workers_with_process() > 0;
  if (phase_ == Phase::running) {
    // A stop signal first would only race with it.
    begin_shutdown({StopCause::Kind::signal, signal}, Happening::kill_wanted);
  } else {
    for_each_worker([&](WorkerId id, Worker&) { apply(id, Happening::kill_wanted); });
  }
}

void Supervisor::pass_to_running(int signal) {
  std::uint32_t count = 0;
  for_each_worker([&](WorkerId id, Worker& worker) {
    if (kind(worker.state) == StateKind::running) {
      act(SignalWorker{life_of(id, worker), signal});
      ++count;
    }
  });
  hear(signal, count);
}

void Supervisor::hear(int signal, std::optional<std::uint32_t> passed_on) {
  if (const std::optional<HeardSignal> heard = heard_.hear(now_, signal, passed_on)) {
    tell_of(*heard);
  }
}

void Supervisor::tell_of_signals(Instant until) {
  for (const HeardSignal& heard : heard_.take_due(until)) {
    tell_of(heard);
  }
}

void Supervisor::tell_of(const HeardSignal& heard) {
  if (heard.passed_on) {
    announce(SignalPassedOn{heard.signal, *heard.passed_on, heard.times});
  } else {
    announce(SignalIgnored{heard.signal, heard.times});
  }
}

/// The signals that mean "end": after one of them a worker that ends is not started again.
static bool asks_to_end(int signal) { return signal == SIGTERM || signal == SIGINT || signal == SIGQUIT || signal == SIGHUP; }

void Supervisor::pass_on(int signal) {
  const auto& rewrite = options_.transparent->rewrite;
  const auto rule = std::ranges::find(rewrite, signal, &std::pair<int, int>::first);
  const int passed = rule == rewrite.end() ? signal : rule->second;
  if (passed == 0) {
    return;
  }
  const bool ends = asks_to_end(passed);
  const bool with_grace = ends && options_.transparent->grace;
  if (ends) {
    phase_ = Phase::stopping;
  }
  for_each_worker([&](WorkerId id, Worker& worker) {
    if (ends) {
      worker.wanted_up = false;
    }
    if (has_process(kind(worker.state))) {
      act(SignalWorker{life_of(id, worker), passed});
      if (with_grace && kind(worker.state) != StateKind::stopping && kind(worker.state) != StateKind::killing) {
        enter(id, worker, Stopping{after(now_, program_of(id.program).plan.spec.stop.grace)});
      }
    } else if (ends) {
      apply(id, Happening::stop_wanted);
    }
  });
}

void Supervisor::begin_drain(int signal) {
  drain_asked_ = true;
  asked_by_ = signal;
  asked_at_ = now_;
  announce(DrainBegun{signal});
  act(DrainTasks{signal});
}

void Supervisor::begin_shutdown(StopCause cause, Happening what_is_wanted) {
  phase_ = Phase::stopping;
  answer_all(CommandOutcome::Kind::stopping);
  if (options_.tasks) {
    act(AbortTasks{cause.signal});  // Before any worker hears of it: what it answers no more was not its fault.
  }
  asked_by_ = cause.signal;
  asked_at_ = now_;
  announce(ShutdownBegun{cause, workers_with_process()});
  for_each_worker([&](WorkerId id, Worker& worker) {
    worker.wanted_up = false;
    apply(id, what_is_wanted);
  });
}

void Supervisor::kill_everything(int signal) {
  if (forced_by_ == 0) {
    announce(ShutdownForced{signal, workers_with_process()});
  }
  forced_by_ = signal;
  for_each_worker([&](WorkerId id, Worker&) { apply(id, Happening::kill_wanted); });
}

}  // namespace corral::core
