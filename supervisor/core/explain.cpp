#include "supervisor/core/explain.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/base/signals.hpp"
#include "common/base/units.hpp"
#include "supervisor/core/restart.hpp"

namespace corral::core {
namespace {

std::string count(std::uint32_t number, std::string_view noun) {
  return std::to_string(number).append(" ").append(noun).append(number == 1 ? "" : "s");
}

std::string ago(Instant at, Instant now) { return describe_duration(now - at) + " ago"; }

std::string codes(const RestartPolicy& policy) {
  std::string text;
  for (const int code : policy.success_codes) {
    text += (text.empty() ? "" : ", ") + std::to_string(code);
  }
  return text.empty() ? "none" : text;
}

std::string_view word(RestartWhen when) {
  return when == RestartWhen::always ? "always" : when == RestartWhen::never ? "never" : "on-failure";
}

/// Tells the story of one worker, a sentence at a time.
class Teller {
 public:
  Teller(std::string_view worker, const WorkerView& view, const std::vector<PastNotice>& past)
      : view_(view), policy_(view.spec->restart), past_(past), now_(view.now) {
    out_.worker = worker;
    out_.state = kind(view.worker.state);
  }

  Explanation tell() {
    tell_state();
    if (out_.state != StateKind::running && out_.state != StateKind::starting) {
      tell_why_stopped();
    }
    tell_last_end();
    tell_next();
    tell_limit();
    return std::move(out_);
  }

 private:
  void say(std::string sentence, std::vector<std::string> keys = {}) {
    out_.reasons.push_back({std::move(sentence), std::move(keys)});
  }
  void next(std::string_view what) {
    out_.next.what = what;
    if (view_.worker.due != never) {
      out_.next.in = left();
    }
  }
  [[nodiscard]] Duration left() const { return std::max(view_.worker.due - now_, Duration::zero()); }
  [[nodiscard]] std::string in() const { return left() == Duration::zero() ? "now" : "in " + describe_duration(left()); }

  /// The latest notice of a kind that is about this worker.
  template <class T>
  [[nodiscard]] std::pair<const T*, Instant> last() const {
    for (auto past = past_.rbegin(); past != past_.rend(); ++past) {
      const T* notice = std::get_if<T>(past->notice);
      if constexpr (requires { notice->life; }) {
        if (notice != nullptr && notice->life.worker == view_.id) {
          return {notice, past->at};
        }
      } else if (notice != nullptr) {
        return {notice, past->at};
      }
    }
    return {nullptr, Instant{}};
  }

  void tell_state();
  void tell_why_stopped();
  void tell_last_end();
  void tell_judgement(const ExitStatus& status, bool success);
  void tell_next();
  void tell_next_start();
  void tell_wait();
  void tell_running();
  void tell_stop();
  void tell_failed(FailReason reason);
  void tell_limit();

  const WorkerView& view_;
  const RestartPolicy& policy_;
  const std::vector<PastNotice>& past_;
  Instant now_;
  Explanation out_;
};

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
  switch (sent->why) {
    case StopWhy::asked: return say("it was told to stop " + ago(at, now_));
    case StopWhy::replaced: return say("it was told to stop " + ago(at, now_) + ", so that another life can take its place");
    case StopWhy::retired: return say("it was told to stop " + ago(at, now_) + ", since it is no longer configured");
    case StopWhy::program_failed:
      return say("it was told to stop " + ago(at, now_) + ", since its program has failed", {"/restart/limit"});
  }
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
    const Verdict::Kind follows = ended->verdict.kind;
    if (follows != Verdict::Kind::stopped && follows != Verdict::Kind::replaced && follows != Verdict::Kind::restarted) {
      tell_judgement(ended->status, ended->success);
    }
  }
}

void Teller::tell_judgement(const ExitStatus& status, bool success) {
  if (policy_.when == RestartWhen::on_failure) {
    const std::string why =
        status.exited() != nullptr ? "success is to exit with " + codes(policy_) : "a death by signal is no success";
    say((success ? "that counts as success, and only what fails is restarted: "
                 : "that counts as failure, and what fails is restarted: ") +
            why,
        {"/restart/when", "/restart/success_codes"});
  } else {
    say(policy_.when == RestartWhen::always ? "its policy restarts it whatever its end" : "its policy never restarts it",
        {"/restart/when"});
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
    case StateKind::exited: return say("nothing follows: it has finished", {"/restart/when"});
    case StateKind::failed: return tell_failed(std::get<Failed>(view_.worker.state).reason);
    case StateKind::stopped:
      if (view_.held && view_.phase == Phase::running) {
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
  if (view_.on_trial) {
    return say("its configuration is on trial: unless it lives " + describe_duration(policy_.healthy_after) +
                   ", or ends well, the configuration before comes back",
               {"/restart/healthy_after"});
  }
  say(std::string("nothing is due; when it ends, it is ") +
          (policy_.when == RestartWhen::always       ? "restarted"
           : policy_.when == RestartWhen::on_failure ? "restarted unless it exits with success (" + codes(policy_) + ")"
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
      return say(
          "it is given up: its end was no success, and with \"" + std::string(word(policy_.when)) + "\" nothing is started again",
          {"/restart/when", "/restart/then"});
    case FailReason::program_failed:
      return say(
          "it is given up: its program had more unhealthy ends than its limit allows; a changed definition and a reload, or a "
          "start, "
          "begin anew",
          {"/restart/limit", "/restart/then"});
    case FailReason::unkillable: return say("its process could not be killed; the slot stays unused as long as that exists");
    case FailReason::survivors:
      return say("processes that it has started could not be killed; the slot stays unused as long as they exist");
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

}  // namespace

Explanation explain(std::string_view worker, const WorkerView& view, const std::vector<PastNotice>& past) {
  return Teller(worker, view, past).tell();
}

}  // namespace corral::core
