#include "supervisor/core/explain.hpp"

#include <csignal>
#include <utility>

#include "common/base/units.hpp"
#include "supervisor/core/teller.hpp"

namespace corral::core {
namespace {

std::string ago(Instant at, Instant now) { return describe_duration(now - at) + " ago"; }

/// What was said of a stop, where that is still so.
std::string_view what_for(StopWhy why) {
  switch (why) {
    case StopWhy::asked: return "";
    case StopWhy::restarted: return ", so that another life can take its place";
    case StopWhy::replaced: return ", so that another life can take its place: its definition or its cores have changed";
    case StopWhy::retired: return ", since it is no longer configured";
    case StopWhy::program_failed: return ", since its program has failed";
  }
  return "";
}

/// And where it has changed since.
std::string_view what_since(StopWhy why) {
  switch (why) {
    case StopWhy::asked: return "; since then it was told to stay down";
    case StopWhy::restarted:
    case StopWhy::replaced: return "; since then it was told to come back: another life follows when this one is gone";
    case StopWhy::retired: return "; since then it has left the configuration";
    case StopWhy::program_failed: return "; since then its program has failed";
  }
  return "";
}

}  // namespace

Explanation Teller::tell() {
  tell_state();
  if (out_.state != StateKind::running && out_.state != StateKind::starting) {
    tell_why_stopped();
  }
  tell_last_end();
  tell_next();
  tell_limit();
  return std::move(out_);
}

std::string Teller::codes() const {
  std::string text;
  for (const int code : policy_.success_codes) {
    text += (text.empty() ? "" : ", ") + std::to_string(code);
  }
  return text.empty() ? "none" : text;
}

void Teller::tell_state() {
  std::string text = out_.worker + " is " + std::string(name(out_.state));
  if (view_.worker.pid != 0) {
    text += ", pid " + std::to_string(view_.worker.pid);
  }
  if (const auto* running = std::get_if<Running>(&view_.worker.state)) {
    text += ", for " + describe_duration(now_ - running->since);
  }
  if (number(view_.worker.incarnation) != 0) {
    text += "; incarnation " + std::to_string(number(view_.worker.incarnation)) + ", " + count(view_.worker.restarts, "restart");
  }
  say(std::move(text));
}

void Teller::tell_why_stopped() {
  if (const auto [begun, at] = last<ShutdownBegun>(); begun != nullptr && view_.phase != Phase::running) {
    say("everything is being stopped since " + describe_duration(now_ - at) + ": " + describe(begun->cause));
    return;
  }
  const auto [sent, at] = last<StopSignalled>();
  if (sent == nullptr || sent->life.incarnation != view_.worker.incarnation) {
    return;
  }
  const StopWhy now = view_.stop_why;
  say("it was told to stop " + ago(at, now_) + std::string(now == sent->why ? what_for(now) : what_since(now)),
      now == StopWhy::program_failed ? std::vector<std::string>{"/restart/limit"} : std::vector<std::string>{});
}

void Teller::tell_last_end() {
  const auto [ended, ended_at] = last<Ended>();
  const auto [failed, failed_at] = last<LaunchFailed>();
  if (failed != nullptr && (ended == nullptr || failed_at >= ended_at)) {
    say("its last launch failed " + ago(failed_at, now_) + ": " + describe(failed->failure) +
        "; that is an unhealthy end like any other");
  } else if (ended != nullptr) {
    say("its life number " + std::to_string(number(ended->life.incarnation)) + " " +
        (ended->status.killed() != nullptr ? "was " : "") + describe(ended->status) +
        (ended->out_of_memory ? " by the kernel, for lack of memory," : "") + " " + ago(ended_at, now_) + ", after " +
        describe_duration(ended->lived));
    tell_who_killed(*ended);
    const Verdict::Kind follows = ended->verdict.kind;
    if (follows != Verdict::Kind::stopped && follows != Verdict::Kind::replaced && follows != Verdict::Kind::restarted) {
      const bool is_judged_so = would_judge_so(*ended);
      tell_of_reload_since(ended_at, is_judged_so);
      if (is_judged_so) {
        tell_judgement(ended->status, ended->success);
      }
    }
  }
}

/// The policy that is in force makes the same of it as the one that was when it came.
bool Teller::would_judge_so(const Ended& ended) const {
  const Verdict::Kind follows = ended.verdict.kind;
  const bool was_to_restart = follows == Verdict::Kind::restart || follows == Verdict::Kind::program_failed;
  return is_success(policy_, ended.status) == ended.success &&
         (follows == Verdict::Kind::survivors || wants_restart(policy_, ended.status) == was_to_restart);
}

/// A rollback has brought it back; another reload is of interest where it has changed the rules.
void Teller::tell_of_reload_since(Instant end, bool same_rules) {
  const auto [rolled_back, back_at] = last<RolledBack>();
  const auto [reloaded, at] = last<Reloaded>();
  if (rolled_back != nullptr && back_at >= end && (reloaded == nullptr || back_at >= at)) {
    say("that was under a configuration on trial; the one before came back " + ago(back_at, now_));
  } else if (reloaded != nullptr && at > end && !same_rules) {
    say("the configuration was reloaded after that, " + ago(at, now_) + ", and has other rules now");
  }
}

/// Whether it was we who sent what it died of.
void Teller::tell_who_killed(const Ended& ended) {
  const auto [sent, at] = last<KillSent>();
  const bool was_killed = ended.status.killed() != nullptr && ended.status.killed()->signal == SIGKILL && !ended.out_of_memory;
  if (!was_killed || sent == nullptr || sent->life.incarnation != ended.life.incarnation) {
    return;
  }
  if (sent->grace) {
    say("that signal was corral's: it had not stopped within its grace of " + describe_duration(*sent->grace), {"/stop/grace"});
  } else {
    say("that signal was corral's");
  }
}

void Teller::tell_judgement(const ExitStatus& status, bool success) {
  if (policy_.when == RestartWhen::on_failure) {
    const std::string why = status.exited() != nullptr ? "success is to exit with " + codes() : "a death by signal is no success";
    say((success ? "that counts as success, and only what fails is restarted: "
                 : "that counts as failure, and what fails is restarted: ") +
            why,
        {"/restart/when", "/restart/success_codes"});
  } else {
    say(policy_.when == RestartWhen::always ? "its policy restarts it whatever its end" : "its policy never restarts it",
        {"/restart/when"});
  }
}

/// How near the program is to being given up.
void Teller::tell_limit() {
  if (!policy_.limit || policy_.when == RestartWhen::never || view_.program_failed || view_.unhealthy_exits == 0) {
    return;
  }
  const RestartLimit& limit = *policy_.limit;
  say("its program has had " + count(view_.unhealthy_exits, "unhealthy end") + " within " + describe_duration(limit.within) +
          "; with " + std::to_string(limit.restarts + 1) + " it fails" +
          (view_.window_ends == never || view_.window_ends <= now_
               ? std::string()
               : "; the oldest is forgotten in " + describe_duration(view_.window_ends - now_)),
      {"/restart/limit/restarts", "/restart/limit/within"});
}

Explanation explain(std::string_view worker, const WorkerView& view, const std::vector<PastNotice>& past) {
  return Teller(worker, view, past).tell();
}

}  // namespace corral::core
