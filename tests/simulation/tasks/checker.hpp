// Watches what the dispatcher is told and what it decides, and knows on its own what should have become of every task and of
// every worker. It shares no code with the dispatcher but the data types, keeps no queues, and counts by looking.
//
// `before` works out what an event must lead to; `decided` crosses that off, and objects to everything else; `after` requires
// that nothing is left of it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "supervisor/core/tasks/dispatcher.hpp"
#include "tests/simulation/tasks/scenario.hpp"

namespace corral::simulation::tasks {

class Checker {
 public:
  explicit Checker(const Scenario& scenario);

  void before(Instant now, const core::TaskEvent& event);
  void decided(const core::TaskAction& action);
  void after(const core::Dispatcher& dispatcher);
  /// Nothing happens any more.
  void at_rest() const;

 private:
  enum class Place : std::uint8_t { ready, suspect, in_work, recorded, left, cancelled };
  /// What the step under way has to say about a task.
  enum class Due : std::uint8_t { nothing, done, failed, quarantined, unfit, retry, leave, cancel };
  struct Task {
    core::TaskSlot slot{};
    Place place = Place::ready;
    Due due = Due::nothing;
    std::uint32_t deaths = 0;
    std::uint32_t errors = 0;
    bool given = false;     ///< At least once.
    bool returned = false;  ///< It has come back as if it had never been given.
    bool recalled = false;  ///< Its worker was asked to give it back.
    bool begun_due = false;
    Instant decide_by = never;  ///< It is to be cancelled, and its worker is asked.
    Instant not_before{};       ///< As a suspect.
    Duration delay{};           ///< Of the retry that is due.
    Duration seconds{};         ///< Of the attempt that is due; negative: whatever is said.
    core::Mishap mishap{};
    Life life;
    bool of_death = false;
  };
  /// A worker's present process, as far as the dispatcher was told of one.
  struct Worker {
    Life life;
    bool open = false;
    bool serves = false;  ///< It may be given tasks.
    bool condemned = false;
    bool leaves = false;  ///< No more tasks come for it.
    bool stopped = false;
    bool flushing = false;
    bool going = false;  ///< It has given a task back unasked.
    bool greeted = false;
    bool vouched = false;
    bool untouched = true;           ///< It never had a task.
    bool alone = false;              ///< It has a suspect.
    std::vector<std::uint64_t> has;  ///< The first one is in work.
    Instant since{};                 ///< The first one is in work.
    Instant heard{};                 ///< Likewise, or its last PROGRESS: the timeout counts from then.
    Instant greet_by{};
    Instant stop_at{};
    std::uint64_t given = 0;  ///< And not given back.
    Instant old_at = never;
    Instant spent_at = never;
    bool warm = false;   ///< It waits until the one in its worker's other slot has gone.
    bool worn = false;   ///< It gives way when its successor has come.
    bool spent = false;  ///< It gets nothing more.
    [[nodiscard]] bool on_duty() const { return serves && !warm; }
    bool measure_due = false;
    std::size_t allowance = 0;  ///< It may have so many, for it starves.
    // What the step under way has to ask for.
    std::optional<core::ReplaceWorker> replace_due;
    bool vouch_due = false, dismiss_due = false, call_due = false, stop_due = false, close_due = false, feed_due = false;
  };

