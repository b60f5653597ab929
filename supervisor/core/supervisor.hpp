// The core: every decision of a supervisor, and nothing else.
//
// It is told what has happened (event.hpp) and answers with what shall be done (action.hpp). It reads no clock, makes
// no system call, holds no descriptor. The same events at the same instants give the same actions: that is what the
// simulator (tests/simulation) and replays rely on.
//
// Invariants, checked in every build: time does not run backwards; a state changes only along the table of
// reaction.hpp; a worker has at most one life at a time and every life ends before the next begins; once everything was
// told to stop nothing is launched; ExitSupervisor is the last action and comes once.
//
// Cost: an event about one worker costs O(log n) with n workers; only signals and reloads touch them all.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "supervisor/core/action.hpp"
#include "supervisor/core/event.hpp"
#include "supervisor/core/options.hpp"
#include "supervisor/core/plan.hpp"
#include "supervisor/core/reaction.hpp"
#include "supervisor/core/restart.hpp"
#include "supervisor/core/signal_tally.hpp"
#include "supervisor/core/snapshot.hpp"

namespace corral::core {

class Supervisor {
 public:
  /// Nothing happens before start().
  explicit Supervisor(Options options);

  /// Takes the first plan and begins. Once, before any step.
  void start(Instant now, const Plan& plan, ActionList& actions);

  /// `now` is not before that of the last call. Appends to `actions`.
  void step(Instant now, const Event& event, ActionList& actions);

  /// When DeadlineReached is due; nothing while only events are waited for.
  [[nodiscard]] std::optional<Instant> next_deadline() const;

  [[nodiscard]] Snapshot snapshot() const;
  /// One worker alone, whatever the number of workers; nothing where there is none.
  [[nodiscard]] std::optional<WorkerView> view(WorkerId id, Instant now) const;
  [[nodiscard]] Phase phase() const { return phase_; }
  /// A reload on trial is under way, or being undone.
  [[nodiscard]] bool on_trial() const;
  /// RestoreConfiguration of this trial still wants an answer: no other configuration has come meanwhile.
  [[nodiscard]] bool awaits_restoration(TrialId trial) const;
  /// Some worker's program has been executed.
  [[nodiscard]] bool anything_ran() const { return anything_ran_; }

 private:
  struct Worker {
    State state = Stopped{};
    Incarnation incarnation{};
    Instant due = never;  ///< The deadline of the state, as due_ has it.
    std::int32_t pid = 0;
    std::uint32_t unhealthy = 0;  ///< Unhealthy exits in a row.
    std::uint32_t restarts = 0;
    int refused = 0;              ///< What the kernel said to the last signal for this life.
    Instant ran_since = never;    ///< Of the present life; `never` until it runs.
    Instant launched_at = never;  ///< Likewise.
    Instant died_at = never;      ///< Of the life that has just ended.
    ResourceUsage usage;          ///< Likewise.
    StartWhy start_why = StartWhy::configured;
    bool wanted_up : 1 = false;
    bool queued : 1 = false;    ///< Has an entry in the queue of launches.
    bool executed : 1 = false;  ///< WorkerReady was told, in whatever state.
    bool spawning : 1 = false;  ///< SpawnWorker is not yet answered.
    bool output_open : 1 = false;
    bool outdated : 1 = false;       ///< Runs under a definition that a reload has replaced.
    bool ended_unasked : 1 = false;  ///< Its process ended while it was wanted, and had been sent no stop signal.
    bool timed_out : 1 = false;      ///< Killed because its launch took too long.
    bool out_of_memory : 1 = false;
    bool proven : 1 = false;        ///< It has shown that it works: its end counts as that of a healthy life.
    bool had_terminal : 1 = false;  ///< When its process ended.
    bool occupied : 1 = false;      ///< Something of its last life cannot be killed: the slot is not used.
    bool retired : 1 = false;       ///< Leaves when it is settled: the program has fewer workers now.
    bool held : 1 = false;          ///< A command stopped it: it stays down until another one says otherwise.
    bool told_again : 1 = false;    ///< Is outdated because a command wants another life of it.
    bool watched : 1 = false;       ///< A command may wait for it.
    bool in_a_roll : 1 = false;     ///< A rolling restart has replaced it, and may not be over.

    /// Of the life that has just ended: what the policy goes by, from the moment at which its exec was seen.
    [[nodiscard]] Duration lived() const { return ran_since == never ? Duration::zero() : died_at - ran_since; }
    /// What is said of it, from its launch.
    [[nodiscard]] Duration existed() const { return died_at - launched_at; }
  };

  struct Program {
    PlannedProgram plan;
    std::vector<Worker> workers;
    ExitWindow window;
    std::vector<Incarnation> left;  ///< By index: the last of workers that have left, so that no life comes twice.
    std::uint32_t unsettled = 0;
    bool failed = false;
    bool proven = false;   ///< One of its workers was: what fails to start from then on is tried again without a limit.
    bool retired = false;  ///< Leaves when its workers are settled.
    bool present = false;
  };

