#include "tests/unit/core/driver.hpp"

#include <array>
#include <charconv>
#include <stdexcept>

#include "common/base/signals.hpp"
#include "common/base/units.hpp"

namespace corral::core::testing {
namespace {

/// By StartWhy.
constexpr std::array<std::string_view, 6> causes{"", " (restart)", " (asked)", " (restarted)", " (replaced)", " (needed)"};

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

std::string joined(std::string left, const std::string& right) {
  if (!left.empty() && !right.empty()) {
    left += "; ";
  }
  return left + right;
}

std::uint32_t number_in(std::string_view text) {
  std::uint32_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string words_of(const Verdict& verdict) {
  switch (verdict.kind) {
    case Verdict::Kind::restart: return "restart " + std::to_string(verdict.restart) + " in " + describe_duration(verdict.delay);
    case Verdict::Kind::finished: return "finished";
    case Verdict::Kind::not_restarted: return "not restarted";
    case Verdict::Kind::stopped: return "stopped";
    case Verdict::Kind::replaced: return "replaced";
    case Verdict::Kind::restarted: return "restarted";
    case Verdict::Kind::program_failed: return "program failed";
    case Verdict::Kind::survivors: return "survivors";
  }
  return "?";
}

std::string words_of(const Reloaded& counts) {
  return "kept " + std::to_string(counts.kept) + ", replaced " + std::to_string(counts.replaced) + ", started " +
         std::to_string(counts.started) + ", stopped " + std::to_string(counts.stopped);
}

}  // namespace

PlannedProgram program(std::string name, const std::function<void(PlannedProgram&)>& change) {
  PlannedProgram planned;
  planned.spec.name = name;
  planned.spec.launch.command = {std::move(name)};
  planned.spec.restart.jitter = 0;
  planned.spec.restart.limit.reset();
  resize(planned, 1);
  if (change) {
    change(planned);
  }
  return planned;
}

void resize(PlannedProgram& planned, std::uint32_t workers) {
  planned.spec.launch.workers = workers;
  planned.placements.resize(workers);
}

Plan Driver::plan_of(std::vector<PlannedProgram> programs, bool stay) {
  Plan plan{std::move(programs), stay};
  numbers_.assign(plan);
  for (const PlannedProgram& planned : plan.programs) {
    ids_[planned.spec.name] = planned.id;
  }
  return plan;
}

std::string Driver::start(std::vector<PlannedProgram> programs, bool stay) {
  ActionList actions;
  core_.start(now_, plan_of(std::move(programs), stay), actions);
  notices_.clear();
  return carry_out(actions);
}

std::string Driver::reload(std::vector<PlannedProgram> programs, bool stay) {
  return tell(ConfigReloaded{plan_of(std::move(programs), stay)});
}

std::string Driver::launch_fails(std::string_view worker, LaunchStep step, int error_number) {
  return tell(SpawnFailed{life(worker), {step, error_number, "x"}});
}

std::string Driver::tell(const Event& event) {
  ActionList actions;
  core_.step(now_, event, actions);
  notices_.clear();
  return carry_out(actions);
}

std::string Driver::up(std::string_view worker) {
  std::string decided = spawned(worker);
  const std::string before = notices_;
  decided = joined(std::move(decided), ready(worker));
  notices_ = before + notices_;
  return decided;
}

std::string Driver::ends(std::string_view worker, const WorkerExited& how) {
  const std::string which = who(life(worker));  // A restart makes "a/0" another life half-way.
  std::string all;
  std::string decided = tell(how);
  all += notices_;
  decided = joined(std::move(decided), output_closes(which));
  all += notices_;
  decided = joined(std::move(decided), is_swept(which));
  notices_ = all + notices_;
  return decided;
}

std::string Driver::pass(Duration time) {
  const Instant until = now_ + time;
  std::string decided;
  std::string all;
  for (auto next = core_.next_deadline(); next && *next <= until; next = core_.next_deadline()) {
    now_ = std::max(now_, *next);
    decided = joined(std::move(decided), tell(DeadlineReached{}));
    all += notices_;
  }
  now_ = until;
  notices_ = all;
  return decided;
}

std::optional<Duration> Driver::due() const {
  const std::optional<Instant> next = core_.next_deadline();
  return next ? std::optional(*next - now_) : std::nullopt;
}

WorkerSnapshot Driver::worker(std::string_view name) const {
  const WorkerId wanted = id(name);
  for (const ProgramSnapshot& program : core_.snapshot().programs) {
    if (program.id == wanted.program && wanted.index < program.workers.size()) {
      return program.workers[wanted.index];
    }
  }
  throw std::runtime_error("the core knows no worker " + std::string(name));
}

bool Driver::knows(std::string_view program) const {
  for (const ProgramSnapshot& known : core_.snapshot().programs) {
    if (known.name == program) {
      return true;
    }
  }
  return false;
}

WorkerId Driver::id(std::string_view worker) const {
  const std::size_t slash = worker.find('/');
  const auto found = ids_.find(worker.substr(0, slash));
  if (slash == std::string_view::npos || found == ids_.end()) {
    throw std::runtime_error("the test names no worker: " + std::string(worker));
  }
  return {found->second, number_in(worker.substr(slash + 1))};
}

Life Driver::life(std::string_view worker) const {
  const WorkerId which = id(worker);
  if (const std::size_t hash = worker.find('#'); hash != std::string_view::npos) {
    return {which, Incarnation{number_in(worker.substr(hash + 1))}};
  }
  const auto last = lives_.find(which);
  return {which, last == lives_.end() ? Incarnation{} : last->second};
}

std::string Driver::name_of(WorkerId worker) const {
  for (const auto& [name, id] : ids_) {
    if (id == worker.program) {
      return name + "/" + std::to_string(worker.index);
    }
  }
  return "nobody";
}

std::string Driver::who(Life life) const { return name_of(life.worker) + "#" + std::to_string(number(life.incarnation)); }

std::string Driver::carry_out(const ActionList& actions) {
  std::string decided;
  for (const Action& action : actions) {
    decided = joined(
        std::move(decided),
        std::visit(
            Overloaded{
                [this](const SpawnWorker& a) {
                  lives_[a.life.worker] = a.life.incarnation;
                  return "spawn " + who(a.life);
                },
                [this](const SignalWorker& a) { return "signal " + who(a.life) + " " + signal_name(a.signal); },
                [this](const DrainOutput& a) { return "drain " + who(a.life); },
                [this](const AbandonOutput& a) { return "abandon " + who(a.life); },
                [](const ReleaseOutput&) { return std::string(); },
                [this](const SweepWorker& a) { return "sweep " + who(a.life); },
                [](const SweepAll&) { return std::string("sweep all"); },
                [](const LoadConfiguration&) { return std::string("load"); },
                [](const RestoreConfiguration& a) { return "restore " + std::to_string(static_cast<std::uint32_t>(a.trial)); },
                [](const ReopenLogs&) { return std::string("reopen logs"); },
                [](const DrainTasks&) { return std::string("drain tasks"); },
                [](const AbortTasks&) { return std::string("abort tasks"); },
                [](const CloseSlot&) { return std::string("close slot"); },
                [this](const AnswerCommand& a) { return words(a); },
                [](const ForgetProgram& a) { return "forget " + std::to_string(number(a.program)); },
                [this](const Announce& a) {
                  notices_ += words(a.notice) + "\n";
                  return std::string();
                },
                [this](const ExitSupervisor& a) {
                  exit_status_ = a.status;
                  return "exit " + std::to_string(a.status);
                },
            },
            action));
  }
  return decided;
}

std::string Driver::words(const Notice& notice) const {
  const auto count = [](std::uint32_t n) { return std::to_string(n); };
  const auto times = [](std::uint64_t n) { return n == 1 ? std::string() : " × " + std::to_string(n); };
  return std::visit(
      Overloaded{
          [this](const Started& n) {
            return who(n.life) + " started as " + std::to_string(n.pid) + std::string(causes[static_cast<std::size_t>(n.why)]);
          },
          [this](const Ended& n) {
            return who(n.life) + " " + corral::describe(n.status) + (n.out_of_memory ? " out of memory" : "") + " after " +
                   describe_duration(n.lived) + ": " + words_of(n.verdict);
          },
          [this](const LaunchFailed& n) {
            return who(n.life) + " " + std::string(core::name(n.failure.step)) + " failed: " + words_of(n.verdict);
          },
          [this](const StopSignalled& n) {
            return who(n.life) + " told to stop by " + signal_name(n.signal) + " within " + describe_duration(n.grace);
          },
          [this](const KillSent& n) {
            return who(n.life) + " killed " + (n.grace ? "after " + describe_duration(*n.grace) : std::string("at once"));
          },
          [this](const SignalRefused& n) {
            return who(n.life) + " refused " + signal_name(n.signal) + " with " + std::to_string(n.error_number) +
                   (n.kill_in ? ", killed in " + describe_duration(*n.kill_in) : "") +
                   (n.give_up_in ? ", given up in " + describe_duration(*n.give_up_in) : "");
          },
          [this](const Unkillable& n) {
            return who(n.life) + " unkillable" + (n.error_number != 0 ? ", refused with " + std::to_string(n.error_number) : "");
          },
          [this](const GoneAtLast& n) { return who(n.life) + " gone at last"; },
          [this](const OutputHeld& n) { return who(n.life) + " output held"; },
          [&](const ProgramFailed& n) {
            return "program failed after " + count(n.unhealthy_exits) + " within " + describe_duration(n.within) +
                   (n.shuts_down ? ", shuts down" : "");
          },
          [&](const ShutdownBegun& n) {
            const bool asked = n.cause.kind == StopCause::Kind::signal;
            return "shutdown by " + (asked ? signal_name(n.cause.signal) : "failure") + " of " + count(n.workers);
          },
          [&](const DrainBegun& n) { return "drain begun by " + signal_name(n.signal); },
          [&](const ShutdownForced& n) { return "shutdown forced by " + signal_name(n.signal) + " of " + count(n.workers); },
          [&](const SignalIgnored& n) { return "ignored " + signal_name(n.signal) + times(n.times); },
          [&](const SignalPassedOn& n) {
            return "passed on " + signal_name(n.signal) + " to " + count(n.workers) + times(n.times);
          },
          [&](const Reloaded& n) { return (n.on_trial ? "reloaded on trial: " : "reloaded: ") + words_of(n); },
          [&](const RollBegun& n) {
            return "roll of " + count(n.workers) + " begun, by " + count(n.at_once) + (n.program ? ", of one" : "");
          },
          [&](const RollEnded& n) { return "roll ended: " + words({{}, n.outcome}) + ", left " + count(n.outcome.left); },
          [&](const Scaled& n) { return "scaled to " + count(n.workers) + ": " + words_of(n.counts); },
          [&](const TrialEnded& n) {
            return "trial ended by " + (n.why == TrialEnded::Why::reloaded ? "a reload" : name_of(n.worker));
          },
          [&](const TrialPassed& n) { return "trial passed by " + count(n.workers); },
          [&](const TrialFailed& n) {
            return "trial failed by " + who(n.life) + " within " + describe_duration(n.healthy_after);
          },
          [&](const RolledBack& n) { return "rolled back: " + words_of(n.counts); },
          [&](const LeftBehind& n) {
            return "left behind: found " + count(n.left.found) + ", refused " + count(n.left.refused) +
                   (n.left.hidden ? ", others hidden" : "");
          },
          [](const ShellBrokePromise& n) { return "broken promise: " + n.what; },
          [](const Finished& n) { return "finished " + std::to_string(n.status); },
      },
      notice);
}

}  // namespace corral::core::testing
