// A kernel made of wishes and accidents: it performs the core's actions on processes that do not exist, by a virtual
// clock, and reports what became of them, late, twice or never, as the scenario says.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <queue>
#include <vector>

#include "supervisor/core/action.hpp"
#include "supervisor/core/event.hpp"
#include "tests/simulation/scenario.hpp"

namespace corral::simulation {

struct Process {
  bool alive = false;      ///< It exists, as a zombie too: it has not been reaped.
  bool executing = false;  ///< exec is behind it.
  bool doomed = false;     ///< Its end is on its way.
  bool ignores_stop = false;
  bool unkillable = false;
  bool refuses = false;      ///< And the kernel says so of every signal.
  bool immortal = false;     ///< Unkillable for ever.
  bool output_told = false;  ///< OutputClosed was reported.
  bool output_held = false;
  bool output_ends_with_sweep = false;
  std::uint32_t descendants = 0;  ///< Looks that it takes until they are gone.
  bool immortal_descendants = false;
};

class Kernel {
 public:
  explicit Kernel(const Scenario& scenario) : scenario_(scenario), random_(scenario.seed ^ 0xc0ffee) {}

  void perform(Instant now, const core::Action& action);

  /// When the next event is due; nothing when the world has come to rest.
  [[nodiscard]] std::optional<Instant> next_event() const;
  /// Nothing where the event has become impossible: a process has one end, whichever comes first.
  [[nodiscard]] std::optional<core::Event> take();

  /// An event from outside.
  void push(Instant at, core::Event event);

  [[nodiscard]] const std::map<Life, Process>& processes() const { return processes_; }
  [[nodiscard]] core::Random& random() { return random_; }

 private:
  struct Pending {
    Instant at;
    std::uint64_t order;
    core::Event event;
    bool stale = false;
    bool operator<(const Pending& other) const { return at != other.at ? at > other.at : order > other.order; }
  };

  void repeat_the_past(Instant now);
  void spawn(Instant now, Life life);
  void signal(Instant now, Life life, int number);
  void sweep(Instant now, Life life);
  void sweep_all(Instant now);
  void judge(Instant ready, Life life);
  void end_tasks(Instant at);
  void drain(Instant now, const core::DrainOutput& asked);
  [[nodiscard]] bool still_possible(const core::Event& event) const;
  void die(Instant at, Life life, ExitStatus status, bool before_exec = false);
  [[nodiscard]] Instant soon(Instant now);

  const Scenario& scenario_;
  core::Random random_;
  std::map<Life, Process> processes_;
  std::priority_queue<Pending> queue_;
  std::uint64_t order_ = 0;
  bool tasks_ended_ = false;
};

}  // namespace corral::simulation
