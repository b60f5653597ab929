// The sentences for rolling restarts and reloads, and for those that have to prove themselves.
#include <fmt/format.h>

#include <utility>

#include "common/base/units.hpp"
#include "supervisor/shell/events/narrator.hpp"

namespace corral::shell {
namespace {

using namespace core;

std::string workers_in_words(std::uint32_t workers) { return fmt::format("{} worker{}", workers, workers == 1 ? "" : "s"); }

std::string counts_of(const Reloaded& notice) {
  return fmt::format("{} kept, {} replaced, {} started, {} stopped", workers_in_words(notice.kept), notice.replaced,
                     notice.started, notice.stopped);
}

}  // namespace

std::string Narrator::whose(std::optional<ProgramId> of) const { return of ? " of " + std::string(program(*of)) : std::string(); }

Story Narrator::on(const RollBegun& notice) const {
  return {Weight::notable,
          "roll_begun",
          fmt::format("rolling restart of {}{} begins, {} at a time", workers_in_words(notice.workers), whose(notice.program),
                      notice.at_once),
          {},
          {}};
}

Story Narrator::on(const RollEnded& notice) const {
  const CommandOutcome& outcome = notice.outcome;
  if (outcome.kind == CommandOutcome::Kind::done) {
    std::string text =
        fmt::format("rolling restart done: {}{} replaced and healthy", workers_in_words(outcome.workers), whose(notice.program));
    return {Weight::notable, "roll_ended", std::move(text), {}, {}};
  }
  const std::string who = outcome.culprit ? worker(*outcome.culprit) : std::string();
  const std::string why = outcome.kind == CommandOutcome::Kind::failed      ? who + " did not stay up"
                          : outcome.kind == CommandOutcome::Kind::overtaken ? who + " was told something else"
                                                                            : "everything stops";
  return {Weight::trouble,
          "roll_ended",
          fmt::format("rolling restart ended early, since {}: {} replaced and healthy, {} not touched", why,
                      workers_in_words(outcome.workers), outcome.left),
          {},
          {}};
}

Story Narrator::on(const Reloaded& notice) const {
  return {Weight::notable,
          "reloaded",
          (notice.on_trial ? "configuration reloaded, on trial: " : "configuration reloaded: ") + counts_of(notice),
          {},
          {}};
}

Story Narrator::on(const Scaled& notice) const {
  return {Weight::notable,
          "scaled",
          fmt::format("{} has {} now: {}", program(notice.program), workers_in_words(notice.workers), counts_of(notice.counts)),
          {},
          {}};
}

Story Narrator::on(const TrialPassed& notice) const {
  return {Weight::notable,
          "trial_passed",
          fmt::format("the new configuration holds: what it touched is healthy ({})", workers_in_words(notice.workers)),
          {},
          {}};
}

Story Narrator::on(const TrialEnded& notice) const {
  return {Weight::notable,
          "trial_ended",
          notice.why == TrialEnded::Why::reloaded
              ? "the trial is over: another configuration has come, without one"
              : "the trial is over: " + worker(notice.worker) + " was told something else meanwhile",
          {},
          {}};
}

Story Narrator::on(const TrialFailed& notice) const {
  std::string text = fmt::format("the new configuration does not hold: {} did not run for {}; going back to the one before",
                                 worker(notice.life.worker), describe_duration(notice.healthy_after));
  return {Weight::trouble, "trial_failed", std::move(text), {}, {}};
}

Story Narrator::on(const RolledBack& notice) const {
  const std::string counts = counts_of(notice.counts);
  return {Weight::trouble,
          "rolled_back",
          "rolled back to the configuration before: " + counts + "; the file still has the new one",
          {},
          {}};
}

}  // namespace corral::shell
