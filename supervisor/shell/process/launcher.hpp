// Starts processes side by side in the supervisor's own memory, and tells what became of each.
//
// clone(2) with CLONE_VM but without CLONE_VFORK: the supervisor never stands still for an exec that hangs, and several
// execs overlap on several cores without a thread (docs/decisions/0002-launching.md). Knows nothing of what happens to
// a process after its exec.
#pragma once

#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "supervisor/shell/process/launch_slot.hpp"
#include "supervisor/shell/process/processes.hpp"

namespace corral::process {

class Launcher {
 public:
  struct Finished {
    Life life;
    pid_t pid = 0;
    const LaunchTemplate* program = nullptr;
    bool transparent = false;
    std::optional<core::LaunchFailure> failure;
  };

  /// `plain`: one launch at a time and the supervisor's own descriptors, so nothing is reserved for more.
  [[nodiscard]] static Result<std::unique_ptr<Launcher>> open(std::string identity, const ProcessSetup& setup, bool plain);
  Launcher(const Launcher&) = delete;
  Launcher& operator=(const Launcher&) = delete;
  ~Launcher();

  /// `cgroup`: a directory to start in, or -1. `timer_slack`: the marker of this launch, or 0.
  [[nodiscard]] std::expected<pid_t, core::LaunchFailure> start(const LaunchRequest& request, int cgroup,
                                                                unsigned long timer_slack);
  void collect(std::vector<Finished>& out);
  /// See Processes.
  void let_go_of_output();
  [[nodiscard]] std::size_t outstanding() const { return busy_.size() + finished_.size(); }

  /// The kernel would not start a process in the cgroup, but would without: don't ask again.
  [[nodiscard]] int cgroup_refused() const { return cgroup_refused_; }
  [[nodiscard]] std::vector<std::string> take_notices() { return std::exchange(notices_, {}); }

 private:
  Launcher() = default;
  using Slot = std::unique_ptr<LaunchSlot>;

  std::expected<Slot, core::LaunchFailure> take_slot();
  void give_back(Slot slot);
  void harvest();
  void wait_for_oldest();
  std::expected<void, core::LaunchFailure> fill(LaunchSlot& slot, const LaunchRequest& request) const;
  std::expected<void, core::LaunchFailure> arrange_descriptors(LaunchSlot& slot, const LaunchRequest& request);
  int null();
  int reserve(int& reserved);
  long clone(LaunchSlot& slot, int cgroup);

  std::string identity_;
  pid_t supervisor_ = 0;
  int null_ = -1;
  bool shares_files_ = true;
  bool own_sessions_ = false;  ///< A group alone would leave workers the supervisor's terminal.
  int cgroup_refused_ = 0;
  std::optional<rlimit> open_files_;
  std::vector<Slot> free_;
  std::vector<Slot> busy_;  ///< In the order of their start.
  std::size_t slow_ = 0;    ///< The first of busy_ whose exec takes longer than anybody waits: not waited for again.
  std::vector<Finished> finished_;
  bool holding_ = false;  ///< Some of free_ hold output.
  std::size_t made_ = 0;  ///< Slots, over the whole life.
  std::vector<std::array<int, handed_descriptors>> reserves_;
  std::vector<std::string> notices_;
};

}  // namespace corral::process
