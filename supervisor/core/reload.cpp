// From one configuration to the next. Programs whose launch did not change keep their processes.
#include <algorithm>

#include "common/base/check.hpp"
#include "supervisor/core/supervisor.hpp"

namespace corral::core {

void Supervisor::on(const ConfigReloaded& event) {
  if (phase_ != Phase::running) {
    return;  // It is too late for a new configuration; everything stops.
  }
  stay_ = event.plan.stay;
  Reloaded counts;
  for (Program& program : programs_) {
    const bool goes = program.present && std::ranges::none_of(event.plan.programs, [&](const PlannedProgram& planned) {
                        return planned.id == program.plan.id;
                      });
    if (goes) {
      retire(program, counts);
    }
  }
  for (const PlannedProgram& planned : event.plan.programs) {
    adopt(planned, counts);
  }
  announce(counts);
}

void Supervisor::adopt(const PlannedProgram& planned, Reloaded& counts) {
  CORRAL_CHECK(planned.workers() > 0);
  if (number(planned.id) >= programs_.size()) {
    programs_.resize(number(planned.id) + std::size_t{1});
  }
  Program& program = program_of(planned.id);
  if (program.present && !program.retired && same_launch(program.plan, planned)) {
    if (program.plan.spec.restart.limit != planned.spec.restart.limit) {
      program.window.clear();
    }
    program.plan = planned;  // Only policy changed, if anything: it is obeyed from now on.
    counts.kept += planned.workers();
    return;
  }
  replace_definition(program, planned, counts);
}

/// Every worker of the program gets the new definition: a process of the old one is stopped first.
void Supervisor::replace_definition(Program& program, const PlannedProgram& planned, Reloaded& counts) {
  program.plan = planned;
  program.present = true;
  program.retired = false;
  program.failed = false;
  program.window.clear();
  const std::uint32_t wanted = planned.workers();
  for (std::uint32_t index = 0; index < program.workers.size(); ++index) {
    Worker& worker = program.workers[index];
    worker.retired = index >= wanted;
    worker.wanted_up = !worker.retired;
    worker.unhealthy = 0;
    const WorkerId id{planned.id, index};
    if (is_settled(kind(worker.state)) || kind(worker.state) == StateKind::backoff || kind(worker.state) == StateKind::waiting) {
      counts.started += worker.wanted_up ? 1U : 0U;
      apply(id, Happening::stop_wanted);
      if (worker.wanted_up) {
        apply(id, Happening::start_wanted);
      }
      continue;
    }
    ++(worker.wanted_up ? counts.replaced : counts.stopped);
    worker.outdated = true;
    apply(id, Happening::stop_wanted);
  }
  to_tidy_.push_back(planned.id);
  while (program.workers.size() < wanted) {
    program.workers.emplace_back().incarnation = program.dropped;
    start_worker(WorkerId{planned.id, static_cast<std::uint32_t>(program.workers.size() - 1)});
    ++counts.started;
  }
}

void Supervisor::start_worker(WorkerId id) {
  const PlannedProgram& planned = program_of(id.program).plan;
  if (options_.on_demand || id.index >= planned.workers() - planned.reliefs) {
    return;
  }
  find(id)->wanted_up = true;
  apply(id, Happening::start_wanted);
}

void Supervisor::retire(Program& program, Reloaded& counts) {
  program.retired = true;
  for (std::uint32_t index = 0; index < program.workers.size(); ++index) {
    Worker& worker = program.workers[index];
    counts.stopped += has_process(kind(worker.state)) ? 1U : 0U;
    worker.wanted_up = false;
    apply(WorkerId{program.plan.id, index}, Happening::stop_wanted);
  }
  to_tidy_.push_back(program.plan.id);
}

/// Lets go of what has left the configuration and has come to rest.
void Supervisor::drop_settled(Program& program) {
  while (!program.workers.empty() && (program.retired || program.workers.back().retired) &&
         is_settled(kind(program.workers.back().state)) && !program.workers.back().occupied) {
    program.dropped = std::max(program.dropped, program.workers.back().incarnation);
    program.workers.pop_back();
  }
  if (program.present && program.retired && program.workers.empty()) {
    program.present = false;
    act(ForgetProgram{program.plan.id});
  }
}

}  // namespace corral::core
