#include "supervisor/core/plan.hpp"

#include <algorithm>

namespace corral::core {

namespace {

bool names_count(std::string_view text) { return text.find("{workers}") != std::string_view::npos; }

bool depends_on_count(const LaunchSpec& launch) {
  return std::ranges::any_of(launch.command, names_count) || names_count(launch.directory) ||
         std::ranges::any_of(launch.environment, [](const auto& variable) { return names_count(variable.second); });
}

}  // namespace

bool same_launch(const PlannedProgram& left, const PlannedProgram& right) {
  return left.spec.launch == right.spec.launch && left.placements == right.placements &&
         (left.spec.log.to == LogTo::nothing) == (right.spec.log.to == LogTo::nothing);
}

bool same_but_for_count(const PlannedProgram& left, const PlannedProgram& right) {
  LaunchSpec one = left.spec.launch;
  one.workers = right.spec.launch.workers;
  return one == right.spec.launch && !depends_on_count(one);
}

void ProgramNumbers::assign(Plan& plan) {
  for (PlannedProgram& program : plan.programs) {
    const auto next = static_cast<std::uint32_t>(known_.size());
    program.id = known_.try_emplace(program.spec.name, ProgramId{next}).first->second;
  }
}

}  // namespace corral::core