  using Due = std::pair<Instant, WorkerId>;

  // supervisor.cpp: events
  void on(const WorkerSpawned& event);
  void on(const SpawnFailed& event);
  void on(const WorkerReady& event);
  void on(const WorkerExited& event);
  void on(const SignalFailed& event);
  void on(const OutputClosed& event);
  void on(const WorkerSwept& event);
  void on(const AllSwept& event);
  void on(const SweepIncomplete& event);
  void on(const SignalReceived& event);
  void on(const ConfigReloaded& event);
  void on(const RestoreFailed& event);
  void on(const CommandReceived& event);
  void on(const CommandAbandoned& event);
  void on(const WorkerJudged& event);
  void on(const WorkerCalled& event);
  void on(const TasksHalted& event);
  void on(const TasksEnded& event);
  void on(const DeadlineReached& event);
  void pass_on(int signal);
  void pass_to_running(int signal);
  void hear(int signal, std::optional<std::uint32_t> passed_on);
  void tell_of_signals(Instant until);
  void tell_of(const HeardSignal& heard);
  void kill_at_once(int signal);
  void stop_or_kill(int signal);
  [[nodiscard]] bool is_echo(int signal) const;
  void after_step();
  void begin_drain(int signal);
  void begin_shutdown(StopCause cause, Happening what_is_wanted = Happening::stop_wanted);
  void kill_everything(int signal);
  [[nodiscard]] bool has_finished() const;
  void begin_sweeping();
  void sweep_everything_again();
  void exit_supervisor();
  [[nodiscard]] int exit_status() const;

  // lifecycle.cpp: one worker, up to its death
  void apply(WorkerId id, Happening happening);
  void perform(WorkerId id, Worker& worker, Reaction reaction);
  void enter(WorkerId id, Worker& worker, State state);
  void reschedule(WorkerId id, Worker& worker);
  void launch(WorkerId id, Worker& worker);
  void stop(WorkerId id, Worker& worker);
  [[nodiscard]] static StopWhy why_stopped(const Program& program, const Worker& worker);
  void kill(WorkerId id, Worker& worker);
  void drain(WorkerId id, Worker& worker);
  void maybe_conclude(WorkerId id, Worker& worker);
  void overdue(WorkerId id, Worker& worker);
  void abandon_output(WorkerId id, Worker& worker);
  void give_up(WorkerId id, Worker& worker);
  void close_slot(WorkerId id);
  void enqueue(WorkerId id, Worker& worker);
  void forget(WorkerId id, Worker& worker);
  void admit_launches();

  // life_end.cpp: what is made of an end
  void end_life(WorkerId id, Worker& worker, const ExitStatus& status);
  void end_launch(WorkerId id, Worker& worker, LaunchFailure failure);
  [[nodiscard]] Verdict judge(WorkerId id, Worker& worker, const ExitStatus* status);
  [[nodiscard]] Verdict judge_restart(WorkerId id, Worker& worker, bool healthy);
  void follow(WorkerId id, Worker& worker, const Verdict& verdict, const ExitStatus* status);
  void fail_program(ProgramId id);

  // reload.cpp
  void adopt(const PlannedProgram& planned, Reloaded& counts, bool scaled);
  void replace_definition(Program& program, const PlannedProgram& planned, Reloaded& counts);
  void resize(Program& program, const PlannedProgram& planned, Reloaded& counts);
  void append_workers(Program& program, const PlannedProgram& planned, Reloaded& counts);
  void dismiss(WorkerId id, Worker& worker, Reloaded& counts);
  void retire(Program& program, Reloaded& counts);
  void start_worker(WorkerId id);
  void drop_settled(Program& program);
  void await_reload(const ConfigReloaded& event);
  void tell_of_reload(const ConfigReloaded& event, Reloaded counts);

  // trial.cpp: a configuration that has to prove itself
  void succeed_trial(const ConfigReloaded& event, PendingCommand& next);
  void begin_trial(PendingCommand command);
  void extend_trial(const PendingCommand& scaled);
  [[nodiscard]] std::optional<CommandTarget> still_to_blame(const PendingCommand& earlier, const PendingCommand& next);
  void make_up_for(const Trial& trial);
  void end_trial(PendingCommand& command, TrialEnded::Why why);
  void lose_trial(PendingCommand& command, const CommandTarget& target);
  void follow_on_trial(CommandTarget& target);
  [[nodiscard]] bool is_to_blame(const CommandTarget& target);
  void inherit_trial(const PendingCommand& earlier, PendingCommand& next);
  [[nodiscard]] bool is_on_trial(ProgramId id) const;
  [[nodiscard]] bool is_on_trial(WorkerId id) const;
  [[nodiscard]] bool awaits_restoration() const;

