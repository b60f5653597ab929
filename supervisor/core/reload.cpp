// From one configuration to the next. Programs whose launch did not change keep their processes.
#include <algorithm>
#include <utility>

#include "common/base/check.hpp"
#include "supervisor/core/supervisor.hpp"

namespace corral::core {

void Supervisor::on(const ConfigReloaded& event) {
  if (phase_ != Phase::running) {  // It is too late for a new configuration; everything stops.
    return answer(event.asked_by, {CommandOutcome::Kind::stopping});
  }
  if (event.kind == ConfigReloaded::Kind::restored && !awaits_restoration(event.trial)) {
    return;  // Another configuration has come meanwhile.
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
    const std::uint32_t kept = counts.kept;
    adopt(planned, counts, event.kind == ConfigReloaded::Kind::scaled);
    if (event.kind == ConfigReloaded::Kind::scaled && planned.id != event.program) {
      counts.kept = kept;
    }
  }
  tell_of_reload(event, counts);
  await_reload(event);
}

void Supervisor::tell_of_reload(const ConfigReloaded& event, Reloaded counts) {
  switch (event.kind) {
    case ConfigReloaded::Kind::restored: return announce(RolledBack{counts});
    case ConfigReloaded::Kind::scaled: return announce(Scaled{event.program, program_of(event.program).plan.workers(), counts});
    case ConfigReloaded::Kind::on_trial: counts.on_trial = !touched_.empty() || on_trial(); return announce(counts);
    case ConfigReloaded::Kind::changed: return announce(counts);
  }
}

void Supervisor::adopt(const PlannedProgram& planned, Reloaded& counts, bool scaled) {
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
  if (scaled && program.present && !program.retired && same_but_for_count(program.plan, planned)) {
    return resize(program, planned, counts);
  }
  replace_definition(program, planned, counts);
}

/// More workers, or fewer: those that stay where they are go on.
void Supervisor::resize(Program& program, const PlannedProgram& planned, Reloaded& counts) {
  const std::vector<CpuSet> before = std::exchange(program.plan, planned).placements;
  forgive(planned.id);
  for (std::uint32_t index = 0; index < program.workers.size(); ++index) {
    Worker& worker = program.workers[index];
    const WorkerId id{planned.id, index};
    const bool returns = worker.retired && index < planned.workers();
    if (index >= planned.workers()) {
      dismiss(id, worker, counts);
    } else if (returns || (has_process(kind(worker.state)) && worker.wanted_up && before[index] != planned.placements[index])) {
      worker.retired = false;
      ++(returns ? counts.started : counts.replaced);
      touched_.push_back(id);
      bring_up(id, worker, true);
    } else {
      ++counts.kept;
    }
  }
  to_tidy_.push_back(planned.id);
  append_workers(program, planned, counts);
}

/// It leaves its program, when it is settled.
void Supervisor::dismiss(WorkerId id, Worker& worker, Reloaded& counts) {
  counts.stopped += has_process(kind(worker.state)) ? 1U : 0U;
  worker.retired = true;
  worker.wanted_up = false;
  let_go(worker);
  touched_.push_back(id);
  apply(id, Happening::stop_wanted);
}

/// Answers whoever asked for it, when it is true of every worker that it has touched.
void Supervisor::await_reload(const ConfigReloaded& event) {
  const bool on_trial = event.kind == ConfigReloaded::Kind::on_trial;
  PendingCommand pending{.asked_by = event.asked_by};
  if (on_trial) {
    pending.trial = Trial{TrialId{++trials_}};
  }
  for (const WorkerId id : std::exchange(touched_, {})) {
    const Worker* worker = find(id);
    if (worker == nullptr || worker->held) {
      continue;
    }
    const Program& program = program_of(id.program);
    const bool leaves = worker->retired || program.retired;
    await(pending, id,
          leaves     ? CommandTarget::Until::is_gone
          : on_trial ? CommandTarget::Until::settles
                     : CommandTarget::Until::runs);
    pending.targets.back().healthy_after = program.plan.spec.restart.healthy_after;
  }
  if (event.kind == ConfigReloaded::Kind::scaled) {
    extend_trial(pending);
  } else {
    succeed_trial(event, pending);
  }
  if (pending.asked_by && awaited_commands() >= most_commands) {
    answer(std::exchange(pending.asked_by, {}), {CommandOutcome::Kind::busy});
  }
  if (pending.trial) {
    begin_trial(std::move(pending));
  } else if (pending.asked_by) {
    begin_waiting(std::move(pending));
  }
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
    if (worker.retired) {
      let_go(worker);
    }
    worker.wanted_up = !worker.retired && !worker.held;
    worker.unhealthy = 0;
    const WorkerId id{planned.id, index};
    touched_.push_back(id);
    if (is_settled(kind(worker.state)) || kind(worker.state) == StateKind::backoff || kind(worker.state) == StateKind::waiting) {
      counts.started += worker.wanted_up ? 1U : 0U;
      apply(id, Happening::stop_wanted);
      if (worker.wanted_up) {
        worker.start_why = StartWhy::configured;
        apply(id, Happening::start_wanted);
      }
      continue;
    }
    ++(worker.wanted_up ? counts.replaced : counts.stopped);
    worker.outdated = true;
    worker.told_again = false;
    apply(id, Happening::stop_wanted);
  }
  to_tidy_.push_back(planned.id);
  append_workers(program, planned, counts);
}

void Supervisor::append_workers(Program& program, const PlannedProgram& planned, Reloaded& counts) {
  while (program.workers.size() < planned.workers()) {
    const std::size_t index = program.workers.size();
    program.workers.emplace_back().incarnation = index < program.left.size() ? program.left[index] : Incarnation{};
    touched_.push_back(WorkerId{planned.id, static_cast<std::uint32_t>(program.workers.size() - 1)});
    start_worker(touched_.back());
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
    let_go(worker);
    touched_.push_back(WorkerId{program.plan.id, index});
    apply(touched_.back(), Happening::stop_wanted);
  }
  to_tidy_.push_back(program.plan.id);
}

/// Lets go of what has left the configuration and has come to rest.
void Supervisor::drop_settled(Program& program) {
  while (!program.workers.empty() && (program.retired || program.workers.back().retired) &&
         is_settled(kind(program.workers.back().state)) && !program.workers.back().occupied) {
    const std::size_t index = program.workers.size() - 1;
    program.left.resize(std::max(program.left.size(), index + 1));
    program.left[index] = program.workers.back().incarnation;
    program.workers.pop_back();
  }
  if (program.present && program.retired && program.workers.empty()) {
    program.present = false;
    act(ForgetProgram{program.plan.id});
  }
}

}  // namespace corral::core
