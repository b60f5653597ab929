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
    adopt(planned, counts, false);
  }
  touched_.clear();
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
  look_at_commands();
  if (std::exchange(to_shut_down_, false) && phase_ == Phase::running) {
    begin_shutdown({StopCause::Kind::program_failed, 0});
  }
  admit_launches();  // Of whom a rolling restart has started by that.
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
  return phase_ == Phase::running && !stay_ && kept_down_ == 0 && (!options_.on_demand || tasks_ended_) && !awaits_restoration();
}

std::optional<Instant> Supervisor::next_deadline() const {
  if (phase_ == Phase::done) {
    return std::nullopt;
  }
  Instant first = std::min({sweep_again_, sweep_give_up_, heard_.next(), next_settled()});
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

// ---- Deadlines ------------------------------------------------------------------------------------------------------

void Supervisor::on(const DeadlineReached&) {
  while (!due_.empty() && due_.begin()->first <= now_) {
    apply(due_.begin()->second, Happening::deadline);
  }
  tell_of_signals(now_);
  commands_moved_ = !commands_.empty();
  if (phase_ == Phase::sweeping) {
    sweep_everything_again();
  }
}

// ---- The end --------------------------------------------------------------------------------------------------------

void Supervisor::begin_sweeping() {
  CORRAL_CHECK(due_.empty() && spawning_ == 0);
  phase_ = Phase::sweeping;
  answer_all(CommandOutcome::Kind::stopping);
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
  Snapshot view{phase_, {}, static_cast<std::uint32_t>(commands_.size()), static_cast<std::uint32_t>(awaited_commands())};
  for (const Program& program : programs_) {
    if (!program.present) {
      continue;
    }
    ProgramSnapshot& copy = view.programs.emplace_back(program.plan.id, program.plan.spec.name, program.failed);
    for (std::uint32_t index = 0; index < program.workers.size(); ++index) {
      const Worker& worker = program.workers[index];
      const bool alive = has_process(kind(worker.state)) || worker.occupied;
      copy.workers.push_back({index, worker.state, worker.incarnation, alive ? worker.pid : 0, worker.restarts, worker.unhealthy,
                              worker.wanted_up, worker.held, alive ? worker.launched_at : never, worker.due});
    }
  }
  return view;
}

}  // namespace corral::core
