// What the core asks for, done. No function here decides anything, and none calls the core.
#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <new>
#include <system_error>
#include <thread>
#include <utility>

#include <boost/asio/post.hpp>

#include "common/base/check.hpp"
#include "supervisor/shell/pump.hpp"

namespace corral::shell {

void Pump::perform(const core::Action& action) {
  std::visit([this](const auto& what) { perform(what); }, action);
}

process::LaunchRequest Pump::request_for(Life life) const {
  const Program& program = programs_[number(life.worker.program)];
  const core::CpuSet& placement = program.placements[life.worker.index];
  process::LaunchRequest request;
  request.life = life;
  request.program = program.prepared.launch.get();
  request.placement = &placement;
  request.cores = placement.empty() ? program.prepared.threads : static_cast<std::uint32_t>(placement.size());
  request.transparent = options_.own_descriptors;
  return request;
}

/// With the descriptors that the worker gets.
Result<process::LaunchRequest> Pump::arrange_launch(Life life) {
  process::LaunchRequest request = request_for(life);
  const core::LogTo log = programs_[number(life.worker.program)].log.to;
  if (relay_ && log == core::LogTo::nothing) {
    const Result<int> null = nowhere();
    if (!null) {
      return std::unexpected(null.error());
    }
    request.stdout_fd = request.stderr_fd = *null;
  } else if (relay_) {
    Result<Relay::WriteEnds> ends = relay_->connect(life);
    if (!ends) {
      return std::unexpected(std::move(ends.error()));
    }
    request.stdout_fd = ends->out;
    request.stderr_fd = ends->err;
  }
  if (Program& program = programs_[number(life.worker.program)]; program.has_tasks) {
    program.counts.reset();
    if (auto counts = SharedCounts::make()) {  // Without it nobody sees how far it is; it works all the same.
      request.task_fd = counts->descriptor();
      program.counts.emplace(std::move(*counts));
    }
  }
  if (feed_) {
    const Result<WorkerEnds> ends = feed_->connect(life);
    if (!ends) {
      launch_failed(life);
      return std::unexpected(ends.error());
    }
    request.stdin_fd = ends->in;
    request.stdout_fd = ends->out >= 0 ? ends->out : request.stdout_fd;
    request.task_fd = ends->task;
    request.mark_fd = ends->mark;
    if (const auto work = feed_->work_of(life.worker)) {
      request.has_task = true;
      request.task = work->text;
      request.task_number = work->number;
    }
  }
  return request;
}

void Pump::launch_failed(Life life) {
  if (relay_) {
    relay_->close(life);
  }
  if (feed_) {
    feed_->launch_failed(life);
  }
}

void Pump::perform(const core::SpawnWorker& action) {
  ++spawned_since_look_;
  Result<process::LaunchRequest> request = arrange_launch(action.life);
  if (!request) {
    const int error = request.error().error_number;
    enqueue(core::SpawnFailed{action.life, {core::LaunchStep::prepare, error, std::move(request.error().message)}});
    return;
  }
  if (options_.own_descriptors) {
    terminal_.launching();
  }
  const auto launched = processes_->launch(*request);
  if (!launched) {
    launch_failed(action.life);
    enqueue(core::SpawnFailed{action.life, launched.error()});
    return;
  }
  if (relay_) {
    relay_->launched(action.life);
  }
  if (feed_) {
    feed_->launched(now(), action.life, *launched);
  }
  settle_wait_ = Duration::zero();
  if (options_.own_descriptors) {
    terminal_.launched(*launched);
  }
  enqueue(core::WorkerSpawned{action.life, *launched});
}

void Pump::perform(const core::SignalWorker& action) {
  if (const int error = processes_->signal(action.life, action.signal); error != 0 && error != ESRCH) {
    enqueue(core::SignalFailed{action.life, action.signal, error});
  }
}

void Pump::perform(const core::DrainOutput& action) {
  if (action.another_follows && relay_ && relay_->keeps(action.life)) {
    return;  // sweep() finds the end of it.
  }
  if (!relay_ || relay_->drain(action.life)) {
    enqueue(core::OutputClosed{action.life});
  }
}

/// Closing the end of a pipe takes a fifth of what a stop costs here, and nothing waits for it once nothing is launched any more.
void Pump::close(FileDescriptor fd) {
  static constexpr std::size_t batch = 64;
  if (!has_aside_ || core_.phase() == core::Phase::running) {
    return;
  }
  closing_.push_back(std::move(fd));
  if (closing_.size() == batch) {
    close_aside();
  }
}

void Pump::close_aside() {
  if (!closing_.empty()) {
    boost::asio::post(aside_, [closed_by_being_dropped = std::exchange(closing_, {})] {});
  }
}

void Pump::perform(const core::AbandonOutput& action) {
  if (relay_) {
    relay_->close(action.life);
  }
}

void Pump::perform(const core::ReleaseOutput& action) {
  if (relay_) {
    relay_->forget(action.worker);
  }
}

void Pump::perform(const core::SweepWorker& action) {
  processes_->sweep(action.life);
  sweep_due_ = true;
}

void Pump::sweep() {
  sweep_due_ = false;
  std::vector<Life> gone;
  processes_->finish_sweeps(gone);
  for (const Life life : gone) {
    if (Hooks::owns(life)) {
      hooks_->swept();
      continue;
    }
    if (relay_ && relay_->keeps(life)) {
      relay_->finish(life);
      enqueue(core::OutputClosed{life});
    }
    enqueue(core::WorkerSwept{life});
  }
}

void Pump::perform(const core::SweepAll&) {
  if (waits_for_hooks()) {
    sweep_held_ = true;  // proceed_with_hooks() goes on with it.
    return;
  }
  sweeping_all_ = true;
  if (processes_->alone()) {
    sweeping_all_ = false;
    enqueue(core::AllSwept{});
  } else {
    enqueue(core::SweepIncomplete{processes_->sweep_all()});
  }
}

/// From now on launches are made from `prepared`: before the core has heard of it, so that none is made from the old.
void Pump::adopt(const Prepared& prepared) {
  adopt_events(prepared);
  CORRAL_CHECK(prepared.programs.size() == prepared.plan.programs.size());
  for (std::size_t i = 0; i < prepared.programs.size(); ++i) {
    const core::PlannedProgram& planned = prepared.plan.programs[i];
    if (number(planned.id) >= programs_.size()) {
      programs_.resize(number(planned.id) + std::size_t{1});
    }
    Program& program = programs_[number(planned.id)];
    retire(program);
    program = {planned.spec.name,         prepared.programs[i],          planned.placements, planned.reliefs, planned.spec.log,
               std::move(program.counts), planned.spec.tasks.has_value()};
    define_log(planned.id);
  }
}

/// A launch that is under way reads its template until its exec is done: here it outlives the program's new definition.
void Pump::retire(Program& program) {
  if (program.prepared.launch && processes_->outstanding() > 0) {
    retired_.push_back(std::move(program.prepared.launch));
  }
}

void Pump::perform(const core::ForgetProgram& action) {
  Program& program = programs_[number(action.program)];
  for (std::uint32_t index = 0; index < program.placements.size(); ++index) {
    processes_->forget(WorkerId{action.program, index});
    last_words_.forget(WorkerId{action.program, index});
  }
  retire(program);
  tally_.forget(action.program);
  program = Program{program.name, {}, {}, 0, {}};
  define_log(action.program);
}

void Pump::perform(const core::Announce& action) {
  if (options_.control) {
    tally_.hear(now(), action.notice);
  }
  voice_->notice(action.notice);
}

void Pump::perform(const core::ExitSupervisor& action) {
  sweeping_all_ = false;
  exit_with_ = action.status;
  conclude();
}

}  // namespace corral::shell
