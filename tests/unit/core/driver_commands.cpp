// Commands and their answers, in words.
#include "tests/unit/core/driver.hpp"

namespace corral::core::testing {

std::string Driver::rescale(std::vector<PlannedProgram> programs) {
  return tell(ConfigReloaded{plan_of(std::move(programs), false), next_command(), true});
}

std::string Driver::reload_and_wait(std::vector<PlannedProgram> programs) {
  return tell(ConfigReloaded{plan_of(std::move(programs), false), next_command()});
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
    case busy: return "answer " + number + ": busy";
  }
  return "?";
}

}  // namespace corral::core::testing
