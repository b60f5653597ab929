// Workers that do not exist, and the supervisor above them: does what the dispatcher asks for, well, badly, late or never,
// as the scenario says, and tells what came of it.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "supervisor/core/tasks/task_action.hpp"
#include "tests/simulation/tasks/scenario.hpp"

namespace corral::simulation::tasks {

class Staff {
 public:
  explicit Staff(const Scenario& scenario);

  void perform(Instant now, const core::TaskAction& action);
  /// Everybody is being stopped, and nobody is started any more.
  void shut_down(Instant now);

  /// When something happens next; nothing when all has come to rest.
  [[nodiscard]] std::optional<Instant> next() const;
  /// Lets it happen: what the dispatcher is told of it, in that order. Often nothing.
  void happen(std::vector<core::TaskEvent>& told);

  [[nodiscard]] core::Random& random() { return random_; }

 private:
  enum class What : std::uint8_t { launch, open, hello, finish, read, starve, die, lose, mischief };
  struct Happening {
    Instant at;
    std::uint64_t order;  ///< At random: in one instant anything may come first.
    What what;
    std::uint32_t worker;
    std::uint32_t life;
    std::uint32_t piece;  ///< Of work: an end that was overtaken by another one means nothing.
  };
  struct Process {
    Life life;
    bool alive = false;
    bool open = false;    ///< The dispatcher was told of it.
    bool broken = false;  ///< Nothing that it writes is read.
    bool working = false;
    bool stopping = false;
    bool input_closed = false;
    bool greeted = false;
    bool resigned = false;           ///< What it is given from now on it does not read.
    std::optional<core::TaskId> at;  ///< What it has marked; still there when that is done and the next has not begun.
    std::uint32_t piece = 0;
    std::uint32_t waited = 0;             ///< For more input: so often.
    std::deque<core::TaskId> inbox;       ///< The front one is in work.
    std::deque<core::TaskEvent> held;     ///< Answers that a filter keeps back.
    std::deque<core::TaskEvent> written;  ///< Not read yet.
  };
  struct Slot {
    Process process;
    bool wanted = true;
    bool used_up = false;
  };

  // staff.cpp: the supervisor
  void plan(Instant at, What what, std::uint32_t worker);
  void launch(Slot& slot, std::uint32_t worker);
  void stop(Slot& slot);
  void lose(Slot& slot, std::uint32_t worker, std::vector<core::TaskEvent>& told);
  [[nodiscard]] Process* find(Life life);
  [[nodiscard]] bool is_stale(const Happening& happening) const;

  // workers.cpp: what they do
  void begin(Process& process);
  void finish(Process& process);
  void hand_in(Process& process, core::TaskId task, core::Answer answer);
  void write(Process& process, const core::TaskEvent& message);
  void let_go(Process& process);
  void starve(Process& process, std::vector<core::TaskEvent>& told);
  void do_mischief(Process& process, std::vector<core::TaskEvent>& told);
  void take_back(Process& process, core::TaskId task);
  void die(Process& process);
  void leave_if_done(Process& process);
  void resign(Process& process);
  [[nodiscard]] core::TaskId some_task();
  [[nodiscard]] bool happens(double rate) { return rate > 0 && chance(random_, rate); }

  const Scenario& scenario_;
  core::Random random_;
  std::vector<Slot> slots_;
  std::vector<Happening> queue_;  ///< A heap.
  std::uint64_t seen_ = 0;        ///< Task ids below that exist.
  Instant now_{};
  bool closing_ = false;
};

}  // namespace corral::simulation::tasks
