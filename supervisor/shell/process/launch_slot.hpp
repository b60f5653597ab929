// The memory that one launch needs until its exec has succeeded or failed: a stack, the text of its arguments, the plan.
//
// The new process runs in it beside the supervisor. The kernel clears `tid` and wakes its futex when the process has
// let go of our memory: then, and only then, the slot may be used again.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/instant.hpp"
#include "supervisor/core/cpu_set.hpp"
#include "supervisor/shell/process/launch_template.hpp"
#include "supervisor/shell/process/worker_start.hpp"

namespace corral::process {

struct LaunchSlot {
  LaunchSlot();
  ~LaunchSlot();
  LaunchSlot(const LaunchSlot&) = delete;
  LaunchSlot& operator=(const LaunchSlot&) = delete;

  static constexpr std::size_t stack_size = std::size_t{16} * 1024;
  [[nodiscard]] char* stack_top() const { return stack_ + guard_size + stack_size; }
  [[nodiscard]] char* stack_base() const { return stack_ + guard_size; }
  [[nodiscard]] bool has_stack() const { return stack_ != nullptr; }

  /// Has the new process let go of our memory?
  [[nodiscard]] bool released() const { return __atomic_load_n(&tid, __ATOMIC_ACQUIRE) == 0; }

  int tid = 0;  ///< Written by the kernel.
  pid_t pid = 0;
  Instant started{};
  Life life;
  const LaunchTemplate* program = nullptr;
  StartPlan plan;
  bool transparent = false;

  std::string text;       ///< Arguments and variables of this worker; reserved in full before pointers into it are taken.
  std::string life_text;  ///< Variables of this life; likewise.
  std::size_t life_variables = 0;  ///< Where they stand in envp.
  /// Whose text it is: a worker that is restarted as soon as it ends finds its own here. 0: nobody's.
  std::uint64_t template_number = 0;
  WorkerId worker;
  std::uint32_t cores = 0;
  core::CpuSet cpus;
  std::vector<const char*> argv;
  std::vector<const char*> envp;
  std::string directory;
  std::string path;
  std::string placement;
  std::vector<unsigned long> affinity;
  std::vector<PlannedLimit> limits;
  /// Low descriptors of our own that sources are moved to, so that the worker copies a short table. -1: none.
  std::array<int, handed_descriptors> reserved = no_descriptors;
  std::array<bool, handed_descriptors> holds{};  ///< Which of them are copies of a worker's own.
  bool first_few = false;                        ///< Kept for good: its descriptors are low.

 private:
  static constexpr std::size_t guard_size = 4096;
  char* stack_ = nullptr;
};

}  // namespace corral::process
