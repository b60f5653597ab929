// Drives a Supervisor in tests: holds it and a clock, speaks of workers by name ("a/0"), and tells in words what the
// core has decided. Everything happens at once and only when the test says so.
//
//   Driver d;
//   CHECK(d.start({program("a")}) == "spawn a/0#1");
//   d.up("a/0");
//   CHECK(d.ends("a/0", ExitedWith{1}) == "drain a/0#1; sweep a/0#1; spawn a/0#2");
//   CHECK(d.said("restart 1 in 0 us"));
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "supervisor/core/supervisor.hpp"

namespace corral::core::testing {

using namespace std::chrono_literals;

/// A program with one worker that is restarted on failure after 100 ms, 200 ms, …, without jitter and without limit;
/// `change` makes it another.
[[nodiscard]] PlannedProgram program(std::string name, const std::function<void(PlannedProgram&)>& change = {});

/// For `change`: so many workers.
void resize(PlannedProgram& planned, std::uint32_t workers);

class Driver {
 public:
  explicit Driver(Options options = {}) : core_(std::move(options)) {}

  // Each of these tells the core one thing (`up` and `ends`: several) and returns what it decided, notices left out:
  // "signal a/0#1 TERM; signal a/0#1 CONT". Nothing decided is "".
  std::string start(std::vector<PlannedProgram> programs, bool stay = false);
  std::string reload(std::vector<PlannedProgram> programs, bool stay = false);
  /// The same program with other numbers of workers: a command, whose number is given.
  std::string rescale(std::vector<PlannedProgram> programs);
  std::string reload_and_wait(std::vector<PlannedProgram> programs);
  /// A reload on trial; and what the n-th trial asks for when it is lost.
  std::string try_out(std::vector<PlannedProgram> programs);
  std::string restore(std::vector<PlannedProgram> programs, std::uint32_t trial = 1);
  template <class Asked>
  std::string command(Asked asked) {
    return tell(CommandReceived{next_command(), std::move(asked)});
  }
  [[nodiscard]] std::vector<WorkerId> ids(std::initializer_list<std::string_view> workers) const;
  std::string spawned(std::string_view worker) { return tell(WorkerSpawned{life(worker), 4000}); }
  std::string ready(std::string_view worker) { return tell(WorkerReady{life(worker)}); }
  std::string launch_fails(std::string_view worker, LaunchStep step = LaunchStep::fork, int error_number = 11);
  std::string exits(std::string_view worker, ExitStatus status) { return tell(WorkerExited{life(worker), status}); }
  std::string output_closes(std::string_view worker) { return tell(OutputClosed{life(worker)}); }
  std::string is_swept(std::string_view worker) { return tell(WorkerSwept{life(worker)}); }
  std::string refuses(std::string_view worker, int signal, int error) { return tell(SignalFailed{life(worker), signal, error}); }
  std::string all_swept() { return tell(AllSwept{}); }
  std::string not_all_swept(const Leftovers& left) { return tell(SweepIncomplete{left}); }
  std::string signal(int number) { return tell(SignalReceived{number}); }
  std::string terminal_goes() { return tell(SignalReceived{1, true}); }
  std::string tell(const Event& event);

  /// Spawned and ready.
  std::string up(std::string_view worker);
  /// Exited, its output closed, swept: an end as smooth as can be.
  std::string ends(std::string_view worker, ExitStatus status) { return ends(worker, WorkerExited{life(worker), status}); }
  /// The same, while it had the terminal.
  std::string ends_on_terminal(std::string_view worker, ExitStatus status) {
    return ends(worker, WorkerExited{life(worker), status, {}, false, false, true});
  }

  /// Lets time pass; every deadline on the way is met exactly when it is due.
  std::string pass(Duration time);
  /// Time passes, and nobody tells the core.
  void time_flies(Duration time) { now_ += time; }

  /// A notice since the last decision asked for (the last call above) contains `text`.
  [[nodiscard]] bool said(std::string_view text) const { return notices_.find(text) != std::string::npos; }
  [[nodiscard]] const std::string& notices() const { return notices_; }

  /// How long until the next deadline; nothing when there is none.
  [[nodiscard]] std::optional<Duration> due() const;
  [[nodiscard]] WorkerSnapshot worker(std::string_view name) const;
  [[nodiscard]] std::string state(std::string_view worker) const { return std::string(name(kind(this->worker(worker).state))); }
  [[nodiscard]] bool knows(std::string_view program) const;
  [[nodiscard]] Snapshot snapshot() const { return core_.snapshot(); }
  /// That are not over, whether anybody waits for them or not.
  [[nodiscard]] std::uint32_t commands() const { return core_.snapshot().commands; }
  [[nodiscard]] Phase phase() const { return core_.phase(); }
  [[nodiscard]] std::optional<int> exit_status() const { return exit_status_; }

  /// The last life of "a/0" that was asked for, or, as "a/0#2", any.
  [[nodiscard]] Life life(std::string_view worker) const;

 private:
  std::string ends(std::string_view worker, const WorkerExited& how);
  std::string carry_out(const ActionList& actions);
  Plan plan_of(std::vector<PlannedProgram> programs, bool stay);
  [[nodiscard]] WorkerId id(std::string_view worker) const;
  [[nodiscard]] std::string name_of(WorkerId worker) const;
  [[nodiscard]] std::string who(Life life) const;
  [[nodiscard]] std::string words(const AnswerCommand& answer) const;
  CommandId next_command() { return CommandId{++commands_}; }
  [[nodiscard]] std::string words(const Notice& notice) const;

  Supervisor core_;
  ProgramNumbers numbers_;
  std::map<std::string, ProgramId, std::less<>> ids_;
  std::map<WorkerId, Incarnation> lives_;
  std::uint64_t commands_ = 0;
  Instant now_{1h};
  std::string notices_;
  std::optional<int> exit_status_;
};

}  // namespace corral::core::testing
