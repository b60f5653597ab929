#include "supervisor/core/placement.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "supervisor/core/placement_allocator.hpp"
#include "supervisor/core/placement_sentence.hpp"

namespace corral::core {

namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

/// A request in numbers.
struct Ask {
  bool pins = false;       ///< Unless the quota forbids it.
  bool insists = false;    ///< Pins whatever the quota is.
  std::uint32_t each = 1;  ///< CPUs of one worker.
  CpuSet pool;
};

using Asked = std::expected<Ask, PlacementError>;

Asked ask_separate(const Machine& machine, const SeparateCores& cores) {
  if (cores.per_worker == 0) {
    return std::unexpected(PlacementError{0, PlacementFault::no_cores_each, {}, "a worker needs at least one CPU"});
  }
  if (cores.per_worker > machine.allowed.size()) {
    std::string sentence =
        "each worker is to have " + counted(cores.per_worker, "CPU") + " of its own, but only " + available(machine);
    return std::unexpected(PlacementError{0, PlacementFault::too_many_cores, {}, std::move(sentence)});
  }
  return Ask{true, true, cores.per_worker, machine.allowed};
}

Asked ask_listed(const Machine& machine, const ListedCores& cores) {
  if (cores.cpus.empty()) {
    return std::unexpected(PlacementError{0, PlacementFault::empty_list, {}, "the list of CPUs is empty"});
  }
  CpuSet missing = cores.cpus.difference(machine.allowed);
  if (!missing.empty()) {
    std::string sentence = why_not_usable(machine, missing) + "; " + available(machine);
    return std::unexpected(PlacementError{0, PlacementFault::cpu_not_usable, std::move(missing), std::move(sentence)});
  }
  return Ask{true, true, 1, cores.cpus};
}

Asked ask(const Machine& machine, const CoresPolicy& policy) {
  return std::visit(Overloaded{[&](const DefaultCores&) { return Asked(Ask{true, false, 1, machine.allowed}); },
                               [&](const SharedCores&) { return Asked(Ask{false, false, 1, machine.allowed}); },
                               [&](const SeparateCores& cores) { return ask_separate(machine, cores); },
                               [&](const ListedCores& cores) { return ask_listed(machine, cores); }},
                    policy);
}

std::uint32_t resolved_count(const WorkerCount& asked, const Ask& ask, const Machine& machine) {
  if (const auto* fixed = std::get_if<std::uint32_t>(&asked)) return *fixed;
  return std::max(usable_cpus(ask.pool.size(), machine.quota) / ask.each, 1U);
}

bool quota_below_mask(const Machine& machine) {
  return machine.quota && *machine.quota < static_cast<double>(machine.allowed.size()) - quota_precision;
}

PlacementReason reason_for(const Ask& ask, std::uint32_t workers, const Machine& machine) {
  if (!ask.pins) return PlacementReason::shared_by_choice;
  if (!ask.insists && workers == 1) return PlacementReason::one_worker;
  if (!ask.insists && quota_below_mask(machine)) return PlacementReason::quota_below_mask;
  return machine.topology.known() ? PlacementReason::pinned : PlacementReason::pinned_blindly;
}

/// Those of the running workers that there will be may stay where they are.
bool still_holds(std::span<const CpuSet> running, const Ask& ask) {
  return !running.empty() && std::ranges::all_of(running, [&](const CpuSet& cpus) {
    return cpus.size() == ask.each && cpus.difference(ask.pool).empty();
  });
}

/// The requests in numbers, or every error.
std::expected<std::vector<Ask>, std::vector<PlacementError>> ask_all(const Machine& machine,
                                                                     std::span<const PlacementRequest> requests) {
  std::vector<Ask> asks;
  std::vector<PlacementError> errors;
  for (std::size_t program = 0; program < requests.size(); ++program) {
    Asked asked = ask(machine, requests[program].cores);
    if (asked) {
      asks.push_back(std::move(*asked));
    } else {
      errors.push_back(std::move(asked.error()));
      errors.back().program = program;
    }
  }
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return asks;
}

/// Fills in the CPUs of every pinned program: first those that stay where they are, then the others, in order.
void pin(const Machine& machine, std::span<const PlacementRequest> requests, const std::vector<Ask>& asks,
         std::vector<ProgramPlacement>& programs) {
  CpuAllocator allocator(machine);
  std::vector<std::size_t> staying(programs.size());  // How many of each.
  for (std::size_t i = 0; i < programs.size(); ++i) {
    const auto running = requests[i].running.first(std::min(requests[i].running.size(), programs[i].workers.size()));
    if (is_pinned(programs[i].reason) && still_holds(running, asks[i])) {
      std::ranges::copy(running, programs[i].workers.begin());
      for (const CpuSet& cpus : running) allocator.count(cpus);
      staying[i] = running.size();
    }
  }
  for (std::size_t i = 0; i < programs.size(); ++i) {
    const auto more = static_cast<std::uint32_t>(programs[i].workers.size() - staying[i]);
    if (is_pinned(programs[i].reason) && more > 0) {
      std::ranges::move(allocator.take(asks[i].pool, more, asks[i].each),
                        programs[i].workers.begin() + std::ssize(programs[i].workers) - more);
    }
  }
}

}  // namespace

bool is_pinned(PlacementReason reason) { return reason == PlacementReason::pinned || reason == PlacementReason::pinned_blindly; }

MachineNeed needed_of_machine(std::span<const PlacementRequest> requests) {
  MachineNeed need = MachineNeed::nothing;
  for (const PlacementRequest& request : requests) {
    const bool is_auto = std::holds_alternative<AutoWorkers>(request.workers);
    const bool single = !is_auto && std::get<std::uint32_t>(request.workers) == 1;
    const bool shared = std::holds_alternative<SharedCores>(request.cores);
    const bool alone = single && std::holds_alternative<DefaultCores>(request.cores);
    if (!shared && !alone) return MachineNeed::topology;
    if (!alone && !(single && shared)) need = MachineNeed::cpus;  // How many there are for each.
  }
  return need;
}

std::expected<PlacementPlan, std::vector<PlacementError>> plan_placement(const Machine& machine,
                                                                         std::span<const PlacementRequest> requests) {
  auto asks = ask_all(machine, requests);
  if (!asks) return std::unexpected(asks.error());
  PlacementPlan plan;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const std::uint32_t workers = resolved_count(requests[i].workers, (*asks)[i], machine);
    if (workers == 1 && std::holds_alternative<ListedCores>(requests[i].cores)) {
      (*asks)[i].each = static_cast<std::uint32_t>((*asks)[i].pool.size());  // Nobody else is there to share the list with.
    }
    plan.programs.push_back({std::vector<CpuSet>(workers), reason_for((*asks)[i], workers, machine), {}});
  }
  const auto pinned = [](const ProgramPlacement& program) { return is_pinned(program.reason); };
  if (std::ranges::any_of(plan.programs, pinned)) pin(machine, requests, *asks, plan.programs);
  Loads loads(machine.allowed.empty() ? 0 : std::size_t{CpuSet::highest} + 1, 0);
  for (const ProgramPlacement& program : plan.programs) add_loads(program, loads);
  for (ProgramPlacement& program : plan.programs) program.sentence = placement_sentence(machine, program, loads);
  return plan;
}

}  // namespace corral::core