  // checker.cpp: what it is told
  void told(const core::TaskSubmitted& event);
  void told(const core::InputEnded&) { input_ended_ = true; }
  void told(const core::ChannelOpened& event);
  void told(const core::SlotClosed&) {}
  void told(const core::ChannelClosed&) {}
  void told(const core::TimeLost&) {}
  void told(const core::WorkerGreeted& event);
  void told(const core::TaskAnswered& event);
  void told(const core::TaskProgressed& event);
  void told(const core::ChannelBroken& event);
  void told(const core::WorkerStarved& event);
  void told(const core::WorkerResigned& event);
  void told(const core::WorkerLost& event);
  void told(const core::WorkerMeasured& event);
  void told(const core::CancelAsked& event);
  void told(const core::DrainAsked& event);
  void told(const core::AbortAsked& event);
  void told(const core::TaskDeadlineReached& event);
  void come_to_grief(Worker& worker, core::Mishap mishap, std::optional<core::TaskId> at = std::nullopt);
  void blame(Worker& worker, core::Mishap mishap, std::optional<core::TaskId> at);
  void answered(Worker& worker, Task& task, core::Answer answer);
  void replace(Worker& worker, core::ReplaceWorker::Why why, bool own_fault);
  void vouch(Worker& worker) { worker.vouch_due = !worker.vouched; }
  void end_if_over();
  void let_go(Worker& worker);
  void begin_leaving(Worker& worker);
  void return_to(Place place, Task& task);
  void begun(Task& task);
  // checker_relief.cpp: workers that are replaced before they do harm
  [[nodiscard]] bool used_up(const Worker& worker) const;
  [[nodiscard]] Worker* other_of(const Worker& worker);
  [[nodiscard]] bool wanted(const Worker& worker) const { return wanted_[index_of(worker)]; }
  [[nodiscard]] std::size_t index_of(const Worker& worker) const { return static_cast<std::size_t>(&worker - workers_.data()); }
  void begin_serving(Worker& worker);
  void hand_over();
  void age(Worker& worker);
  void wear_out(Worker& worker);
  void exhaust(Worker& worker);
  void go(Worker& worker);
  void settle(Task& task, Due due, Place place);

  // checker_decisions.cpp: what it decides
  void check(const core::DeliverTask& action);
  void check(const core::CallWorker& action);
  void check(const core::CallRelief& action);
  void check(const core::RecallTask& action);
  void check(const core::RecordTask& action);
  void check(const core::TellRetry& action);
  void check(const core::LeaveTask& action);
  void check(const core::TellBegun& action);
  void check(const core::MeasureWorker& action);
  void check(const core::VouchForWorker& action);
  void check(const core::ReplaceWorker& action);
  void check(const core::DismissWorker& action);
  void check(const core::StopWorker& action);
  void check(const core::CloseInput& action);
  void check(const core::HaltTasks& action);
  void check(const core::EndTasks& action);
  [[nodiscard]] std::size_t widest(const Worker& worker) const;

  // checker_state.cpp: what must hold between two steps
  void check_counts(const core::Dispatcher& dispatcher) const;
  void check_room(const core::Dispatcher& dispatcher) const;
  void check_nothing_is_due() const;
  void check_idle() const;
  void check_stuck(const core::Dispatcher& dispatcher);
  void check_deadline(const core::Dispatcher& dispatcher);
  [[nodiscard]] std::uint64_t idle_fresh_workers() const;
  [[nodiscard]] Instant first_due() const;

  [[nodiscard]] Worker* find(Life life);
  [[nodiscard]] Worker& known(Life life);
  Task& settled(core::TaskId id, core::TaskSlot slot, Due due, const char* otherwise);
  [[nodiscard]] bool nothing_comes(const Worker& worker) const;
  [[nodiscard]] std::uint64_t count(Place place) const { return places_[static_cast<std::size_t>(place)]; }
  void put(Task& task, Place place);

  const core::TaskPolicy& policy_;
  std::uint32_t count_;
  std::vector<Worker> workers_;   ///< By slot.
  std::vector<bool> wanted_;      ///< By slot: another process follows in it.
  std::optional<Life> lost_due_;  ///< It is gone, and its successor is on the way: none follows in its slot.
  std::vector<Task> tasks_;       ///< By number.
  std::uint64_t places_[6]{};
  std::uint64_t oldest_ = 0;  ///< That is not recorded.
  std::uint64_t retries_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint64_t done_ = 0, failed_ = 0, quarantined_ = 0;
  std::optional<Duration> shortest_;  ///< That a task in work took until it was answered.
  Instant now_{};
  std::uint32_t due_ = 0;      ///< Tasks of which something is due.
  std::uint64_t recalls_ = 0;  ///< Due.
  bool end_due_ = false;
  bool input_ended_ = false, draining_ = false, aborting_ = false, ended_ = false, proven_ = false;
  bool told_deadline_ = false;
  bool was_met_ = false;  ///< The last step met a deadline, at this instant.
  bool ended_now_ = false;
  bool made_room_ = false;
  Instant measure_at_ = never;
  std::optional<Instant> next_;      ///< What it said is due next.
  std::optional<Instant> stuck_at_;  ///< When those who wait for a fresh worker have waited long enough.
};

}  // namespace corral::simulation::tasks
