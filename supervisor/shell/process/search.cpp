#include "supervisor/shell/process/search.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <chrono>

#include "supervisor/shell/process/coarse_clock.hpp"

namespace corral::process {
namespace {

/// Some ten thousand numbers. It is asked for at the end alone, when the loop has nothing else to do.
constexpr Duration a_while = std::chrono::milliseconds(20);

constexpr pid_t lowest_number = 2;
constexpr pid_t standard_bound = 32768;

bool is_child(pid_t number) {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(number), &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0;
}

}  // namespace

pid_t number_to_ask(pid_t self, pid_t at) {
  const pid_t bound = std::max(standard_bound, static_cast<pid_t>(std::bit_ceil(static_cast<unsigned>(self) + 1U)));
  const pid_t ring = bound - lowest_number;
  return at < ring ? lowest_number + (self + 1 - lowest_number + at) % ring : at + lowest_number;
}

std::vector<pid_t> ChildSearch::look() {
  static constexpr pid_t between_looks_at_the_clock = 256;
  const pid_t self = getpid();
  const Instant until = coarse_now() + a_while;
  std::vector<pid_t> found;
  // What was found before first: the place where it stopped may be far from it by now.
  std::erase_if(known_, [](pid_t pid) { return !is_child(pid); });
  found.assign(known_.begin(), known_.end());
  do {
    for (pid_t i = 0; i < between_looks_at_the_clock; ++i) {
      const pid_t number = number_to_ask(self, at_);
      if (number != self && is_child(number) && known_.insert(number).second) {
        found.push_back(number);
      }
      at_ = at_ + 1 < highest_number - lowest_number ? at_ + 1 : 0;
    }
  } while (coarse_now() < until);
  return found;
}

}  // namespace corral::process
