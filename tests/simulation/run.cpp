#include "tests/simulation/run.hpp"

#include <algorithm>
#include <csignal>
#include <deque>
#include <ostream>
#include <string>
#include <utility>

#include "supervisor/core/supervisor.hpp"
#include "tests/simulation/checker.hpp"
#include "tests/simulation/kernel.hpp"

namespace corral::simulation {
namespace {

using namespace core;

constexpr std::uint64_t most_steps = 20'000;
constexpr std::ptrdiff_t most_notices = 8;

class Run {
 public:
  Run(const Scenario& scenario, std::ostream* log)
      : scenario_(scenario), log_(log), kernel_(scenario), checker_(scenario, kernel_), supervisor_(options(scenario)) {}

  Outcome play() {
    Plan plan = scenario_.plan;
    numbers_.assign(plan);
    plan_ = plan;
    checker_.adopt(plan);
    for (const Interference& interference : scenario_.interferences) {
      if (interference.kind != Interference::Kind::reload) {
        kernel_.push(interference.at, SignalReceived{interference.signal, interference.kind == Interference::Kind::hangup});
      } else if (!scenario_.tasks) {
        reloads_.push_back(interference.at);
      }
    }
    if (scenario_.tasks_end_at) {
      kernel_.push(*scenario_.tasks_end_at, TasksEnded{});
    }
    ActionList actions;
    supervisor_.start(now_, plan, actions);
    carry_out(actions);
    while (!checker_.finished() && !resting_) {
      turn();
    }
    return outcome_;
  }

 private:
  static Options options(const Scenario& scenario) {
    Options options;
    options.seed = scenario.seed;
    options.launches_at_once = scenario.launches_at_once;
    options.reloadable = !scenario.tasks;
    options.tasks = scenario.tasks;
    if (scenario.transparent) {
      options.transparent = Transparent{{{SIGUSR2, 0}, {SIGWINCH, SIGUSR1}}, scenario.transparent_grace};
    }
    return options;
  }

  void turn() {
    if (++outcome_.steps > most_steps) {
      throw Violation("the run comes to an end");
    }
    const std::optional<Instant> event = kernel_.next_event();
    std::optional<Instant> deadline = supervisor_.next_deadline();
    if (deadline && chance(kernel_.random(), scenario_.faults.late_timer)) {
      *deadline += some_time(kernel_.random(), 1us, 50ms);
    }
    const Instant first = std::min(event.value_or(never), deadline.value_or(never));
    if (!reloads_.empty() && reloads_.front() <= first && !scenario_.transparent) {
      now_ = std::max(now_, reloads_.front());
      reloads_.erase(reloads_.begin());
      reload();
    } else if (event && (!deadline || *event <= *deadline)) {
      now_ = std::max(now_, *event);
      if (const std::optional<Event> happened = kernel_.take()) {
        step(*happened);
      }
    } else if (deadline) {
      now_ = std::max(now_, *deadline);
      step(DeadlineReached{});
    } else {
      checker_.at_rest(supervisor_.snapshot());
      now_ += 1s;                        // Or it would be an echo of the last one.
      resting_ = scenario_.transparent;  // Its worker ignores what it is sent, and nobody promised that it ends.
      step(SignalReceived{SIGTERM, false});
    }
  }

  void reload() {
    Plan plan = change_plan(plan_, kernel_.random());
    numbers_.assign(plan);
    plan_ = plan;
    step(ConfigReloaded{std::move(plan)});
  }

  void step(const Event& event) {
    note(event.index());
    if (log_ != nullptr) {
      describe(event);
    }
    checker_.before(now_, event);
    ActionList actions;
    supervisor_.step(now_, event, actions);
    carry_out(actions);
    const Snapshot snapshot = supervisor_.snapshot();
    checker_.after(now_, snapshot, supervisor_.next_deadline());
    ask_why(snapshot);
  }

