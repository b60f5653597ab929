// A specification made definite: how many workers each program has, where each is placed, and under which number the
// supervisor knows the program.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/base/ids.hpp"
#include "supervisor/core/cpu_set.hpp"
#include "supervisor/core/spec.hpp"

namespace corral::core {

struct PlannedProgram {
  ProgramId id{};
  ProgramSpec spec;
  std::vector<CpuSet> placements;  ///< One for each slot; an empty set is "not pinned".
  /// So many of the slots, the last ones, have a process only when they are called: each is the second slot of one of the first
  /// so many workers, and follows its process before that is gone.
  std::uint32_t reliefs = 0;

  [[nodiscard]] std::uint32_t workers() const { return static_cast<std::uint32_t>(placements.size()); }
  /// Gives each worker a second slot.
  void relieve() {
    reliefs = workers();
    placements.insert(placements.end(), placements.begin(), placements.begin() + reliefs);
  }
};

struct Plan {
  std::vector<PlannedProgram> programs;  ///< In the order of start.
  bool stay = false;
};

/// A process made from `left` may go on as one of `right`: nothing that it was launched with differs.
[[nodiscard]] bool same_launch(const PlannedProgram& left, const PlannedProgram& right);

/// The one is the other with more or fewer workers, and no worker makes anything of how many there are.
[[nodiscard]] bool same_but_for_count(const PlannedProgram& left, const PlannedProgram& right);

/// Numbers programs by name, for as long as the supervisor lives: a program that leaves the configuration and comes back
/// gets its old number, so that its new processes wait for the end of the old ones.
class ProgramNumbers {
 public:
  void assign(Plan& plan);

 private:
  std::map<std::string, ProgramId, std::less<>> known_;
};

}  // namespace corral::core
