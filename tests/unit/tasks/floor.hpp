// A dispatcher and the workers that it believes in: says what happened, and shows what was asked for.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <vector>

#include "supervisor/core/tasks/dispatcher.hpp"

namespace corral::core::testing {

using namespace std::chrono_literals;

class Floor {
 public:
  Floor(TaskPolicy policy, std::uint32_t workers) : dispatcher(policy, ProgramId{0}, workers), incarnations_(2 * workers) {}

  /// The next `count` tasks; slots are numbered like tasks, and never used again.
  void submit(std::uint64_t count = 1) {
    for (; count > 0; --count) {
      step(TaskSubmitted{TaskSlot{static_cast<std::uint32_t>(submitted_++)}});
    }
  }
  void end_input() { step(InputEnded{}); }

  /// A new life of a worker, that has said HELLO.
  Life come(std::uint32_t worker) {
    const Life life = open(worker);
    step(WorkerGreeted{life});
    return life;
  }
  Life open(std::uint32_t worker) {
    const Life life{WorkerId{ProgramId{0}, worker}, Incarnation{++incarnations_[worker]}};
    step(ChannelOpened{life});
    return life;
  }
  void answer(Life life, std::uint64_t task, Answer answer = Answer::result) { step(TaskAnswered{life, TaskId{task}, answer}); }
  void lose(Life life) { step(WorkerLost{life, KilledBy{11, false}, {}, false}); }

  void step(const TaskEvent& event) {
    actions.clear();
    dispatcher.step(now, event, actions);
    for (const TaskAction& action : actions) {
      if (const auto* given = std::get_if<DeliverTask>(&action)) {
        at_worker[given->life].push_back(number(given->task));
      } else if (const auto* record = std::get_if<RecordTask>(&action)) {
        CHECK_MESSAGE(!records.contains(number(record->task)), "recorded twice");
        records.emplace(number(record->task), *record);
      } else if (const auto* left_behind = std::get_if<LeaveTask>(&action)) {
        left.push_back(number(left_behind->task));
      }
    }
  }
  /// Lets time pass, and what is due happen.
  void wait(Duration duration) {
    const Instant until = now + duration;
    while (dispatcher.next_deadline().value_or(never) <= until) {
      now = *dispatcher.next_deadline();
      step(TaskDeadlineReached{});
    }
    now = until;
  }

  /// Whether the last step asked for it.
  template <class Action>
  [[nodiscard]] std::vector<Action> asked() const {
    std::vector<Action> found;
    for (const TaskAction& action : actions) {
      if (const auto* one = std::get_if<Action>(&action)) {
        found.push_back(*one);
      }
    }
    return found;
  }

  using Tasks = std::vector<std::uint64_t>;
  Dispatcher dispatcher;
  Instant now{1h};
  TaskActions actions;
  std::map<Life, Tasks> at_worker;  ///< All that a life was ever given.
  std::map<std::uint64_t, RecordTask> records;
  Tasks left;

 private:
  std::vector<std::uint32_t> incarnations_;
  std::uint64_t submitted_ = 0;
};

inline TaskPolicy policy() { return {}; }

}  // namespace corral::core::testing
