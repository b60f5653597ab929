#include "supervisor/core/plan.hpp"

namespace corral::core {

bool same_launch(const PlannedProgram& left, const PlannedProgram& right) {
  return left.spec.launch == right.spec.launch && left.placements == right.placements &&
         (left.spec.log.to == LogTo::nothing) == (right.spec.log.to == LogTo::nothing);
}

void ProgramNumbers::assign(Plan& plan) {
  for (PlannedProgram& program : plan.programs) {
    const auto next = static_cast<std::uint32_t>(known_.size());
    program.id = known_.try_emplace(program.spec.name, ProgramId{next}).first->second;
  }
}

}  // namespace corral::core
