// What comes next for one worker, and when.
#include <cmath>

#include "common/base/signals.hpp"
#include "common/base/units.hpp"
#include "supervisor/core/teller.hpp"

namespace corral::core {

namespace {

constexpr const char* held_too = "; a command has told it to stay down as well: a reload starts it no more, a start does";

std::string_view word(RestartWhen when) {
  return when == RestartWhen::always ? "always" : when == RestartWhen::never ? "never" : "on-failure";
}

}  // namespace

void Teller::next(std::string_view what) {
  out_.next.what = what;
  if (view_.worker.due != never) {
    out_.next.in = left();
  }
}

void Teller::tell_next() {
  switch (out_.state) {
    case StateKind::running: return tell_running();
    case StateKind::backoff: return tell_next_start();
    case StateKind::waiting:
      next("start");
      return say("it starts as soon as its turn comes: a few launches at a time are under way");
    case StateKind::starting:
      next("fail_launch");
      return say(
          "its process exists and has not begun to execute its command; the launch fails " + in() + " if it has not by then",
          {"/start_timeout"});
    case StateKind::stopping:
    case StateKind::killing: return tell_stop();
    case StateKind::draining:
      next("look_again");
      return say(
          "its process is gone; its last output and the processes that it has left are dealt with, then its end is judged");
    case StateKind::exited:
      return say(std::string("nothing follows: it has finished") + (view_.worker.held ? held_too : ""), {"/restart/when"});
    case StateKind::failed: return tell_failed(std::get<Failed>(view_.worker.state).reason);
    case StateKind::stopped:
      if (view_.worker.held && view_.phase == Phase::running) {
        return say("a command has stopped it; it stays down, through a reload as well, until another one starts it");
      }
      return say(view_.phase == Phase::running ? "nothing is due until somebody wants it to run again"
                                               : "nothing is started any more");
  }
}

void Teller::tell_next_start() {
  next("start");
  tell_wait();
  say("it starts " + in());
}

void Teller::tell_wait() {
  const std::uint32_t unhealthy = view_.worker.unhealthy_in_a_row;
  if (unhealthy == 0) {
    return;
  }
  const Duration base = base_delay(policy_, unhealthy);
  std::string text = "it was unhealthy end number " + std::to_string(unhealthy) + " in a row (none lived " +
                     describe_duration(policy_.healthy_after) + "), after which the policy waits " + describe_duration(base);
  if (base == policy_.max_delay && base > policy_.delay) {
    text += ", which is as long as it ever does";
  }
  if (policy_.jitter > 0) {
    text += ", more or less " + std::to_string(std::lround(policy_.jitter * 100)) + " % by chance";
  }
  std::vector<std::string> keys{"/restart/delay", "/restart/healthy_after"};
  if (unhealthy > 1) {
    keys.emplace_back("/restart/factor");
  }
  if (base == policy_.max_delay) {
    keys.emplace_back("/restart/max_delay");
  }
  say(std::move(text), std::move(keys));
}

void Teller::tell_running() {
  if (view_.outdated) {
    say("it still runs with a definition that is no longer in force, and is about to be replaced");
  }
  const Duration lived = now_ - std::get<Running>(view_.worker.state).since;
  if (view_.worker.unhealthy_in_a_row > 0 && lived < policy_.healthy_after) {
    const std::uint32_t early = view_.worker.unhealthy_in_a_row;
    say((early == 1 ? "its last end" : "its last " + count(early, "end")) +
            " came too early; that is forgotten when it has lived " + describe_duration(policy_.healthy_after) + ", in " +
            describe_duration(policy_.healthy_after - lived),
        {"/restart/healthy_after"});
  }
  if (view_.in_line) {
    return say("a rolling restart is under way: it is replaced when those before it are healthy", {"/restart/healthy_after"});
  }
  if (view_.on_trial) {
    return say("its configuration is on trial: unless it lives " + describe_duration(policy_.healthy_after) +
                   (policy_.when == RestartWhen::always ? "" : ", or ends well") + ", the configuration before comes back",
               {"/restart/healthy_after"});
  }
  say(std::string("nothing is due; when it ends, it is ") + (policy_.when == RestartWhen::always ? "restarted"
                                                             : policy_.when == RestartWhen::on_failure
                                                                 ? "restarted unless it exits with success (" + codes() + ")"
                                                                 : "not restarted"),
      {"/restart/when"});
}

void Teller::tell_stop() {
  if (out_.state == StateKind::stopping) {
    next("kill");
    return say("it was sent SIG" + signal_name(view_.spec->stop.signal) + " and may clean up; SIGKILL follows " + in(),
               {"/stop/signal", "/stop/grace"});
  }
  next("give_up");
  const auto [killed, at] = last<KillSent>();
  const bool grace = killed != nullptr && killed->grace && killed->life.incarnation == view_.worker.incarnation;
  say("it was sent SIGKILL" +
          (grace ? ", since it had not stopped within its grace of " + describe_duration(*killed->grace) : std::string()) +
          "; if it is still there " + in() + ", it hangs in the kernel and is given up",
      grace ? std::vector<std::string>{"/stop/grace"} : std::vector<std::string>{});
}

void Teller::tell_failed(FailReason reason) {
  switch (reason) {
    case FailReason::not_restarted:
      return say("it is given up: its end was no success, and with \"" + std::string(word(policy_.when)) +
                     "\" nothing is started again" + (view_.worker.held ? held_too : ""),
                 {"/restart/when", "/restart/then"});
    case FailReason::program_failed:
      return say(view_.worker.held
                     ? std::string("it is given up: its program had more unhealthy ends than its limit allows") + held_too
                     : "it is given up: its program had more unhealthy ends than its limit allows; a changed definition and a "
                       "reload, or a "
                       "start, begin anew",
                 {"/restart/limit", "/restart/then"});
    case FailReason::unkillable: return say("its process could not be killed; the slot stays unused as long as that exists");
    case FailReason::survivors:
      return say("processes that it has started could not be killed; the slot stays unused as long as they exist");
  }
}

}  // namespace corral::core
