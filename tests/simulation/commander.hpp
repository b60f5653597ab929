// Whoever commands the workers of a World, and what he may expect of each answer. For every sequence
// (tests/unit/core/test_exhaustive.cpp) and for long walks (commands.cpp).
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "supervisor/core/supervisor.hpp"
#include "tests/simulation/process.hpp"

namespace corral::simulation {

using namespace core;

class Commander {
 public:
  explicit Commander(const std::vector<Plan>& plans) : plan_(plans.front()) {}

  /// The n-th of the commands that there are, to everybody; nothing when there are fewer.
  std::optional<Event> command(std::size_t n, const Snapshot& seen, std::string& told) {
    std::vector<WorkerId> workers;
    std::vector<Life> lives;
    for (const ProgramSnapshot& program : seen.programs) {
      for (const WorkerSnapshot& worker : program.workers) {
        workers.push_back({program.id, worker.index});
        lives.push_back({workers.back(), worker.incarnation});
      }
    }
    static constexpr std::array<const char*, 5> names{"start", "halt", "restart", "roll", "shut down"};
    if (n >= names.size()) {
      return n == names.size() ? leave(told) : std::nullopt;
    }
    told = names[n];
    if (seen.phase == Phase::running) {
      hold(workers, n == 1);
    }
    switch (n) {
      case 0: return CommandReceived{ask(lives, Kind::start), StartWorkers{workers}};
      case 1: return CommandReceived{ask(lives, Kind::stop), StopWorkers{workers}};
      case 2: return CommandReceived{ask(lives, Kind::restart), RestartWorkers{workers, {}}};
      case 3: return CommandReceived{ask(lives, Kind::roll), RestartWorkers{workers, Rolling{1, settle}}};
      default: return CommandReceived{ask({}, Kind::shutdown), ShutDown{}};
    }
  }

  /// `doomed`: what has made an earlier one fail may be in this one too.
  Event reload(const Plan& plan, Phase phase, ConfigReloaded::Kind kind, bool doomed) {
    take_over(plan, phase);
    const CommandId id = ask({}, Kind::reload);
    tries_ = kind == ConfigReloaded::Kind::scaled ? tries_ : id;
    asked_.at(id).has_trouble = asked_.at(id).has_trouble || doomed;
    return ConfigReloaded{plan, id, kind};
  }
  /// Nobody has asked for that, and still it has the last word on whoever waits.
  Event restore(const Plan& plan, Phase phase, TrialId trial) {
    take_over(plan, phase);
    make_rivals();
    if (const auto tries = asked_.find(tries_); tries != asked_.end()) {
      tries->second.is_undone = phase == Phase::running;
    }
    return ConfigReloaded{plan, {}, ConfigReloaded::Kind::restored, trial};
  }

  void note(const Event& event, const std::map<WorkerId, WorkerProcess>& processes) {
    const bool mishap = is_mishap(event, processes);
    const auto* exited = std::get_if<WorkerExited>(&event);
    const bool trouble =
        std::holds_alternative<SpawnFailed>(event) || std::holds_alternative<DeadlineReached>(event) || exited != nullptr;
    deadline_passed_ = deadline_passed_ || std::holds_alternative<DeadlineReached>(event);
    for (auto& [id, asked] : asked_) {
      asked.has_trouble = asked.has_trouble || trouble;
      asked.has_mishap = asked.has_mishap || mishap;
    }
    for (Asked& asked : abandoned_) {
      asked.has_mishap = asked.has_mishap || mishap;
    }
  }

  void answered(Instant now, const AnswerCommand& answer, const std::map<WorkerId, WorkerProcess>& processes) {
    const auto found = asked_.find(answer.id);
    require(found != asked_.end(), "a command is answered once");
    const Asked asked = found->second;
    asked_.erase(found);
    const bool gives_way = answer.outcome.kind == CommandOutcome::Kind::overtaken ||
                           answer.outcome.kind == CommandOutcome::Kind::trial_ended ||
                           answer.outcome.kind == CommandOutcome::Kind::superseded;
    require(!gives_way || asked.has_rival, "nobody is overtaken but by another");
    require(answer.outcome.kind != CommandOutcome::Kind::failed || asked.has_trouble, "nothing fails without a reason");
    const bool says_so = answer.outcome.kind == CommandOutcome::Kind::rolled_back;
    require(asked.is_undone == says_so, "who is rolled back is told so, and nobody else");
    if (answer.outcome.kind != CommandOutcome::Kind::done) {
      return;
    }
    for (const Life& life : asked.targets) {
      const auto process = processes.find(life.worker);
      const bool newer = process != processes.end() && process->second.life.incarnation > life.incarnation;
      if (asked.kind == Kind::stop) {
        // Another one may have been started meanwhile, by another command.
        require(process == processes.end() || !process->second.alive || newer, "a stop is done when nobody lives");
      } else {
        require(process != processes.end() && process->second.ever_ran && (newer || asked.kind == Kind::start),
                "a start is done when its process has run");
        const bool stayed =
            process->second.exited_well || now >= after(process->second.ready_at, healthy_after(life.worker) + settle);
        require(asked.kind != Kind::roll || asked.has_rival || stayed,
                "one that rolls has to become healthy, and to stay for a while");
      }
    }
  }

