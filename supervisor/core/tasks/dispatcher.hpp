// Which task goes to which worker, when, and what becomes of it. Pure: told what happened, answers with what shall be done.
//
// It knows workers as lanes and processes as lives; launching and stopping them is the supervisor's business, and only asked
// for here. It knows tasks as numbers; their bytes stay in the shell.
//
// Invariants, checked in every build: every task accepted is in exactly one of: queued, in work, recorded, left; a task is
// recorded once; it is at one worker at most; of a worker's two slots, where it has two, one at most is given tasks; an answer
// counts only from the life that has the task; a task that has taken a worker down is alone at the next one, which is fresh;
// nothing is given out once a drain was asked for.
//
// Cost: an event about one task costs O(1); deadlines are looked for among all lanes, once each time one is due.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "supervisor/core/tasks/durations.hpp"
#include "supervisor/core/tasks/lane.hpp"
#include "supervisor/core/tasks/task_action.hpp"

namespace corral::core {

class Dispatcher {
 public:
  /// Workers 0 to `workers` - 1 of `program`. Where they are relieved (see TaskPolicy), slot `workers` + i is the other one of
  /// worker i: it has a process when it is called, and the two take turns.
  Dispatcher(TaskPolicy policy, ProgramId program, std::uint32_t workers);

  /// `now` is not before that of the last call. Appends to `actions`.
  void step(Instant now, const TaskEvent& event, TaskActions& actions);

  /// When TaskDeadlineReached is due, or a little before that.
  [[nodiscard]] std::optional<Instant> next_deadline() const;

  /// So many more tasks may be submitted now.
  [[nodiscard]] std::uint64_t room() const;

  [[nodiscard]] const TaskCounts& counts() const { return counts_; }
  /// EndTasks was asked for.
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] bool draining() const { return draining_; }
  /// Some worker has answered, or at least said HELLO.
  [[nodiscard]] bool proven() const { return proven_; }
  /// Tasks that one worker is given now, at most: 1 for long ones.
  [[nodiscard]] std::uint32_t window() const;
  /// What a worker is at, as far as that is known.
  struct Head {
    TaskSlot slot{};
    TaskId task{};
  };
  [[nodiscard]] std::optional<Head> head(std::uint32_t worker) const;
  [[nodiscard]] std::uint32_t slots() const { return static_cast<std::uint32_t>(lanes_.size()); }
  /// A character for each worker: '#' has a task, '-' has none, '.' has no process.
  [[nodiscard]] std::string cells() const;

 private:
  struct Task {
    TaskId id{};
    std::uint32_t deaths = 0;  ///< Workers that it took down.
    std::uint32_t errors = 0;
    Instant not_before{};       ///< As a suspect.
    bool known = false;         ///< The slot is in use.
    bool recalled = false;      ///< Its worker was asked to give it back, if it has not begun.
    Instant decide_by = never;  ///< It is to be cancelled: by then its worker must have said that it has not begun.

    [[nodiscard]] bool cancelling() const { return decide_by != never; }
    [[nodiscard]] std::uint32_t attempts() const { return deaths + errors; }
  };

  // dispatcher.cpp: events
  void on(const TaskSubmitted& event);
  void on(const InputEnded& event);
  void on(const ChannelOpened& event);
  void on(const SlotClosed& event);
  void on(const WorkerGreeted& event);
  void on(const TaskAnswered& event);
  void on(const TaskProgressed& event);
  void on(const ChannelBroken& event);
  void on(const ChannelClosed& event);
  void on(const TimeLost& event);
  void on(const WorkerStarved& event);
  void on(const WorkerResigned& event);
  void on(const WorkerLost& event);
  void on(const WorkerMeasured& event);
  void on(const CancelAsked& event);
  void on(const DrainAsked& event);
  void on(const AbortAsked& event);
  void on(const TaskDeadlineReached& event);

  // dispatcher_lanes.cpp: one worker
  void begin_serving(Lane& lane);
  void serve(Lane& lane);
  void fill(Lane& lane);
  void deliver(Lane& lane, Serving& serving, TaskSlot slot);
  void feed_the_hungry();
  void call(Lane& lane);
  void begin_called(Lane& lane);
  void end_called(Lane& lane, TaskSlot slot, Duration took, const WorkerLost& death);
  void leave_called();
  [[nodiscard]] bool has_ready() const;
  void seat_suspects();
  void watch_suspects();
  void make_room_for_fresh();
  void look_at(Lane& lane);
  void time_out(Lane& lane, Serving& serving);
  void condemn(Lane& lane, ReplaceWorker::Why why, const ChannelBroken* broken = nullptr);
  void let_go(Lane& lane);
  void begin_leaving(Lane& lane);
  [[nodiscard]] bool is_used_up(const Lane& lane, const Serving& serving) const {
    return lane.spent || (policy_.max_tasks && serving.given >= most_tasks(lane));
  }
  void dismiss(Lane& lane);
  void vouch(Lane& lane);
  void recall_prefetched(Lane& lane);

