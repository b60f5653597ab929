// When the command of `on_event` is launched, killed, and given up: one at a time, in order, and never in anybody's way.
//
// It is no worker: it has no state that anybody asks for, and nothing follows from how it ends. What it is told is kept by the
// shell, in the same order; here it is counted. Pure.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/base/instant.hpp"

namespace corral::core {

struct HookLimits {
  std::size_t waiting = 256;
  Duration timeout = std::chrono::seconds(10);
  Duration at_the_end = std::chrono::seconds(2);  ///< For all that is left when everything has stopped.
  Duration kill = std::chrono::seconds(1);        ///< For SIGKILL to have its effect, then.
};

class HookQueue {
 public:
  explicit HookQueue(HookLimits limits) : limits_(limits) {}

  enum class Step : std::uint8_t {
    nothing,
    launch,     ///< Take the oldest, and launch the command for it: then launched() or ended().
    kill,       ///< The one that runs, with all of its group.
    drop_rest,  ///< What waits is not told to anybody, and counts as dropped.
  };

  /// One more event. False where there is no room: it is dropped, and counted.
  [[nodiscard]] bool offer();
  /// What is to be done now; ask again until it is nothing.
  [[nodiscard]] Step next(Instant now);
  /// The answer to Step::launch, where there is a process.
  void launched(Instant now);
  /// It is gone, all of it; or there is none, since it could not be launched.
  void ended();
  /// Everything has stopped: what is left is told within a short time, or not at all. Again: it was said before.
  void finish(Instant now);
  /// No time is left: somebody wants the end at once.
  void hurry(Instant now);

  /// Nothing runs and nothing waits; or it cannot be killed, and is not waited for.
  [[nodiscard]] bool is_done(Instant now) const;
  [[nodiscard]] Instant next_deadline() const;
  [[nodiscard]] std::size_t waiting() const { return waiting_; }
  [[nodiscard]] bool runs() const { return runs_; }
  /// The one that runs has been killed for its time.
  [[nodiscard]] bool was_killed() const { return killed_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
  /// A reload has other ideas of the time.
  void set_timeout(Duration timeout) { limits_.timeout = timeout; }

 private:
  HookLimits limits_;
  std::size_t waiting_ = 0;
  std::uint64_t dropped_ = 0;
  bool runs_ = false;
  bool killed_ = false;
  Instant kill_at_ = never;  ///< Of the one that runs.
  Instant end_at_ = never;   ///< Everything has stopped: until then.
};

}  // namespace corral::core