  [[nodiscard]] bool holds(WorkerId worker) const { return held_.contains(worker); }
  [[nodiscard]] std::size_t waiting() const { return asked_.size(); }

  /// Restarts that nobody waits for, and that may have others to come to.
  [[nodiscard]] std::size_t rolling_on() const {
    return static_cast<std::size_t>(std::ranges::count(abandoned_, Kind::roll, &Asked::kind));
  }

  /// Nobody has asked for anything else, and nothing has gone wrong: who has left has got what he wanted.
  void rested(const std::map<WorkerId, WorkerProcess>& processes) const {
    for (const Asked& asked : abandoned_) {
      for (const Life& life : asked.targets) {
        const auto process = processes.find(life.worker);
        const bool newer = process != processes.end() && process->second.life.incarnation > life.incarnation;
        const bool is_restart = asked.kind == Kind::restart || asked.kind == Kind::roll;
        require(newer || !is_restart || asked.has_rival || asked.has_mishap, "a restart whose client has left goes on");
      }
    }
  }

 private:
  static constexpr Duration settle = std::chrono::milliseconds(10);

  enum class Kind : std::uint8_t { start, stop, restart, roll, reload, shutdown };
  /// A command that waits for its answer.
  struct Asked {
    Kind kind = Kind::start;
    std::vector<Life> targets;  ///< As they were.
    bool has_rival = false;     ///< Another command has come since.
    bool has_trouble = false;   ///< Something has ended since that need not have.
    bool has_mishap = false;    ///< Or that nobody has asked to.
    bool is_undone = false;     ///< The configuration before has come back.
  };

  void take_over(const Plan& plan, Phase phase) {
    if (phase == Phase::running) {
      plan_ = plan;
      std::erase_if(held_, [&](WorkerId worker) { return !stays(worker); });  // Who comes back comes as a new one.
    }
  }

  void make_rivals() {
    for (auto& [other, asked] : asked_) {
      asked.has_rival = true;
    }
    std::ranges::for_each(abandoned_, [](Asked& asked) { asked.has_rival = true; });
  }

  CommandId ask(std::vector<Life> targets, Kind kind) {
    const CommandId id{++last_};
    make_rivals();
    // Who is about to leave can be told nothing any more.
    const bool one_leaves = std::ranges::any_of(targets, [&](const Life& life) { return !stays(life.worker); });
    asked_.emplace(id, Asked{kind, std::move(targets), one_leaves, deadline_passed_, false, false});
    return id;
  }

  /// A launch that fails, an end that nobody asked for or before it ran, a time that is over for who starts or stops.
  [[nodiscard]] static bool is_mishap(const Event& event, const std::map<WorkerId, WorkerProcess>& processes) {
    const auto* exited = std::get_if<WorkerExited>(&event);
    if (std::holds_alternative<DeadlineReached>(event)) {
      return std::ranges::any_of(processes, [](const auto& entry) {
        return entry.second.alive && (!entry.second.executing || entry.second.asked_to_end);
      });
    }
    if (exited == nullptr) {
      return std::holds_alternative<SpawnFailed>(event);
    }
    const WorkerProcess& process = processes.at(exited->life.worker);
    return !process.asked_to_end || !process.executing;
  }

  /// The first who waits does so no more.
  std::optional<Event> leave(std::string& told) {
    if (asked_.empty()) {
      return std::nullopt;
    }
    const auto [id, asked] = *asked_.begin();
    told = "leave";
    abandoned_.push_back(asked);
    asked_.erase(id);
    return CommandAbandoned{id};
  }

  void hold(const std::vector<WorkerId>& workers, bool down) {
    for (const WorkerId worker : workers) {
      if (down && stays(worker)) {
        held_.insert(worker);
      } else if (!down) {
        held_.erase(worker);
      }
    }
  }

  /// Of its program, in all of the plans.
  [[nodiscard]] Duration healthy_after(WorkerId worker) const {
    const auto planned = std::ranges::find(plan_.programs, worker.program, &PlannedProgram::id);
    return planned == plan_.programs.end() ? Duration::zero() : planned->spec.restart.healthy_after;
  }

  /// It is not about to leave.
  [[nodiscard]] bool stays(WorkerId worker) const {
    return std::ranges::any_of(plan_.programs, [&](const PlannedProgram& planned) {
      return planned.id == worker.program && worker.index < planned.workers();
    });
  }

  Plan plan_;  ///< In force.
  std::uint64_t last_ = 0;
  CommandId tries_{};             ///< The last that has asked for a trial.
  bool deadline_passed_ = false;  ///< One: something may be stuck, and stay so.
  std::map<CommandId, Asked> asked_;
  std::vector<Asked> abandoned_;  ///< Whose client has left.
  std::set<WorkerId> held_;       ///< By a stop command, and no start since.
};

}  // namespace corral::simulation
