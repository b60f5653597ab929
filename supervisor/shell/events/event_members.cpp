// What a notice holds, for machines.
#include <fmt/format.h>

#include "common/base/signals.hpp"
#include "common/base/text.hpp"
#include "supervisor/shell/events/event.hpp"

namespace corral::shell {
namespace {

using namespace core;

std::string text_member(std::string_view name, std::string_view text) {
  std::string out = fmt::format(R"(,"{}":)", name);
  append_json_string(out, text);
  return out;
}

std::string signal_members(int signal) {
  return signal == 0 ? std::string() : fmt::format(R"(,"signal":{},"signal_name":"SIG{}")", signal, signal_name(signal));
}

std::string seconds_member(std::string_view name, std::optional<Duration> duration) {
  return fmt::format(R"(,"{}":{})", name, duration ? json_seconds(*duration) : "null");
}

std::string error_members(int error_number) {
  return error_number == 0 ? std::string()
                           : fmt::format(R"(,"errno":{})", error_number) +
                                 text_member("error", system_error("", error_number).message.substr(2));
}

std::string_view name(Verdict::Kind kind) {
  switch (kind) {
    case Verdict::Kind::restart: return "restart";
    case Verdict::Kind::finished: return "finished";
    case Verdict::Kind::not_restarted: return "not_restarted";
    case Verdict::Kind::stopped: return "stopped";
    case Verdict::Kind::replaced: return "replaced";
    case Verdict::Kind::restarted: return "restarted";
    case Verdict::Kind::program_failed: return "program_failed";
    case Verdict::Kind::survivors: return "survivors";
  }
  return "unknown";
}

std::string_view name(StartWhy why) {
  switch (why) {
    case StartWhy::configured: return "configured";
    case StartWhy::restart: return "restart";
    case StartWhy::asked: return "asked";
    case StartWhy::restarted: return "restarted";
    case StartWhy::replaced: return "replaced";
    case StartWhy::needed: return "needed";
  }
  return "unknown";
}

std::string_view name(StopWhy why) {
  switch (why) {
    case StopWhy::asked: return "asked";
    case StopWhy::restarted: return "restarted";
    case StopWhy::replaced: return "replaced";
    case StopWhy::retired: return "retired";
    case StopWhy::program_failed: return "program_failed";
  }
  return "unknown";
}

std::string_view name(StopCause::Kind kind) {
  switch (kind) {
    case StopCause::Kind::signal: return "signal";
    case StopCause::Kind::program_failed: return "program_failed";
    case StopCause::Kind::tasks_failed: return "tasks_failed";
    case StopCause::Kind::command: return "command";
  }
  return "unknown";
}

std::string_view name(CommandOutcome::Kind kind) {
  switch (kind) {
    case CommandOutcome::Kind::done: return "done";
    case CommandOutcome::Kind::failed: return "failed";
    case CommandOutcome::Kind::overtaken:
    case CommandOutcome::Kind::trial_ended:
    case CommandOutcome::Kind::superseded: return "overtaken";
    case CommandOutcome::Kind::stopping: return "stopping";
    case CommandOutcome::Kind::busy: return "busy";
    case CommandOutcome::Kind::rolled_back: return "rolled_back";
  }
  return "unknown";
}

std::string_view name(TrialEnded::Why why) {
  switch (why) {
    case TrialEnded::Why::told_otherwise: return "told_otherwise";
    case TrialEnded::Why::reloaded: return "reloaded";
  }
  return "unknown";
}

std::string members_of_counts(const Reloaded& n) {
  return fmt::format(R"(,"kept":{},"replaced":{},"started":{},"stopped":{})", n.kept, n.replaced, n.started, n.stopped);
}

struct Members {
  std::string operator()(const Started& n) const { return text_member("why", name(n.why)); }
  std::string operator()(const Ended& n) const {
    return members_of(n.status) + fmt::format(R"(,"out_of_memory":{},"success":{})", n.out_of_memory, n.success) +
           seconds_member("seconds", n.lived) + members_of(n.usage) +
           fmt::format(R"(,"unhealthy_in_a_row":{})", n.unhealthy_in_a_row) + members_of(n.verdict);
  }
  std::string operator()(const LaunchFailed& n) const {
    return members_of(n.failure) + fmt::format(R"(,"unhealthy_in_a_row":{})", n.unhealthy_in_a_row) + members_of(n.verdict);
  }
  std::string operator()(const StopSignalled& n) const {
    return text_member("why", name(n.why)) + signal_members(n.signal) + seconds_member("grace_seconds", n.grace);
  }
  std::string operator()(const KillSent& n) const { return seconds_member("grace_seconds", n.grace); }
  std::string operator()(const SignalRefused& n) const {
    return signal_members(n.signal) + error_members(n.error_number) + seconds_member("kill_in_seconds", n.kill_in) +
           seconds_member("give_up_in_seconds", n.give_up_in);
  }
  std::string operator()(const Unkillable& n) const { return error_members(n.error_number); }
  std::string operator()(const GoneAtLast&) const { return {}; }
  std::string operator()(const OutputHeld&) const { return {}; }
  std::string operator()(const ProgramFailed& n) const {
    return fmt::format(R"(,"unhealthy_exits":{}{},"shuts_down":{})", n.unhealthy_exits,
                       seconds_member("within_seconds", n.within), n.shuts_down);
  }
  std::string operator()(const ShutdownBegun& n) const {
    return text_member("why", name(n.cause.kind)) + signal_members(n.cause.signal) + fmt::format(R"(,"workers":{})", n.workers);
  }
  std::string operator()(const DrainBegun& n) const { return signal_members(n.signal); }
  std::string operator()(const ShutdownForced& n) const {
    return signal_members(n.signal) + fmt::format(R"(,"workers":{})", n.workers);
  }
  std::string operator()(const SignalIgnored& n) const {
    return signal_members(n.signal) + fmt::format(R"(,"times":{})", n.times);
  }
  std::string operator()(const SignalPassedOn& n) const {
    return signal_members(n.signal) + fmt::format(R"(,"workers":{},"times":{})", n.workers, n.times);
  }
  std::string operator()(const RollBegun& n) const { return fmt::format(R"(,"workers":{},"parallel":{})", n.workers, n.at_once); }
  std::string operator()(const RollEnded& n) const {
    return text_member("result", name(n.outcome.kind)) +
           fmt::format(R"(,"replaced":{},"left":{})", n.outcome.workers, n.outcome.left) +
           (n.outcome.culprit ? fmt::format(R"(,"index":{})", n.outcome.culprit->index) : "");
  }
  std::string operator()(const Reloaded& n) const { return members_of_counts(n) + fmt::format(R"(,"on_trial":{})", n.on_trial); }
  std::string operator()(const Scaled& n) const {
    return fmt::format(R"(,"workers":{})", n.workers) + members_of_counts(n.counts);
  }
  std::string operator()(const TrialPassed& n) const { return fmt::format(R"(,"workers":{})", n.workers); }
  std::string operator()(const TrialFailed& n) const { return seconds_member("healthy_after_seconds", n.healthy_after); }
  std::string operator()(const TrialEnded& n) const {
    return fmt::format(R"(,"index":{},"why":"{}")", n.worker.index, name(n.why));
  }
  std::string operator()(const RolledBack& n) const { return members_of_counts(n.counts); }
  std::string operator()(const LeftBehind& n) const {
    return fmt::format(R"(,"found":{},"refused":{},"one_of_them":{},"hidden":{})", n.left.found, n.left.refused, n.left.pid,
                       n.left.hidden) +
           error_members(n.left.error_number);
  }
  std::string operator()(const ShellBrokePromise& n) const {
    return fmt::format(R"(,"index":{})", n.worker.index) + text_member("what", n.what);
  }
  std::string operator()(const Finished& n) const { return fmt::format(R"(,"exit_status":{})", n.status); }
};

}  // namespace

std::string members_of(const Notice& notice) { return std::visit(Members{}, notice); }

std::string members_of(const Verdict& verdict) {
  std::string out = text_member("next", name(verdict.kind));
  if (verdict.kind == Verdict::Kind::restart) {
    out += fmt::format(R"(,"restart":{})", verdict.restart) + seconds_member("delay_seconds", verdict.delay);
  }
  return out;
}

std::string members_of(const ExitStatus& status) {
  if (const ExitedWith* exited = status.exited()) {
    return fmt::format(R"(,"exit_status":{})", exited->code);
  }
  const KilledBy& killed = *status.killed();
  return signal_members(killed.signal) + fmt::format(R"(,"core_dump":{})", killed.core_dumped);
}

std::string members_of(const ResourceUsage& usage) {
  return seconds_member("user_seconds", usage.user) + seconds_member("system_seconds", usage.system) +
         fmt::format(R"(,"max_rss_bytes":{})", usage.max_rss_bytes);
}

std::string members_of(const LaunchFailure& failure) {
  std::string out = text_member("step", core::name(failure.step)) + text_member("cause", describe(failure));
  if (failure.step == LaunchStep::killed) {
    return out + signal_members(failure.error_number);
  }
  return out + error_members(failure.error_number);
}

}  // namespace corral::shell