  /// One worker now and then: that costs more than a step.
  void ask_why(const Snapshot& snapshot) {
    static constexpr std::uint64_t rarely = 8;
    if (outcome_.steps % rarely != 0 || snapshot.programs.empty()) {
      return;
    }
    const std::uint64_t number = outcome_.steps / rarely;
    const ProgramSnapshot& seen = snapshot.programs[number % snapshot.programs.size()];
    if (seen.workers.empty()) {
      return;
    }
    const WorkerSnapshot& worker = seen.workers[number % seen.workers.size()];
    std::vector<PastNotice> past;
    for (const auto& [at, notice] : notices_) {
      past.push_back({at, &notice});
    }
    const Instant asked_at = now_ + std::chrono::milliseconds(number * 137 % 10'000);  // Nothing has happened since.
    const WorkerView view = *supervisor_.view({seen.id, worker.index}, asked_at);
    checker_.check_explanation(asked_at, view, worker, explain("it", view, past));
  }

  void carry_out(const ActionList& actions) {
    bool load = false;
    for (const Action& action : actions) {
      note(100 + action.index());
      outcome_.spawns += std::holds_alternative<SpawnWorker>(action) ? 1U : 0U;
      load = load || std::holds_alternative<LoadConfiguration>(action);
      if (log_ != nullptr) {
        describe(action);
      }
      checker_.decided(now_, action);
      if (const auto* announced = std::get_if<Announce>(&action)) {
        notices_.emplace_back(now_, announced->notice);
        notices_.erase(notices_.begin(), notices_.end() - std::min<std::ptrdiff_t>(std::ssize(notices_), most_notices));
      }
      kernel_.perform(now_, action);
      if (const auto* ended = std::get_if<ExitSupervisor>(&action)) {
        outcome_.exit_status = ended->status;
      }
    }
    if (load && chance(kernel_.random(), 0.7)) {
      reloads_.insert(reloads_.begin(), now_);
    }
  }

  void note(std::uint64_t what) {
    outcome_.trace = (outcome_.trace ^ what ^ static_cast<std::uint64_t>(now_.time_since_epoch().count())) * 0x100000001b3ULL;
  }

  void describe(const Event& event);
  void describe(const Action& action);
  void line(const std::string& text) {
    *log_ << std::chrono::duration<double, std::milli>(now_.time_since_epoch()).count() << " ms  " << text << '\n';
  }
  static std::string who(Life life) {
    return std::string(1, static_cast<char>('a' + number(life.worker.program))) + "/" + std::to_string(life.worker.index) + "#" +
           std::to_string(number(life.incarnation));
  }

  const Scenario& scenario_;
  std::ostream* log_;
  Kernel kernel_;
  Checker checker_;
  Supervisor supervisor_;
  ProgramNumbers numbers_;
  Plan plan_;
  std::vector<Instant> reloads_;
  Instant now_{};
  bool resting_ = false;
  std::deque<std::pair<Instant, Notice>> notices_;  ///< The latest.
  Outcome outcome_;
};

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

void Run::describe(const Event& event) {
  line(
      "> " +
      std::visit(Overloaded{
                     [](const WorkerSpawned& e) { return "spawned " + who(e.life); },
                     [](const SpawnFailed& e) { return "spawn failed " + who(e.life) + ": " + core::describe(e.failure); },
                     [](const WorkerReady& e) { return "ready " + who(e.life); },
                     [](const WorkerExited& e) { return "exited " + who(e.life) + ": " + corral::describe(e.status); },
                     [](const SignalFailed& e) { return "signal " + std::to_string(e.signal) + " refused by " + who(e.life); },
                     [](const OutputClosed& e) { return "output closed " + who(e.life); },
                     [](const WorkerSwept& e) { return "swept " + who(e.life); },
                     [](const AllSwept&) { return std::string("all swept"); },
                     [](const SweepIncomplete& e) { return std::to_string(e.left.found) + " left"; },
                     [](const SignalReceived& e) { return "signal " + std::to_string(e.signal); },
                     [](const ConfigReloaded&) { return std::string("reloaded"); },
                     [](const RestoreFailed&) { return std::string("restore failed"); },
                     [](const CommandReceived&) { return std::string("command"); },
                     [](const CommandAbandoned&) { return std::string("abandoned"); },
                     [](const WorkerJudged& e) { return "judged " + who(e.life) + " " + std::to_string(static_cast<int>(e.as)); },
                     [](const WorkerCalled&) { return std::string("called"); },
                     [](const TasksHalted&) { return std::string("halted"); },
                     [](const TasksEnded&) { return std::string("tasks ended"); },
                     [](const DeadlineReached&) { return std::string("deadline"); },
                 },
                 event));
}

void Run::describe(const Action& action) {
  line("    < " + std::visit(Overloaded{
                                 [](const SpawnWorker& a) { return "spawn " + who(a.life); },
                                 [](const SignalWorker& a) { return "signal " + who(a.life) + " " + std::to_string(a.signal); },
                                 [](const DrainOutput& a) { return "drain " + who(a.life); },
                                 [](const AbandonOutput& a) { return "abandon output " + who(a.life); },
                                 [](const ReleaseOutput&) { return std::string("release output"); },
                                 [](const SweepWorker& a) { return "sweep " + who(a.life); },
                                 [](const SweepAll&) { return std::string("sweep all"); },
                                 [](const LoadConfiguration&) { return std::string("load configuration"); },
                                 [](const RestoreConfiguration&) { return std::string("restore configuration"); },
                                 [](const ReopenLogs&) { return std::string("reopen logs"); },
                                 [](const DrainTasks&) { return std::string("drain tasks"); },
                                 [](const AbortTasks&) { return std::string("abort tasks"); },
                                 [](const CloseSlot&) { return std::string("close slot"); },
                                 [](const ForgetProgram& a) { return "forget program " + std::to_string(number(a.program)); },
                                 [](const AnswerCommand& a) {
                                   return "answer " + std::to_string(static_cast<std::uint64_t>(a.id)) + ": " +
                                          std::to_string(static_cast<int>(a.outcome.kind));
                                 },
                                 [](const Announce& a) {
                                   std::string text = "announce " + std::to_string(a.notice.index());
                                   if (const auto* ended = std::get_if<Ended>(&a.notice)) {
                                     text += " ended " + who(ended->life) + " verdict " +
                                             std::to_string(static_cast<int>(ended->verdict.kind)) + " delay " +
                                             std::to_string(ended->verdict.delay.count());
                                   }
                                   return text;
                                 },
                                 [](const ExitSupervisor& a) { return "exit " + std::to_string(a.status); },
                             },
                             action));
}

}  // namespace

Outcome run(const Scenario& scenario, std::ostream* log) { return Run(scenario, log).play(); }

}  // namespace corral::simulation
