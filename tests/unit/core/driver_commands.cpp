// Commands and their answers, in words.
#include "tests/unit/core/driver.hpp"

namespace corral::core::testing {

std::string Driver::rescale(std::vector<PlannedProgram> programs) {
  return tell(ConfigReloaded{plan_of(std::move(programs), false), next_command(), ConfigReloaded::Kind::scaled});
}

std::string Driver::reload_and_wait(std::vector<PlannedProgram> programs) {
  return tell(ConfigReloaded{plan_of(std::move(programs), false), next_command()});
}

std::string Driver::try_out(std::vector<PlannedProgram> programs) {
  return tell(ConfigReloaded{plan_of(std::move(programs), false), next_command(), ConfigReloaded::Kind::on_trial});
}

std::string Driver::restore(std::vector<PlannedProgram> programs, std::uint32_t trial) {
  return tell(ConfigReloaded{plan_of(std::move(programs), false), {}, ConfigReloaded::Kind::restored, TrialId{trial}});
}

std::vector<WorkerId> Driver::ids(std::initializer_list<std::string_view> workers) const {
  std::vector<WorkerId> all;
  for (const std::string_view worker : workers) {
    all.push_back(id(worker));
  }
  return all;
}

std::string Driver::words(const AnswerCommand& answer) const {
  using enum CommandOutcome::Kind;
  const CommandOutcome& outcome = answer.outcome;
  const std::string number = std::to_string(static_cast<std::uint64_t>(answer.id));
  const std::string culprit = outcome.culprit ? " by " + name_of(*outcome.culprit) : "";
  const std::string workers = " " + std::to_string(outcome.workers);
  switch (outcome.kind) {
    case done: return "answer " + number + ": done" + workers;
    case failed: return "answer " + number + ": failed" + workers + culprit;
    case overtaken: return "answer " + number + ": overtaken" + workers + culprit;
    case stopping: return "answer " + number + ": stopping" + workers;
    case rolled_back: return "answer " + number + ": rolled back" + workers + culprit;
    case trial_ended: return "answer " + number + ": trial ended" + culprit;
    case superseded: return "answer " + number + ": superseded";
    case busy: return "answer " + number + ": busy";
  }
  return "?";
}

}  // namespace corral::core::testing