  // dispatcher_cancel.cpp: who has submitted a task has no use for it any more
  void cancel_at_worker(Lane& lane, TaskSlot slot);
  void cancel(TaskSlot slot);
  void decide_overdue(Lane& lane);

  // dispatcher_wear.cpp: workers that are replaced before they do harm
  void age(Lane& lane);
  void wake_for_age(const Lane& lane);
  void wear_out(Lane& lane);
  void exhaust(Lane& lane);
  [[nodiscard]] std::uint64_t most_tasks(const Lane& lane) const;
  void measure();
  void measure_soon();

  // dispatcher_relief.cpp: the successor comes before the one that it follows goes
  [[nodiscard]] Lane* other_slot(const Lane& lane);
  [[nodiscard]] bool is_followed(const Lane& lane);
  void call_successor(Lane& lane, bool in_any_case);
  void call_in_time(Lane& lane, const Serving& serving);
  [[nodiscard]] bool stand_by(Lane& lane);
  void hand_over();
  void go(Lane& lane);

  // dispatcher_tasks.cpp: one task
  void settle_answer(Lane& lane, TaskSlot slot, Answer answer, Duration took, const WorkerLost* death = nullptr);
  void try_again(Lane& lane, TaskSlot slot, Duration took);
  void blame(Lane& lane, TaskSlot slot, Mishap mishap, Duration took, const WorkerLost* death);
  [[nodiscard]] TaskSlot take_culprit(Serving& serving, std::optional<TaskId> marked);
  void give_up_life(Lane& lane, const WorkerLost* death);
  void give_back(Serving& serving);
  void take_back(const Serving& serving, TaskSlot slot);
  void requeue(TaskSlot slot);
  void leave(TaskSlot slot);
  void leave_queued();
  void close_gap(TaskId task);
  void record(TaskSlot slot, const RecordTask& record);
  void maybe_halt();
  void maybe_end();

  [[nodiscard]] Lane* find(Life life);
  [[nodiscard]] Task& task_in(TaskSlot slot);
  [[nodiscard]] const Task& task_in(TaskSlot slot) const;
  void wake_at(Instant when) { wake_at_ = std::min(wake_at_, when); }
  [[nodiscard]] Duration took(const Serving& serving) const { return now_ - serving.head_since; }
  void note_duration(Duration took);
  void note_done(Duration took);
  template <class Action>
  void act(Action&& action) {
    actions_->emplace_back(std::forward<Action>(action));
  }

  TaskPolicy policy_;
  std::uint32_t workers_;
  std::vector<Lane> lanes_;           ///< By slot.
  std::vector<Task> tasks_;           ///< By slot.
  std::deque<TaskSlot> ready_;        ///< To be given out, the oldest first.
  std::deque<TaskSlot> suspects_;     ///< They have taken a worker down; each waits for a fresh one.
  std::deque<std::uint32_t> hungry_;  ///< Lanes that would take more.
  std::deque<bool> recorded_;         ///< With an order: of the tasks from oldest_ on.
  std::uint64_t oldest_ = 0;          ///< With an order: the oldest task that is not recorded.
  TaskCounts counts_;
  Durations durations_;              ///< Of the tasks that are done, where the timeout follows from them.
  std::optional<Duration> timeout_;  ///< What holds now.
  Duration start_{};                 ///< What the longest start of a worker took, from its call to its HELLO.
  double mean_ = -1;  ///< Nanoseconds that a task takes, the latest ones counting most; negative: nothing is known.
  Instant wake_at_ = never;
  Instant measure_at_ = never;
  Instant make_room_at_ = never;  ///< When those who wait for a fresh worker have waited long enough.
  Instant now_{};
  TaskActions* actions_ = nullptr;
  bool input_ended_ = false;
  bool draining_ = false;
  bool aborting_ = false;
  bool ended_ = false;
  bool proven_ = false;
  bool duty_over_ = false;  ///< Of some slot: its worker's other one may be next.
};

}  // namespace corral::core