  // rolling.cpp
  void admit_rolling(PendingCommand& command);
  void leave_queued(PendingCommand& command);
  void leave_the_rest(PendingCommand& command);
  void tell_of_roll(const PendingCommand& command);
  void note_settling(CommandTarget& target);
  void note_replaced(PendingCommand& command, WorkerId id);
  void note_end_in_a_roll(WorkerId id, const Worker& worker, Verdict::Kind follows, const ExitStatus* status);
  void fail_rolls_of(WorkerId id);

  // commands.cpp
  void carry_out(std::optional<CommandId> asked_by, const StartWorkers& command);
  void carry_out(std::optional<CommandId> asked_by, const StopWorkers& command);
  void carry_out(std::optional<CommandId> asked_by, const RestartWorkers& command);
  void carry_out(std::optional<CommandId> asked_by, const SignalWorkers& command);
  void carry_out(std::optional<CommandId> asked_by, const ShutDown& command);
  void supersede(const std::vector<WorkerId>& workers);
  void bring_up(WorkerId id, Worker& worker, bool anew);
  void hold_down(WorkerId id, Worker& worker);
  void let_go(Worker& worker);
  void set_held(Worker& worker, bool held);
  [[nodiscard]] static bool is_kept_down(const Worker& worker);
  void count_kept_down(bool was_kept, const Worker& worker);
  void forgive(ProgramId id);
  void await(PendingCommand& command, WorkerId id, CommandTarget::Until until);
  void begin_waiting(PendingCommand command);
  void look_at_commands();
  void look_at(PendingCommand& command);
  void answer(const std::optional<CommandId>& asked_by, const CommandOutcome& outcome);
  [[nodiscard]] std::size_t awaited_commands() const;
  void answer_all(CommandOutcome::Kind kind);
  enum class Progress : std::uint8_t { waits, is_true, failed, overtaken };
  [[nodiscard]] Progress progress_of(CommandTarget& target);
  [[nodiscard]] Instant next_settled() const;

  [[nodiscard]] Program& program_of(ProgramId id);
  [[nodiscard]] Worker* find(WorkerId id);
  /// The worker whose present life this is; null for a past life.
  [[nodiscard]] Worker* find(Life life);
  [[nodiscard]] static Life life_of(WorkerId id, const Worker& worker) { return Life{id, worker.incarnation}; }
  template <class Visit>
  void for_each_worker(Visit visit);
  [[nodiscard]] std::uint32_t workers_with_process() const;

  void act(Action action) { actions_->push_back(std::move(action)); }
  void announce(Notice notice) { act(Announce{std::move(notice)}); }

  Options options_;
  Random random_;
  std::vector<Program> programs_;  ///< By number; a number that has left keeps an empty place.
  std::set<Due> due_;
  std::deque<WorkerId> launch_queue_;
  std::uint32_t spawning_ = 0;
  std::uint32_t unsettled_ = 0;
  Phase phase_ = Phase::running;
  bool stay_ = false;
  Instant now_{};
  ActionList* actions_ = nullptr;  ///< Of the step under way.
  Instant sweep_again_ = never;
  Instant sweep_give_up_ = never;
  SignalTally heard_;
  std::vector<PendingCommand> commands_;  ///< At most most_commands that are awaited: see awaited_commands().
  bool commands_moved_ = false;           ///< Something that a command may wait for has changed.
  std::vector<WorkerId> touched_;         ///< By the reload of this step.
  std::uint32_t trials_ = 0;              ///< So far.
  bool to_shut_down_ = false;             ///< At the end of this step: a program that was on trial has asked for it.
  std::uint32_t kept_down_ = 0;           ///< Workers that a command holds down, and that have not ended of their own.
  Leftovers leftovers_;                   ///< By the last look.
  std::vector<ProgramId> to_tidy_;        ///< Programs that may have retired workers to drop.

  // For the exit status.
  bool anything_ran_ = false;
  bool anything_failed_ = false;
  bool grace_was_over_ = false;
  bool left_behind_ = false;  ///< Something could not be killed when it should have been.
  bool incomplete_ = false;   ///< It still lives at the end.
  bool tasks_ended_ = false;
  bool drain_asked_ = false;
  int asked_by_ = 0;          ///< The signal that everything was told to stop, or drain, with.
  Instant asked_at_ = never;  ///< When it came.
  int forced_by_ = 0;
  std::optional<ExitStatus> last_status_;
  std::optional<LaunchFailure> last_launch_failure_;
};

template <class Visit>
void Supervisor::for_each_worker(Visit visit) {
  for (std::uint32_t number = 0; number < programs_.size(); ++number) {
    for (std::uint32_t index = 0; index < programs_[number].workers.size(); ++index) {
      visit(WorkerId{ProgramId{number}, index}, programs_[number].workers[index]);
    }
  }
}

}  // namespace corral::core
