// The terminal that `exec` hands to its one worker, and takes back.
//
// The worker's process group is the foreground group, so that Ctrl-C, Ctrl-Z and window changes reach it from the kernel as
// if nobody stood between. When it stops, the supervisor stops too: that is what the user's shell is waiting for.
#pragma once

#include <sys/types.h>

namespace corral::shell {

class Terminal {
 public:
  /// Looks whether stdin is a terminal of ours whose foreground we are in.
  static Terminal look();

  /// There is one to hand over.
  [[nodiscard]] bool ours() const { return ours_; }

  /// To the worker's process group again, after somebody else had it.
  void hand_over(pid_t group) const;
  /// To ourselves.
  void take_back() const;

  /// The worker's group was stopped from the terminal: takes it back and stops the supervisor itself until somebody
  /// continues it. False where nobody could (no job-control shell above us): then it must go on at once.
  [[nodiscard]] bool stop_with(pid_t group) const;

 private:
  bool ours_ = false;
  pid_t own_group_ = 0;
};

}  // namespace corral::shell
