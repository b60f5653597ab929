// Watches everything that the core is told and everything that it decides, and knows on its own, naively, what should
// have been decided. It shares no code with the core but the data types.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "supervisor/core/action.hpp"
#include "supervisor/core/event.hpp"
#include "supervisor/core/explain.hpp"
#include "supervisor/core/snapshot.hpp"
#include "tests/simulation/kernel.hpp"
#include "tests/simulation/scenario.hpp"
#include "tests/simulation/violation.hpp"

namespace corral::simulation {

class Checker {
 public:
  Checker(const Scenario& scenario, const Kernel& kernel) : scenario_(scenario), kernel_(kernel) {}

  /// The plan that the supervisor starts with.
  void adopt(const core::Plan& plan);
  void before(Instant now, const core::Event& event);
  void decided(Instant now, const core::Action& action);
  void after(Instant now, const core::Snapshot& snapshot, std::optional<Instant> next_deadline);
  /// What somebody is told who asks why a worker is what it is.
  void check_explanation(Instant now, const core::WorkerView& view, const core::WorkerSnapshot& seen,
                         const core::Explanation& told);
  /// Nothing is queued and nothing is due, and still the supervisor runs.
  void at_rest(const core::Snapshot& snapshot) const;

  [[nodiscard]] bool finished() const { return exit_status_.has_value(); }

 private:
  /// What is known of a slot, by its number.
  struct Slot {
    std::optional<Life> life;  ///< The present or last one.
    bool concluded = true;     ///< The core has said how it ended.
    bool swept = true;
    bool failed_launch = false;
    std::optional<Instant> ready;
    std::optional<Instant> exited;
    std::optional<ExitStatus> status;
    bool reloaded_since_end = false;
    bool ended_unasked = false;  ///< When it ended, nobody had asked for that.
    bool had_terminal = false;   ///< When it ended.
    std::optional<Instant> stop_sent;
    std::optional<Instant> kill_sent;
    Instant not_before{};  ///< No launch earlier than this.
    std::uint32_t unhealthy = 0;
    Incarnation last{};
    bool unkillable = false;
    bool killing = false;  ///< SIGKILL was the last resort, and not merely the stop signal.
    int refused = 0;       ///< What the kernel said to the last signal, since then to SIGKILL.
    bool launch_timed_out = false;
    bool output_over = false;  ///< Closed or abandoned.
    int exact_delays = 0;      ///< In a row, though there is jitter.
    Duration grace{};          ///< In force when the stop signal was sent.
    // What those who feed it have found.
    bool proven = false;
    bool outdated = false;
    bool unwanted = false;
    bool to_stop = false;
  };

  void spawned(Instant now, Life life);
  void signalled(Instant now, const core::SignalWorker& signal);
  void noticed(Instant now, const core::Notice& notice);
  void told_of(Instant now, const core::SignalPassedOn& passed);
  // checker_events.cpp
  void check_end(const core::Ended& ended);
  void check_unhealthy(Life life, const core::Verdict& verdict, std::uint32_t said);
  void check_stop(const core::StopSignalled& stop);
  void concluded(Instant now, Life life, const core::Verdict& verdict, bool launch_failed);
  void check_restart(Instant now, Slot& slot, const core::PlannedProgram& program, const core::Verdict& verdict, bool healthy,
                     bool launch_failed);
  void hear(const core::Event& event);
  void refused(const core::SignalFailed& failed);
  void told(Instant now, const core::SignalReceived& signal);
  void told(const core::WorkerJudged& event);
  [[nodiscard]] bool is_about_tasks(Instant now, const core::SignalReceived& signal);
  void check_tasks(Instant now, const core::Action& action);
  void check_fed(const core::Snapshot& snapshot) const;
  [[nodiscard]] bool must_be_replaced(const Slot& known) const { return known.outdated && !known.unwanted && !tasks_ended_; }
  void reloaded(const core::ConfigReloaded& reloaded);
  void abandoned(Instant now, Life life);
  void check_kill(Instant now, Slot& known, const core::StopPolicy& policy);
  void check_told(const core::Snapshot& snapshot) const;
  void check_idle(const core::Snapshot& snapshot) const;
  void finished(Instant now, int status);
  [[nodiscard]] int expected_status() const;
  /// `signal`: what asked for it; 0 where none did.
  void stopping(Instant now, Duration patience_left, int signal = 0);
  [[nodiscard]] Duration longest_stop() const;
  [[nodiscard]] const core::PlannedProgram& last_known(ProgramId id) const;
  [[nodiscard]] const core::PlannedProgram* program(ProgramId id) const;
  Slot& slot(WorkerId id) { return slots_[id]; }
  void require(bool holds, const std::string& invariant) const;

  const Scenario& scenario_;
  const Kernel& kernel_;
  core::Plan plan_;  ///< In force.
  std::map<WorkerId, Slot> slots_;
  std::map<ProgramId, std::vector<Instant>> unhealthy_exits_;  ///< Since the program's definition is what it is.
  std::set<ProgramId> failed_programs_;
  std::set<Life> unanswered_;  ///< SpawnWorker without an answer.
  std::map<ProgramId, core::PlannedProgram> last_known_;
  Instant now_{};
  std::optional<Instant> stop_at_;  ///< When everything was told to stop.
  int stopped_by_ = 0;              ///< The signal that told so.
  std::optional<Instant> exit_by_;
  std::optional<int> exit_status_;
  std::optional<core::LaunchFailure> last_launch_failure_;
  std::optional<ExitStatus> last_status_;
  bool anything_ran_ = false;
  bool anything_failed_ = false;
  bool grace_over_ = false;
  bool left_behind_ = false;
  bool incomplete_ = false;
  std::optional<core::Leftovers> leftovers_;  ///< Of the last look, when everything is swept.
  bool killed_at_once_ = false;               ///< SIGQUIT.
  // Of the step under way.
  bool told_deadline_ = false;
  bool told_to_kill_ = false;  ///< Whatever lives must have been sent SIGKILL at its end.
  bool must_stop_ = false;     ///< A failure that shuts down was seen.
  int passing_on_ = 0;         ///< The signal that the workers should see.
  std::uint32_t passed_on_ = 0;
  std::optional<Life> awaits_continue_;  ///< Was sent its stop signal: SIGCONT must be next.
  std::optional<Life> awaits_sweep_;     ///< Its output ends with a sweep that has to be asked for next.
  std::optional<Life> awaits_refusal_;   ///< A signal did not reach it, which has to be said.
  std::optional<WorkerId> freed_;        ///< Its last life is gone after all.

  std::map<int, std::uint64_t> heard_;  ///< Signals passed on and not told of yet.
  std::map<int, Instant> told_at_;
  bool told_too_soon_ = false;
  bool sweeping_ = false;
  int forced_by_ = 0;
  int repeated_deadlines_ = 0;

  // Of tasks: checker_tasks.cpp
  std::set<ProgramId> proven_programs_;
  std::optional<Instant> drain_at_;
  int drained_by_ = 0;
  bool reopening_due_ = false;  ///< Log files have to be begun anew in this step.
  int drain_due_ = 0;           ///< The signal that asks for a drain in this step.
  bool aborted_ = false;
  bool tasks_ended_ = false;
};

}  // namespace corral::simulation
