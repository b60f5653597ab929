// The core and what surrounds it, small enough to be copied at each fork of the road: knows which events a kernel could
// produce now, and asserts the invariants after each. For every sequence (tests/unit/core/test_exhaustive.cpp) and for long walks
// (commands.cpp).
#pragma once

#include <algorithm>
#include <array>
#include <csignal>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "supervisor/core/supervisor.hpp"
#include "tests/simulation/commander.hpp"
#include "tests/simulation/trials.hpp"

namespace corral::simulation {

using namespace core;

/// The core and its surroundings. Copied at each fork of the road.
class World {
 public:
  /// `commanded`: somebody tells the workers of the first program what to do.
  World(const Options& options, std::vector<Plan> plans, bool commanded = false)
      : core_(options),
        plans_(std::move(plans)),
        fed_(options.tasks),
        commanded_(commanded),
        commander_(plans_),
        trials_(plans_.front()) {
    ActionList actions;
    core_.start(now_, plans_.front(), actions);
    observe(actions);
  }

  [[nodiscard]] bool over() const { return core_.phase() == Phase::done; }

  /// Does the n-th of the events that can happen now; false when there are fewer.
  bool happen(std::size_t n, std::string& told) {
    for (const auto& [id, process] : processes_) {
      for (const What what :
           {What::spawned, What::launch_fails, What::ready, What::exits_well, What::crashes, What::output_closes, What::swept}) {
        if (possible(what, process) && n-- == 0) {
          told = std::string(words[static_cast<std::size_t>(what)]) + std::to_string(number(id.program)) + "/" +
                 std::to_string(id.index);
          step(event_of(what, process));
          return true;
        }
      }
    }
    if (fed_ && find_out(n, told)) {
      return true;
    }
    if (sweeping_all_ && n-- == 0) {
      told = "all swept";
      step(AllSwept{});
      return true;
    }
    if (core_.next_deadline() && n-- == 0) {
      told = "deadline";
      meet_deadline();
      return true;
    }
    for (const int number : {SIGTERM, SIGQUIT}) {
      if (n-- == 0) {
        told = "signal " + std::to_string(number);
        step(SignalReceived{number});
        return true;
      }
    }
    for (const Plan& plan : plans_) {
      if (plans_.size() > 1 && n-- == 0) {
        told = "reload " + std::to_string(&plan - plans_.data());
        step(commanded_ ? commander_.reload(plan, core_.phase(), ConfigReloaded::Kind::scaled, false) : ConfigReloaded{plan});
        return true;
      }
    }
    if (commanded_ && try_out(n, told)) {
      return true;
    }
    if (const auto command = commanded_ ? commander_.command(n, core_.snapshot(), told) : std::nullopt) {
      const auto* received = std::get_if<CommandReceived>(&*command);
      told_to_stop_ = told_to_stop_ || (received != nullptr && std::holds_alternative<ShutDown>(received->command));
      step(*command);
      return true;
    }
    return false;
  }

  [[nodiscard]] Snapshot snapshot() const { return core_.snapshot(); }

  /// Nobody asks for anything more, and everybody does as told: what was asked for comes true, or cannot.
  void rest() {
    for (int turn = 0; !over(); ++turn) {
      require(turn < 500, "a rest comes");
      if (!answer(true)) {
        if (!core_.next_deadline()) {
          break;
        }
        meet_deadline();
      }
    }
    require(commander_.waiting() == 0, "every command is answered when nothing happens any more");
    require(core_.snapshot().commands == 0, "no command is left when nothing happens any more");
    if (!over() && !told_to_stop_) {
      commander_.rested(processes_);
    }
  }

  /// Everybody does as told from now on: the end must come.
  void stop() {
    step(SignalReceived{SIGTERM});
    if (fed_ && !over()) {  // That may have been for the tasks alone; no echo, then.
      now_ += std::chrono::seconds(1);
      step(SignalReceived{SIGTERM});
      require(core_.phase() != Phase::running, "the second signal is for the workers");
    }
    for (int turn = 0; !over(); ++turn) {
      require(turn < 200, "a stop comes to its end");
      if (!answer()) {
        require(core_.next_deadline().has_value(), "what waits has a deadline");
        meet_deadline();
      }
    }
    for (const auto& [id, process] : processes_) {
      require(process.concluded, "every life is concluded before the end");
    }
    require(commander_.waiting() == 0, "every command is answered before the end");
  }

 private:
  /// What those who feed workers may say now; `n` is counted down as far as there is something.
  bool find_out(std::size_t& n, std::string& told) {
    using enum WorkerJudged::As;
    for (const auto& [id, process] : processes_) {
      for (const WorkerJudged::As as : {proven, outdated, failing, dismissed, unwanted}) {
        if (process.alive && process.executing && n-- == 0) {
          told = "judged " + std::to_string(static_cast<int>(as));
          step(WorkerJudged{process.life, as});
          return true;
        }
      }
    }
    if (!tasks_ended_ && n-- == 0) {
      told = "tasks ended";
      step(TasksEnded{});
      return true;
    }
    return false;
  }

  bool try_out(std::size_t& n, std::string& told) {
    for (const Plan& plan : plans_) {
      if (plans_.size() > 1 && n-- == 0) {
        told = "try " + std::to_string(&plan - plans_.data());
        step(commander_.reload(plan, core_.phase(), ConfigReloaded::Kind::on_trial, trials_.wanted().has_value()));
        return true;
      }
    }
    for (const bool comes : {true, false}) {
      if (trials_.wanted() && n-- == 0) {
        told = comes ? "restored" : "not restored";
        comes ? restore() : step(RestoreFailed{*trials_.wanted()});
        return true;
      }
    }
    return false;
  }

