#include "supervisor/shell/events/narrator.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>

#include "common/base/result.hpp"
#include "common/base/signals.hpp"
#include "common/base/text.hpp"
#include "common/base/units.hpp"

namespace corral::shell {
namespace {

using namespace core;

std::string count(std::uint32_t number, std::string_view noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

/// `was_killed`: with SIGKILL, which nobody obeys.
void append_follows(std::string& text, const Verdict& verdict, bool was_killed = false) {
  switch (verdict.kind) {
    case Verdict::Kind::restart:
      text.append("restart ").append(std::to_string(verdict.restart));
      if (verdict.delay == Duration::zero()) {
        text.append(" now");
      } else {
        text.append(" in ").append(describe_duration(verdict.delay));
      }
      return;
    case Verdict::Kind::finished: text.append("finished, no restart is due"); return;
    case Verdict::Kind::not_restarted: text.append("failed: its restart policy starts nothing again"); return;
    case Verdict::Kind::stopped: text.append(was_killed ? "stopped by force" : "ended as asked"); return;
    case Verdict::Kind::replaced: text.append("starts again, with another definition or elsewhere"); return;
    case Verdict::Kind::restarted: text.append("starts again, as asked"); return;
    case Verdict::Kind::program_failed: text.append("not restarted: the program has failed"); return;
    case Verdict::Kind::survivors:
      text.append("failed: processes that it started cannot be killed, its slot stays unused");
      return;
  }
}

std::string_view in_words(StopWhy why) {
  switch (why) {
    case StopWhy::asked: return "it was told to stop";
    case StopWhy::restarted: return "a restart was asked for";
    case StopWhy::replaced: return "its definition or its place has changed";
    case StopWhy::retired: return "it is no longer configured";
    case StopWhy::program_failed: return "its program has failed";
  }
  return "";
}

bool is_trouble(const Verdict& verdict) {
  return verdict.kind == Verdict::Kind::not_restarted || verdict.kind == Verdict::Kind::program_failed ||
         verdict.kind == Verdict::Kind::survivors;
}

/// Room for what is said of a restart, taken once.
constexpr std::size_t longest_of_most = 160;

std::string signal_text(int signal) { return "SIG" + signal_name(signal); }

/// "SIGUSR1 received", "SIGUSR1 received 4711 times more": the first of a storm was said by itself.
std::string received(int signal, std::uint64_t times) {
  return signal_text(signal) + " received" + (times == 1 ? "" : fmt::format(" {} times more", times));
}

std::string why_refused(std::string_view who, int signal, int error_number) {
  std::string text = system_error(fmt::format("{} cannot be sent {}", who, signal_text(signal)), error_number).message;
  return error_number == EPERM ? text + " (it runs as another user, and corral has no CAP_KILL)" : text;
}

std::string why_it_lives(const Leftovers& left) {
  const std::string pid = "pid " + std::to_string(left.pid);
  return left.refused > 0 ? system_error("cannot kill " + pid, left.error_number).message
                          : "SIGKILL does not end " + pid + ", which hangs in the kernel or is frozen";
}

}  // namespace

// Plain concatenation where a line is said for each restart: parsing a format takes several times as long.

std::string Narrator::worker(WorkerId id) const {
  std::string text;
  text.reserve(longest_of_most);
  const std::uint32_t workers = workers_ ? workers_(id.program) : 0;
  text.append(names_(id.program)).append("/").append(std::to_string(workers > 0 ? id.index % workers : id.index));
  return text;
}

std::string Narrator::with_pid(Life life, std::int32_t pid) const {
  std::string text = worker(life.worker);
  text.append(" (pid ").append(std::to_string(pid)).append(")");
  return text;
}

Story Narrator::tell(const Notice& notice) const {
  return std::visit([this](const auto& what) { return on(what); }, notice);
}

Story Narrator::on(const Started& notice) const {
  std::string text = with_pid(notice.life, notice.pid);
  text.append(notice.why == StartWhy::asked ? " started, as asked" : " started");
  return {Weight::routine, "worker_started", std::move(text), notice.life, {}};
}

Story Narrator::on(const Ended& notice) const {
  std::string text = with_pid(notice.life, notice.pid);
  text.append(" ").append(describe(notice.status));
  if (notice.out_of_memory) {
    text += " by the kernel: out of memory";
  }
  text.append(", after ").append(describe_duration(notice.lived)).append("; ");
  const KilledBy* killed = notice.status.killed();
  append_follows(text, notice.verdict, killed != nullptr && killed->signal == SIGKILL);
  const bool quiet = notice.verdict.kind == Verdict::Kind::stopped || notice.verdict.kind == Verdict::Kind::finished ||
                     notice.verdict.kind == Verdict::Kind::replaced;
  const Weight weight = is_trouble(notice.verdict) ? Weight::trouble : quiet ? Weight::routine : Weight::notable;
  return {weight, "worker_ended", std::move(text), notice.life, {}};
}

Story Narrator::on(const LaunchFailed& notice) const {
  std::string text = worker(notice.life.worker);
  text.append(": ").append(describe(notice.failure)).append("; ");
  append_follows(text, notice.verdict);
  return {is_trouble(notice.verdict) ? Weight::trouble : Weight::notable, "launch_failed", std::move(text), notice.life, {}};
}

Story Narrator::on(const StopSignalled& notice) const {
  return {Weight::routine,
          "worker_stopping",
          fmt::format("{}: sent {}, SIGKILL in {}; {}", worker(notice.life.worker), signal_text(notice.signal),
                      describe_duration(notice.grace), in_words(notice.why)),
          notice.life,
          {}};
}

Story Narrator::on(const KillSent& notice) const {
  const std::string why = notice.grace ? fmt::format("it did not stop within its grace of {}", describe_duration(*notice.grace))
                                       : std::string("it shall end at once");
  return {notice.grace ? Weight::trouble : Weight::notable,
          "worker_killed",
          fmt::format("{}: SIGKILL now, {}", worker(notice.life.worker), why),
          notice.life,
          {}};
}

Story Narrator::on(const SignalRefused& notice) const {
  std::string text = why_refused(with_pid(notice.life, notice.pid), notice.signal, notice.error_number);
  if (notice.kill_in) {
    text += "; SIGKILL in " + describe_duration(*notice.kill_in);
  } else if (notice.give_up_in) {
    text += "; given up in " + describe_duration(*notice.give_up_in) + " unless it ends by itself";
  } else {
    text += "; it runs on";
  }
  return {Weight::trouble, "signal_refused", std::move(text), notice.life, {}};
}

Story Narrator::on(const Unkillable& notice) const {
  const std::string who = with_pid(notice.life, notice.pid);
  const std::string why =
      notice.error_number != 0
          ? why_refused(who, SIGKILL, notice.error_number)
          : fmt::format("{} has not ended after SIGKILL: it hangs in the kernel (see /proc/{}/stack) or is frozen", who,
                        notice.pid);
  return {Weight::trouble, "worker_unkillable", why + "; its slot stays unused while it exists", notice.life, {}};
}

Story Narrator::on(const GoneAtLast& notice) const {
  return {Weight::notable,
          "worker_gone",
          worker(notice.life.worker) + ": the process that could not be killed is gone",
          notice.life,
          {}};
}

Story Narrator::on(const OutputHeld& notice) const {
  return {Weight::notable,
          "output_held",
          worker(notice.life.worker) + ": ended, but another process holds its output open; no longer waited for",
          notice.life,
          {}};
}

Story Narrator::on(const ProgramFailed& notice) const {
  return {Weight::trouble,
          "program_failed",
          fmt::format("{} failed: {} within {} {} more than its restart limit allows; {}", names_(notice.program),
                      count(notice.unhealthy_exits, "unhealthy exit"), describe_duration(notice.within),
                      notice.unhealthy_exits == 1 ? "is" : "are",
                      notice.shuts_down ? "everything stops (then: shutdown)" : "its workers stop"),
          {},
          notice.program};
}

Story Narrator::on(const ShutdownBegun& notice) const {
  const std::string stopping = fmt::format("stopping {}", count(notice.workers, "worker"));
  const auto tell = [](std::string text) { return Story{Weight::notable, "stopping", std::move(text), {}, {}}; };
  switch (notice.cause.kind) {
    case StopCause::Kind::program_failed: return tell(stopping + ": a program failed and its policy says shutdown");
    case StopCause::Kind::tasks_failed: return tell(stopping);
    case StopCause::Kind::command: return tell("told to shut down, " + stopping);
    case StopCause::Kind::signal: break;
  }
  std::string text = signal_text(notice.cause.signal) + " received, ";
  if (notice.workers == 0) {
    text += "nothing is started any more";  // Nobody runs: all wait for a restart, or for their first turn.
  } else if (notice.cause.signal == SIGQUIT) {
    text += fmt::format("killing {} at once", count(notice.workers, "worker"));
  } else {
    text += fmt::format("stopping {}; a second SIGINT or SIGTERM kills at once", count(notice.workers, "worker"));
  }
  return tell(std::move(text));
}

Story Narrator::on(const DrainBegun& notice) const {
  return {Weight::notable,
          "draining",
          signal_text(notice.signal) +
              " received: no task begins any more, those in work may end; a second SIGINT or SIGTERM stops the workers",
          {},
          {}};
}

Story Narrator::on(const ShutdownForced& notice) const {
  return {Weight::trouble,
          "killing",
          fmt::format("{} received again, killing {} at once", signal_text(notice.signal), count(notice.workers, "worker")),
          {},
          {}};
}

Story Narrator::on(const SignalIgnored& notice) const {
  return {Weight::routine, "signal_ignored", received(notice.signal, notice.times) + ", nothing to do for it now", {}, {}};
}

Story Narrator::on(const SignalPassedOn& notice) const {
  return {Weight::routine,
          "signal_passed_on",
          fmt::format("{}, passed on to {}{}", received(notice.signal, notice.times), count(notice.workers, "worker"),
                      notice.times == 1 ? "" : " each time"),
          {},
          {}};
}

Story Narrator::on(const LeftBehind& notice) const {
  static constexpr std::string_view blind = "/proc cannot be read (it is not mounted, or is that of another PID namespace)";
  const Leftovers& left = notice.left;
  std::string text = "left behind: ";
  if (left.found == 0) {
    text += left.hidden ? fmt::format("processes that left the group of their worker and cannot be found, since {}", blind)
                        : std::string("processes that are not gone after SIGKILL");
  } else {
    text += fmt::format("{} process{}; {}", left.found, left.found == 1 ? "" : "es", why_it_lives(left));
    if (left.hidden) {
      text += fmt::format("; there may be others that cannot be found, since {}", blind);
    }
  }
  return {Weight::trouble, "left_behind", text + "; see ps -e -o pid,user,stat,cmd", {}, {}};
}

Story Narrator::on(const ShellBrokePromise& notice) const {
  return {Weight::trouble,
          "internal_error",
          fmt::format("internal error at {}: {}; please report this", worker(notice.worker), notice.what),
          {},
          {}};
}

Story Narrator::on(const Finished& notice) const {
  return {Weight::routine, "finished", fmt::format("finished with status {}", notice.status), {}, {}};
}

}  // namespace corral::shell
