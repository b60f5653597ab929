// What is said of an end, of a stop, and to whoever asks why: it has to be true.
#include <algorithm>
#include <csignal>

#include "supervisor/core/crash.hpp"
#include "tests/simulation/checker.hpp"

namespace corral::simulation {

using namespace core;

namespace {

/// What comes next of itself, and when.
struct Due {
  std::string_view what;
  std::optional<Instant> at;
};

Due due_of(const State& state) {
  switch (kind(state)) {
    case StateKind::waiting: return {"start", {}};
    case StateKind::backoff: return {"start", std::get<Backoff>(state).until};
    case StateKind::starting: return {"fail_launch", std::get<Starting>(state).ready_by};
    case StateKind::stopping: return {"kill", std::get<Stopping>(state).kill_at};
    case StateKind::killing: return {"give_up", std::get<Killing>(state).give_up_at};
    case StateKind::draining: return {"look_again", {}};
    case StateKind::stopped:
    case StateKind::running:
    case StateKind::exited:
    case StateKind::failed: return {"", {}};
  }
  return {"", {}};
}

bool asked_for(Verdict::Kind kind) {
  return kind == Verdict::Kind::stopped || kind == Verdict::Kind::replaced || kind == Verdict::Kind::restarted;
}

}  // namespace

/// Before the end has changed what is known of the slot.
void Checker::check_end(const Ended& ended) {
  const PlannedProgram& planned = last_known(ended.life.worker.program);
  const RestartPolicy& policy = planned.spec.restart;
  const ExitedWith* exited = ended.status.exited();
  const bool success = exited != nullptr && std::ranges::count(policy.success_codes, exited->code) > 0;
  if (ended.verdict.kind == Verdict::Kind::survivors) {
    require(is_abnormal(ended), "who leaves processes behind that cannot be killed has not ended well");
    return;
  }
  require(ended.success == success, "an end is said to be a success when the policy says so");
  const KilledBy* killed = ended.status.killed();
  const bool fault = ended.out_of_memory ||
                     (killed != nullptr && (killed->core_dumped || killed->signal == SIGSEGV || killed->signal == SIGABRT));
  require(!fault || is_abnormal(ended), "a fault is recorded, whatever was asked for");
  require(asked_for(ended.verdict.kind) || is_abnormal(ended) == !success, "who fails is recorded, and who succeeds is not");
  require(!asked_for(ended.verdict.kind) || exited == nullptr || !is_abnormal(ended), "who ends as asked is not recorded");
}

/// Afterwards.
void Checker::check_unhealthy(Life life, const Verdict& verdict, std::uint32_t said) {
  require(verdict.kind != Verdict::Kind::restart || said == slot(life.worker).unhealthy,
          "an end says how many unhealthy ones in a row it makes");
}

void Checker::check_stop(const StopSignalled& stop) {
  const PlannedProgram* planned = program(stop.life.worker.program);
  const bool failed = failed_programs_.contains(stop.life.worker.program);
  const bool leaves = planned == nullptr || stop.life.worker.index >= planned->workers();
  const Slot& known = slot(stop.life.worker);
  const bool judged = known.unwanted || known.to_stop || tasks_ended_ || scenario_.transparent;
  require(failed == (stop.why == StopWhy::program_failed), "who is stopped for its program is told so");
  require(failed || leaves == (stop.why == StopWhy::retired), "who leaves the configuration is told so");
  require(failed || leaves || judged || stop.why == StopWhy::replaced || stop.why == StopWhy::restarted,
          "who is stopped for a new definition is told so");
}

void Checker::check_explanation(Instant now, const WorkerView& view, const WorkerSnapshot& seen, const Explanation& told) {
  const Due due = due_of(seen.state);
  require(told.state == kind(seen.state) && kind(view.worker.state) == kind(seen.state),
          "an explanation is of the state that is");
  require(!told.reasons.empty() && told.reasons.front().sentence.find(name(told.state)) != std::string::npos,
          "an explanation begins with the state");
  require(told.next.what == due.what, "an explanation says what comes next");
  require(!due.at || told.next.in == std::max(*due.at - now, Duration::zero()), "an explanation says when that comes");
  const bool waits = kind(seen.state) == StateKind::backoff;
  const bool names_delay = std::ranges::any_of(
      told.reasons, [](const Reason& reason) { return std::ranges::find(reason.keys, "/restart/delay") != reason.keys.end(); });
  require(waits && seen.unhealthy_in_a_row > 0 ? names_delay : !names_delay, "the wait's keys are named when it waits");
  if (view.spec->restart.limit && !view.program_failed) {
    const std::vector<Instant>& exits = unhealthy_exits_[view.id.program];
    const Duration within = view.spec->restart.limit->within;
    const auto recent = std::ranges::count_if(exits, [&](Instant at) { return now - at < within; });
    require(view.unhealthy_exits == static_cast<std::uint32_t>(recent), "the use of the limit is told as it is");
  }
}

}  // namespace corral::simulation
