// What it comes to when all is over: the exit status, and a sentence.
#include <fmt/format.h>

#include <cerrno>
#include <csignal>

#include "supervisor/shell/tasks/feed.hpp"

namespace corral::shell {

bool Feed::wait_for_reader(Duration patience) {
  const bool all_written = results_->wait(patience) && reports_->wait(patience);
  if (all_written) {
    look_at_output();  // The last of them may have been too much for the disk.
  }
  return all_written;
}

bool Feed::left_over() const {
  const core::TaskCounts& counts = dispatcher_.counts();
  return counts.left > 0 || counts.queued + counts.in_work > 0 || !input_told_;
}

int Feed::status(int by, int otherwise) const {
  const core::TaskCounts& counts = dispatcher_.counts();
  const bool left = left_over();
  if (left && by != 0) {
    return 128 + by;
  }
  if (left && client_lost_) {
    return 1;
  }
  if (left && output_gone_) {
    return results_->write_error() == EPIPE ? 128 + SIGPIPE : 1;
  }
  if (left) {
    return dispatcher_.proven() ? 1 : 125;
  }
  const std::uint64_t not_done = counts.failed + counts.quarantined + (ledger_ != nullptr ? ledger_->known_failed() : 0);
  if (output_gone_ || miscounted_ || client_lost_ || input_->read_error() != 0 || not_done > 0) {
    return 1;
  }
  return otherwise;
}

std::string Feed::summary() const {
  const core::TaskCounts& counts = dispatcher_.counts();
  std::string text = fmt::format("{} of {} tasks done", counts.done, counts.accepted);
  const auto add = [&](std::uint64_t count, std::string_view what) {
    if (count > 0) {
      text += fmt::format(", {} {}", count, what);
    }
  };
  add(counts.failed, "failed");
  add(counts.quarantined, "quarantined");
  add(counts.retries, counts.retries == 1 ? "retry" : "retries");
  add(counts.dropped, "stray answers dropped");
  const std::uint64_t open = counts.left + counts.queued + counts.in_work;
  if (open > 0 || !input_told_) {
    text += fmt::format("; {} not done{}", open, input_told_ ? "" : ", and what the input may still hold");
  }
  if (output_gone_) {
    text += "; not all of their results were taken";
  }
  if (ledger_ != nullptr && ledger_->known() > 0) {
    text += fmt::format("; {} were recorded before", ledger_->known());
    if (ledger_->known_failed() > 0) {
      text += fmt::format(", {} of them as failed: --retry-failed tries them again", ledger_->known_failed());
    }
  }
  return text;
}

std::optional<std::string> Feed::way_on(int by) const {
  const bool any_done = counts().recorded() > 0 || (ledger_ != nullptr && ledger_->known() > 0);
  if (client_ != nullptr || results_->failure() || (!left_over() && !(ledger_ != nullptr && output_gone_))) {
    return std::nullopt;
  }
  if (!any_done) {  // Where no signal was the cause, what was has been said.
    return by != 0 ? std::optional<std::string>("nothing is done yet: the same command begins again") : std::nullopt;
  }
  if (ledger_ == nullptr) {
    return "what is done now would be done again: with --state FILE the same command goes on where it was stopped";
  }
  if (output_gone_ && results_->write_error() == EPIPE) {
    return fmt::format(
        "the same command goes on where it was stopped, and 'corral map --state {0} --results' prints what is done: '{0}' "
        "knows all of it",
        ledger_->name());
  }
  return fmt::format("the same command goes on where it was stopped: '{}' knows what is done", ledger_->name());
}

void Feed::look_at_output() {
  if (results_->write_error() != 0 && !std::exchange(output_gone_, true)) {
    if (results_->write_error() == EPIPE) {
      hooks_.say(false, "output_failed", "nobody reads the results any more: no further task is begun");
    } else {
      hooks_.say(
          true, "output_failed",
          results_->failure().value_or(
              system_error(fmt::format("cannot write results to {}", options_.output_name), results_->write_error()).message));
    }
    step(now_, core::DrainAsked{});
  }
}

}  // namespace corral::shell
