// The end of a life: what the policy makes of it, and what follows.
#include <algorithm>
#include <csignal>

#include "supervisor/core/supervisor.hpp"

namespace corral::core {

namespace {

/// Killed by Ctrl-C or Ctrl-\ of a terminal, or so it says itself, as shells put it.
bool says_interrupted(const ExitStatus& status) {
  const int code = status.shell_code();
  return code == 128 + SIGINT || code == 128 + SIGQUIT;
}

}  // namespace

void Supervisor::end_life(WorkerId id, Worker& worker, const ExitStatus& status) {
  if (worker.timed_out) {
    LaunchFailure failure{LaunchStep::timeout, 0, program_of(id.program).plan.spec.launch.command.front()};
    end_launch(id, worker, std::move(failure));
    return;
  }
  if (worker.had_terminal && says_interrupted(status)) {
    // The keys of the terminal reach the command alone: this is how we learn of them. As a shell does it.
    worker.wanted_up = false;
    phase_ = Phase::stopping;
  }
  const Verdict verdict = judge(id, worker, &status);
  const bool success = is_success(program_of(id.program).plan.spec.restart, status);
  announce(Ended{life_of(id, worker), worker.pid, status, worker.existed(), worker.usage, worker.out_of_memory, verdict, success,
                 worker.unhealthy});
  follow(id, worker, verdict, &status);
}

void Supervisor::end_launch(WorkerId id, Worker& worker, LaunchFailure failure) {
  last_launch_failure_ = failure;
  worker.output_open = false;
  const Verdict verdict = judge(id, worker, nullptr);
  announce(LaunchFailed{life_of(id, worker), std::move(failure), verdict, worker.unhealthy});
  follow(id, worker, verdict, nullptr);
}

/// What follows the end of a life; `status` is null for a launch that failed. Counts the exit where it was unhealthy.
Verdict Supervisor::judge(WorkerId id, Worker& worker, const ExitStatus* status) {
  const Program& program = program_of(id.program);
  const RestartPolicy& policy = program.plan.spec.restart;
  // Who ended before anybody asked is not made a success by being asked while its last output was read.
  const bool of_its_own =
      status != nullptr && worker.ended_unasked && !worker.outdated && !program.failed && !wants_restart(policy, *status);
  if (!worker.wanted_up && !of_its_own) {
    return {program.failed ? Verdict::Kind::program_failed : Verdict::Kind::stopped};
  }
  if (worker.outdated) {
    return {worker.told_again ? Verdict::Kind::restarted : Verdict::Kind::replaced};
  }
  if (status != nullptr && !wants_restart(policy, *status)) {
    return {is_success(policy, *status) ? Verdict::Kind::finished : Verdict::Kind::not_restarted};
  }
  if (status == nullptr && policy.when == RestartWhen::never) {
    return {Verdict::Kind::not_restarted};
  }
  const bool lived_long = worker.ran_since != never && worker.lived() >= policy.healthy_after;
  const bool healthy = status != nullptr && (worker.proven || lived_long);
  Verdict verdict = judge_restart(id, worker, healthy);
  if (status == nullptr && verdict.kind == Verdict::Kind::restart) {
    verdict.delay = std::max(verdict.delay, least_delay_after_failed_launch);
  }
  return verdict;
}

Verdict Supervisor::judge_restart(WorkerId id, Worker& worker, bool healthy) {
  Program& program = program_of(id.program);
  const RestartPolicy& policy = program.plan.spec.restart;
  if (healthy) {
    worker.unhealthy = 0;
  } else {
    ++worker.unhealthy;
    if (policy.limit && !program.proven && program.window.note(now_, *policy.limit)) {
      return {Verdict::Kind::program_failed};
    }
  }
  const Duration delay = jittered(policy, base_delay(policy, worker.unhealthy), random_);
  return {Verdict::Kind::restart, ++worker.restarts, delay};
}

void Supervisor::follow(WorkerId id, Worker& worker, const Verdict& verdict, const ExitStatus* status) {
  const bool was_wanted = worker.wanted_up;
  note_end_in_a_roll(id, worker, verdict.kind, status);
  switch (verdict.kind) {
    case Verdict::Kind::restart:
      worker.start_why = StartWhy::restart;
      if (verdict.delay > Duration::zero()) {
        enter(id, worker, Backoff{after(now_, verdict.delay)});
      } else {
        enqueue(id, worker);
      }
      return;
    case Verdict::Kind::replaced:
    case Verdict::Kind::restarted:
      worker.unhealthy = 0;
      worker.start_why = verdict.kind == Verdict::Kind::restarted ? StartWhy::restarted : StartWhy::replaced;
      enqueue(id, worker);
      return;
    case Verdict::Kind::stopped: enter(id, worker, Stopped{}); return;
    case Verdict::Kind::finished: enter(id, worker, Exited{*status}); return;
    case Verdict::Kind::not_restarted:
      enter(id, worker, Failed{FailReason::not_restarted});
      anything_failed_ = true;
      if (program_of(id.program).plan.spec.restart.then == ThenDo::shutdown && phase_ == Phase::running &&
          !is_on_trial(id.program)) {
        begin_shutdown({StopCause::Kind::program_failed, 0});
      }
      return;
    case Verdict::Kind::program_failed:
      worker.wanted_up = false;
      enter(id, worker, Failed{FailReason::program_failed});
      if (was_wanted) {
        fail_program(id.program);
      }
      return;
    case Verdict::Kind::survivors: return;
  }
}

void Supervisor::fail_program(ProgramId id) {
  Program& program = program_of(id);
  program.failed = true;
  anything_failed_ = true;
  const RestartPolicy& policy = program.plan.spec.restart;
  const bool shuts_down = policy.then == ThenDo::shutdown && !is_on_trial(id);  // Then the configuration before comes back.
  announce(ProgramFailed{id, program.window.count(), policy.limit ? policy.limit->within : Duration{}, shuts_down});
  if (shuts_down && phase_ == Phase::running) {
    begin_shutdown({StopCause::Kind::program_failed, 0});
    return;
  }
  for (std::uint32_t index = 0; index < program.workers.size(); ++index) {
    program.workers[index].wanted_up = false;
    apply(WorkerId{id, index}, Happening::stop_wanted);
  }
}

}  // namespace corral::core