  void restore() { step(commander_.restore(trials_.before(), core_.phase(), *trials_.wanted())); }

  /// What a well-behaved kernel has to say next, if anything. `only_asked`: nobody ends without being asked to.
  bool answer(bool only_asked = false) {
    for (const auto& [id, process] : processes_) {
      for (const What what : {What::spawned, What::ready, What::exits_well, What::output_closes, What::swept}) {
        const bool may = what != What::exits_well || !only_asked || process.asked_to_end;
        if (possible(what, process) && may) {
          step(event_of(what, process));
          return true;
        }
      }
    }
    if (trials_.wanted() && core_.phase() == Phase::running) {
      restore();
      return true;
    }
    if (sweeping_all_) {
      step(AllSwept{});
    }
    return sweeping_all_;
  }

  void meet_deadline() {
    now_ = std::max(now_, *core_.next_deadline());
    step(DeadlineReached{});
    require(over() || !core_.next_deadline() || *core_.next_deadline() > now_, "a deadline that was met is gone");
  }

  void note(const Event& event) {
    if (const auto* signal = std::get_if<SignalReceived>(&event)) {
      told_to_stop_ = told_to_stop_ || (signal->signal == SIGTERM && !fed_) || signal->signal == SIGQUIT;
    } else if (std::holds_alternative<TasksEnded>(event)) {
      tasks_ended_ = true;
    }
  }

  void step(const Event& event) {
    note(event);
    simulation::note(event, now_, processes_);
    trials_.note(event, core_.phase() == Phase::running, commander_.waiting() > 1 || commander_.rolling_on() > 0);
    commander_.note(event, processes_);
    ActionList actions;
    core_.step(now_, event, actions);
    observe(actions);
    check_states();
  }

  void observe(const ActionList& actions) {
    for (const Action& action : actions) {
      require(!exited_, "ExitSupervisor is the last action");
      if (const auto* spawn = std::get_if<SpawnWorker>(&action)) {
        spawn_worker(spawn->life);
      } else if (const auto* signal = std::get_if<SignalWorker>(&action)) {
        WorkerProcess& process = processes_.at(signal->life.worker);
        process.asked_to_end = process.asked_to_end || signal->signal != SIGCONT;
        require(process.life == signal->life && process.alive, "only living processes are signalled");
      } else if (const auto* sweep = std::get_if<SweepWorker>(&action)) {
        require(!processes_.at(sweep->life.worker).alive, "only what is left of the dead is swept");
        processes_.at(sweep->life.worker).sweeping = true;
      } else if (const auto* answer = std::get_if<AnswerCommand>(&action)) {
        commander_.answered(now_, *answer, processes_);
      } else if (const auto* restore = std::get_if<RestoreConfiguration>(&action)) {
        trials_.asked_for(*restore);
      } else if (const auto* announced = std::get_if<Announce>(&action)) {
        told_to_stop_ = told_to_stop_ || std::holds_alternative<ShutdownBegun>(announced->notice);
        trials_.notice(now_, announced->notice, processes_);
        conclude(announced->notice, processes_);
      } else if (std::holds_alternative<SweepAll>(action)) {
        sweeping_all_ = true;
      } else if (std::holds_alternative<ExitSupervisor>(action)) {
        exited_ = true;
      }
    }
  }

  void spawn_worker(Life life) {
    WorkerProcess& process = processes_[life.worker];
    require(!told_to_stop_, "nothing is launched after a stop");
    require(!commander_.holds(life.worker), "who was told to stay down is not started");
    require(!process.alive && !process.sweeping, "a slot never has two lives");
    require(process.needed && !tasks_ended_, "nobody follows one that was dismissed, or the end of all tasks");
    require(process.concluded, "a life is concluded before the next begins");
    require(number(life.incarnation) > number(process.life.incarnation), "incarnations count up");
    process = {life, true, true, false, true, false, false, true, false, {}, false, process.ever_ran};
  }

  void check_states() const {
    require(!trials_.wanted() || told_to_stop_ || core_.phase() == Phase::running, "what is wanted back is waited for");
    const Snapshot seen = core_.snapshot();
    require(seen.commands_awaited == commander_.waiting(), "who waits has a place, and who has left has none");
    require(seen.commands - seen.commands_awaited <= commander_.rolling_on() + (trials_.goes_on() ? 1 : 0),
            "what nobody waits for is let go of");
    for (const ProgramSnapshot& program : seen.programs) {
      for (const WorkerSnapshot& worker : program.workers) {
        const auto found = processes_.find({program.id, worker.index});
        const bool alive = found != processes_.end() && found->second.alive;
        const bool executing = alive && found->second.executing;
        require(has_process(kind(worker.state)) == alive || kind(worker.state) == StateKind::failed,
                "a state says whether there is a process");
        require(kind(worker.state) != StateKind::running || executing, "what runs has been seen to execute");
        require(core_.phase() != Phase::stopping || !worker.wanted_up, "after a stop nobody is wanted");
        const bool held = commander_.holds({program.id, worker.index}) && kind(worker.state) == StateKind::stopped;
        require(!held || told_to_stop_ || core_.phase() == Phase::running, "who is held down may be wanted again");
      }
    }
  }

  Supervisor core_;
  std::vector<Plan> plans_;
  std::map<WorkerId, WorkerProcess> processes_;
  Instant now_{std::chrono::hours(1)};
  bool sweeping_all_ = false;
  bool fed_;
  bool commanded_;
  Commander commander_;
  Trials trials_;
  bool tasks_ended_ = false;
  bool told_to_stop_ = false;
  bool exited_ = false;
};

}  // namespace corral::simulation
