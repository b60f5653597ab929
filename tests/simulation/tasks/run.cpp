#include "tests/simulation/tasks/run.hpp"

#include <algorithm>
#include <ostream>

#include "supervisor/core/tasks/dispatcher.hpp"
#include "tests/simulation/tasks/checker.hpp"
#include "tests/simulation/tasks/require.hpp"
#include "tests/simulation/tasks/staff.hpp"
#include "tests/simulation/tasks/words.hpp"

namespace corral::simulation::tasks {
namespace {

using namespace core;

constexpr std::uint64_t most_steps = 20'000;

class Run {
 public:
  Run(const Scenario& scenario, std::ostream* log)
      : scenario_(scenario),
        log_(log),
        staff_(scenario),
        checker_(scenario),
        dispatcher_(scenario.policy, ProgramId{0}, scenario.workers),
        drain_at_(scenario.drain_at.value_or(never)),
        abort_at_(scenario.abort_at.value_or(never)) {}

  Outcome play() {
    while (turn()) {
      require(outcome_.steps < most_steps, "the run comes to its end");
    }
    checker_.at_rest();
    return outcome_;
  }

 private:
  /// The next thing that happens; false when nothing does any more.
  bool turn() {
    const Instant happening = staff_.next().value_or(never);
    const Instant input = input_due();
    const Instant deadline = deadline_due();
    const Instant stop = dispatcher_.ended() ? never : std::min(drain_at_, abort_at_);
    const Instant first = std::min({happening, input, deadline, stop});
    if (first == never) {
      return false;
    }
    now_ = std::max(now_, first);
    tell_measures();
    if (scenario_.misdeeds.cancels > 0 && !slot_of_.empty() && chance(staff_.random(), scenario_.misdeeds.cancels)) {
      return cancel_some_task();
    }
    // What falls together comes in any order.
    std::uint32_t nth = pick(staff_.random(), 4);
    for (;; nth = (nth + 1) % 4) {
      if (nth == 0 && happening == first) {
        return happen();
      }
      if (nth == 1 && input == first) {
        return take_input();
      }
      if (nth == 2 && deadline == first) {
        return step(TaskDeadlineReached{});
      }
      if (nth == 3 && stop == first) {
        return end_early();
      }
    }
  }

  bool happen() {
    told_.clear();
    staff_.happen(told_);
    for (const TaskEvent& event : told_) {
      step(event);
    }
    return scenario_.misdeeds.early_timer == 0 || !chance(staff_.random(), scenario_.misdeeds.early_timer) ||
           step(TaskDeadlineReached{});
  }

  /// Who reads the input reads what there is room for, whenever something may have changed.
  [[nodiscard]] Instant input_due() const {
    if (input_told_) {
      return never;
    }
    if (waiting_ > 0 && dispatcher_.room() > 0) {
      return now_;
    }
    if (burst_ < scenario_.input.size()) {
      return scenario_.input[burst_].at;
    }
    return waiting_ == 0 && dispatcher_.room() > 0 ? scenario_.input_ends : never;
  }

  bool take_input() {
    if (waiting_ > 0 && dispatcher_.room() > 0) {
      return submit();
    }
    if (burst_ < scenario_.input.size()) {
      waiting_ += scenario_.input[burst_++].count;
      // It may have been on its way when the drain was asked for.
      return !dispatcher_.draining() || dispatcher_.ended() || submit();
    }
    input_told_ = true;
    return step(InputEnded{});
  }

  bool submit() {
    --waiting_;
    ++outcome_.tasks;
    std::uint32_t slot = next_slot_;
    if (free_slots_.empty()) {
      ++next_slot_;
    } else {
      slot = free_slots_.back();
      free_slots_.pop_back();
    }
    slot_of_.push_back(slot);
    return step(TaskSubmitted{TaskSlot{slot}, scenario_.unfit > 0 && chance(staff_.random(), scenario_.unfit)});
  }

  /// One of the latest, most of which are still there.
  bool cancel_some_task() {
    const auto latest = static_cast<std::uint32_t>(std::min<std::size_t>(slot_of_.size(), 20));
    const std::size_t id = slot_of_.size() - 1 - pick(staff_.random(), latest);
    return step(CancelAsked{TaskSlot{slot_of_[id]}, TaskId{id}});
  }

  [[nodiscard]] Instant deadline_due() {
    const Instant due = dispatcher_.next_deadline().value_or(never);
    if (due != armed_for_) {
      armed_for_ = rings_at_ = due;
      if (due != never && scenario_.misdeeds.late_timer > 0 && chance(staff_.random(), scenario_.misdeeds.late_timer)) {
        rings_at_ += ticks(staff_.random(), 20);
      }
    }
    return rings_at_;
  }

  bool end_early() {
    if (drain_at_ <= abort_at_) {
      drain_at_ = never;
      return step(DrainAsked{});
    }
    abort_at_ = never;
    step(AbortAsked{});
    staff_.shut_down(now_);
    return true;
  }

  /// What was asked for in the last step, of processes of which one in ten has too much.
  void tell_measures() {
    for (const Life life : std::exchange(measured_, {})) {
      step(WorkerMeasured{life, pick(staff_.random(), 1000)});
    }
  }

  bool step(const TaskEvent& event) {
    ++outcome_.steps;
    note(event.index());
    if (log_ != nullptr) {
      line("> " + words(event));
    }
    checker_.before(now_, event);
    actions_.clear();
    dispatcher_.step(now_, event, actions_);
    for (const TaskAction& action : actions_) {
      note(100 + action.index());
      if (log_ != nullptr) {
        line("    < " + words(action));
      }
      checker_.decided(action);
      staff_.perform(now_, action);
      if (const auto* measure = std::get_if<MeasureWorker>(&action)) {
        measured_.push_back(measure->life);
      }
      if (const auto* recorded = std::get_if<RecordTask>(&action)) {
        free_slots_.push_back(number(recorded->slot));
      } else if (const auto* left = std::get_if<LeaveTask>(&action)) {
        free_slots_.push_back(number(left->slot));
      }
    }
    checker_.after(dispatcher_);
    return true;
  }

  void note(std::uint64_t what) {
    outcome_.trace = (outcome_.trace ^ what ^ static_cast<std::uint64_t>(now_.time_since_epoch().count())) * 0x100000001b3ULL;
  }
  void line(const std::string& text) {
    *log_ << std::chrono::duration<double, std::milli>(now_.time_since_epoch()).count() << " ms  " << text << '\n';
  }

  const Scenario& scenario_;
  std::ostream* log_;
  Staff staff_;
  Checker checker_;
  Dispatcher dispatcher_;
  TaskActions actions_;
  std::vector<TaskEvent> told_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<std::uint32_t> slot_of_;  ///< By number of the task.
  std::vector<Life> measured_;
  std::uint32_t next_slot_ = 0;
  std::size_t burst_ = 0;
  std::uint32_t waiting_ = 0;  ///< Lines that could be read.
  bool input_told_ = false;
  Instant drain_at_;
  Instant abort_at_;
  Instant armed_for_ = never;
  Instant rings_at_ = never;
  Instant now_{};
  Outcome outcome_;
};

}  // namespace

Outcome run(const Scenario& scenario, std::ostream* log) { return Run(scenario, log).play(); }

}  // namespace corral::simulation::tasks
