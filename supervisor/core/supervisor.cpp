#include "supervisor/core/supervisor.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "common/base/check.hpp"

namespace corral::core {

Supervisor::Supervisor(Options options) : options_(std::move(options)), random_(options_.seed) {
  CORRAL_CHECK(options_.launches_at_once > 0);
}

void Supervisor::start(Instant now, const Plan& plan, ActionList& actions) {
  CORRAL_CHECK(programs_.empty());
  now_ = now;
  actions_ = &actions;
  stay_ = plan.stay;
  Reloaded counts;
  for (const PlannedProgram& planned : plan.programs) {
    adopt(planned, counts);
  }
  after_step();
}

void Supervisor::step(Instant now, const Event& event, ActionList& actions) {
  CORRAL_CHECK(now >= now_);
  if (phase_ == Phase::done) {
    return;
  }
  now_ = now;
  actions_ = &actions;
  std::visit([this](const auto& happened) { on(happened); }, event);
  after_step();
}

void Supervisor::after_step() {
  admit_launches();
  for (const ProgramId id : to_tidy_) {
    drop_settled(program_of(id));
  }
  to_tidy_.clear();
  if (has_finished()) {
    begin_sweeping();
  }
  actions_ = nullptr;
}

bool Supervisor::has_finished() const {
  if (unsettled_ > 0 || phase_ == Phase::stopping) {
    return unsettled_ == 0;
  }
  // Who comes when called may be called again.
  return phase_ == Phase::running && !stay_ && (!options_.on_demand || tasks_ended_);
}

std::optional<Instant> Supervisor::next_deadline() const {
  if (phase_ == Phase::done) {
    return std::nullopt;
  }
  Instant first = std::min({sweep_again_, sweep_give_up_, heard_.next()});
  if (!due_.empty()) {
    first = std::min(first, due_.begin()->first);
  }
  return first == never ? std::nullopt : std::optional(first);
}

// ---- Events of one life ---------------------------------------------------------------------------------------------

void Supervisor::on(const WorkerSpawned& event) {
  if (Worker* worker = find(event.life)) {
    if (worker->spawning) {
      worker->spawning = false;
      --spawning_;
    }
    worker->pid = event.pid;
    apply(event.life.worker, Happening::spawned);
  }
}

void Supervisor::on(const SpawnFailed& event) {
  Worker* worker = find(event.life);
  if (worker == nullptr) {
    return;
  }
  if (worker->spawning) {
    worker->spawning = false;
    --spawning_;
  }
  last_launch_failure_ = event.failure;
  if (worker->timed_out) {
    last_launch_failure_->step = LaunchStep::timeout;
  }
  apply(event.life.worker, Happening::spawn_failed);
}

void Supervisor::on(const WorkerReady& event) {
  if (Worker* worker = find(event.life)) {
    worker->executed = true;
    apply(event.life.worker, Happening::ready);
  }
}

void Supervisor::on(const WorkerExited& event) {
  Worker* worker = find(event.life);
  if (worker == nullptr) {
    return;
  }
  worker->usage = event.usage;
  worker->out_of_memory = event.out_of_memory;
  worker->had_terminal = event.had_terminal;
  worker->died_at = now_;
  // Also where it was being stopped before it was seen to run.
  anything_ran_ = anything_ran_ || (worker->executed && !event.before_exec);
  last_status_ = event.status;
  apply(event.life.worker, Happening::exited);
}

void Supervisor::on(const SignalFailed& event) {
  Worker* worker = find(event.life);
  if (worker == nullptr || !has_process(kind(worker->state))) {
    return;
  }
  if (kind(worker->state) == StateKind::killing && event.signal != SIGKILL) {
    return;  // SIGKILL has followed: only what became of that matters.
  }
  if (worker->refused == event.error_number) {
    return;  // It fails as the last one did, which was said.
  }
  worker->refused = event.error_number;
  SignalRefused notice{event.life, worker->pid, event.signal, event.error_number, {}, {}};
  if (const auto* stopping = std::get_if<Stopping>(&worker->state)) {
    notice.kill_in = std::max(stopping->kill_at - now_, Duration::zero());
  } else if (const auto* killing = std::get_if<Killing>(&worker->state)) {
    notice.give_up_in = std::max(killing->give_up_at - now_, Duration::zero());
  }
  announce(notice);
}

void Supervisor::on(const OutputClosed& event) {
  if (find(event.life) != nullptr) {
    apply(event.life.worker, Happening::output_closed);
  }
}

void Supervisor::on(const WorkerSwept& event) {
  if (find(event.life) != nullptr) {
    apply(event.life.worker, Happening::swept);
  }
}

// ---- Signals --------------------------------------------------------------------------------------------------------

void Supervisor::on(const SignalReceived& event) {
  if (phase_ == Phase::sweeping) {
    return;
  }
  if (options_.transparent) {
    pass_on(event.signal);
    return;
  }
  switch (event.signal) {
    case SIGTERM:
    case SIGINT: return stop_or_kill(event.signal);
    case SIGQUIT: return kill_at_once(event.signal);
    case SIGUSR1:
    case SIGUSR2: return pass_to_running(event.signal);
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
  if (phase_ == Phase::running && options_.tasks && !drain_asked_) {
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

// ---- Tasks ----------------------------------------------------------------------------------------------------------

void Supervisor::on(const WorkerJudged& event) {
  Worker* worker = find(event.life);
  if (worker == nullptr || worker->occupied) {
    return;  // A past life, or one that was given up: whoever judges it has not heard yet.
  }
  switch (event.as) {
    case WorkerJudged::As::proven: worker->proven = program_of(event.life.worker.program).proven = true; return;
    case WorkerJudged::As::outdated: worker->outdated = true; break;
    case WorkerJudged::As::failing: break;
    case WorkerJudged::As::dismissed: worker->wanted_up = false; return;
    case WorkerJudged::As::unwanted: worker->wanted_up = false; break;
  }
  if (has_process(kind(worker->state))) {
    apply(event.life.worker, Happening::stop_wanted);
  }
}

void Supervisor::on(const WorkerCalled& event) {
  Worker* worker = find(event.worker);
  if (worker == nullptr || phase_ != Phase::running) {
    return;
  }
  if (worker->occupied) {
    return act(CloseSlot{event.worker});
  }
  worker->wanted_up = true;
  apply(event.worker, Happening::start_wanted);
}

void Supervisor::on(const TasksHalted&) {
  if (phase_ == Phase::running) {
    begin_shutdown({StopCause::Kind::tasks_failed, 0});
  }
}

void Supervisor::on(const TasksEnded&) {
  tasks_ended_ = true;
  for_each_worker([&](WorkerId id, Worker& worker) {
    worker.wanted_up = false;
    if (!has_process(kind(worker.state))) {
      apply(id, Happening::stop_wanted);
    }
  });
}

// ---- Deadlines ------------------------------------------------------------------------------------------------------

void Supervisor::on(const DeadlineReached&) {
  while (!due_.empty() && due_.begin()->first <= now_) {
    apply(due_.begin()->second, Happening::deadline);
  }
  tell_of_signals(now_);
  if (phase_ == Phase::sweeping) {
    sweep_everything_again();
  }
}

// ---- The end --------------------------------------------------------------------------------------------------------

void Supervisor::begin_sweeping() {
  CORRAL_CHECK(due_.empty() && spawning_ == 0);
  phase_ = Phase::sweeping;
  sweep_again_ = after(now_, options_.patience.sweep);
  sweep_give_up_ = after(now_, options_.patience.kill);
  act(SweepAll{});
}

void Supervisor::sweep_everything_again() {
  if (now_ >= sweep_give_up_) {
    incomplete_ = true;
    announce(LeftBehind{leftovers_});
    exit_supervisor();
  } else if (now_ >= sweep_again_) {
    sweep_again_ = after(now_, options_.patience.sweep);
    act(SweepAll{});
  }
}

void Supervisor::on(const AllSwept&) {
  if (phase_ == Phase::sweeping) {
    exit_supervisor();
  }
}

void Supervisor::on(const SweepIncomplete& event) {
  if (phase_ == Phase::sweeping) {
    leftovers_ = event.left;
  }
}

void Supervisor::exit_supervisor() {
  phase_ = Phase::done;
  const int status = exit_status();
  tell_of_signals(never);
  announce(Finished{status});
  act(ExitSupervisor{status});
}

int Supervisor::exit_status() const {
  if (options_.transparent && !anything_ran_ && last_launch_failure_) {
    const bool at_exec = last_launch_failure_->step == LaunchStep::exec;
    return !at_exec ? 125 : last_launch_failure_->error_number == ENOENT ? 127 : 126;
  }
  if (options_.transparent && last_status_) {
    return last_status_->shell_code();
  }
  if (!anything_ran_ && last_launch_failure_ && forced_by_ == 0 && anything_failed_) {
    return 125;
  }
  if (incomplete_) {
    return 3;  // Before the next line: a second signal ended everything, and that is what has not happened.
  }
  if (forced_by_ != 0) {
    return 128 + forced_by_;
  }
  if (grace_was_over_ || left_behind_) {
    return 3;
  }
  return anything_failed_ ? 1 : 0;
}

// ---- Looking around -------------------------------------------------------------------------------------------------

Supervisor::Program& Supervisor::program_of(ProgramId id) {
  CORRAL_CHECK(number(id) < programs_.size());
  return programs_[number(id)];
}

Supervisor::Worker* Supervisor::find(WorkerId id) {
  if (number(id.program) >= programs_.size()) {
    return nullptr;
  }
  Program& program = programs_[number(id.program)];
  return id.index < program.workers.size() ? &program.workers[id.index] : nullptr;
}

Supervisor::Worker* Supervisor::find(Life life) {
  Worker* worker = find(life.worker);
  return worker != nullptr && worker->incarnation == life.incarnation ? worker : nullptr;
}

std::uint32_t Supervisor::workers_with_process() const {
  std::uint32_t count = 0;
  for (const Program& program : programs_) {
    count += static_cast<std::uint32_t>(
        std::ranges::count_if(program.workers, [](const Worker& worker) { return has_process(kind(worker.state)); }));
  }
  return count;
}

Snapshot Supervisor::snapshot() const {
  Snapshot view{phase_, {}};
  for (const Program& program : programs_) {
    if (!program.present) {
      continue;
    }
    ProgramSnapshot& copy = view.programs.emplace_back(program.plan.id, program.plan.spec.name, program.failed);
    for (std::uint32_t index = 0; index < program.workers.size(); ++index) {
      const Worker& worker = program.workers[index];
      const bool alive = has_process(kind(worker.state)) || worker.occupied;
      copy.workers.push_back(
          {index, worker.state, worker.incarnation, alive ? worker.pid : 0, worker.restarts, worker.unhealthy, worker.wanted_up});
    }
  }
  return view;
}

}  // namespace corral::core
