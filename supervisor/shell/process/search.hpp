// Finds our children where nothing lists them: without /proc the kernel can still be asked, number by number, whether that one
// is a child of ours.
//
// Numbers are given out in turn, so what our workers have started comes soon after our own: the search begins there, goes once
// around below a bound that most machines stay under, and only then through the rest of what a machine may give out. It stops
// after a while and goes on from there at the next call. Kills nobody, reaps nobody.
#pragma once

#include <sys/types.h>

#include <unordered_set>
#include <vector>

namespace corral::process {

class ChildSearch {
 public:
  /// Children, zombies included, as far as one call comes. Who was found before is found again when it is still there.
  [[nodiscard]] std::vector<pid_t> look();

  /// One of them was reaped, and has handed its own children to us: they may be behind us.
  void start_over() { at_ = 0; }

 private:
  pid_t at_ = 0;  ///< So many numbers are behind us.
  std::unordered_set<pid_t> known_;
};

/// The `at`-th number to ask for, from 0, in a process that has the number `self`: each of 2 to the highest once.
[[nodiscard]] pid_t number_to_ask(pid_t self, pid_t at);

/// The highest number that Linux gives out.
inline constexpr pid_t highest_number = 4 * 1024 * 1024;

}  // namespace corral::process
