// What most likely is wrong when nothing works at all, or answers cannot belong to their tasks.
#include <fmt/format.h>

#include <utility>

#include "common/base/units.hpp"
#include "supervisor/shell/tasks/feed.hpp"

namespace corral::shell {
namespace {

constexpr std::string_view other_modes =
    "a command that does not speak the task protocol is a filter (--lines: a line in, a line out) or takes its task "
    "as an argument ({} in the command)";

}  // namespace

/// Answers are told apart by their order alone: one too many or too few, and which of the others is right nobody can say.
void Feed::note_miscount(const core::WorkerLost& death) {
  const bool too_few = death.status == ExitStatus(ExitedWith{0}) && !dispatcher_.draining();
  const bool too_many = ever_broken_;
  if ((too_few || too_many) && !std::exchange(miscounted_, true)) {
    hooks_.say(true, "miscounted",
               fmt::format("worker {} did not write exactly one line for each line that it was given: its results may belong to "
                           "other tasks",
                           seat(death.life)));
  }
}

/// Once: what most likely is wrong when nothing works at all.
void Feed::hint_at_modes(Life life, std::string_view what, bool in_trouble) {
  if (std::exchange(hinted_, true)) {
    return;
  }
  std::string text = fmt::format("worker {} {} before it had ", seat(life), what);
  text += options_.mode == TaskMode::frames
              ? fmt::format("said HELLO: {}{}", in_trouble ? "what it has written to stderr may say why; " : "", other_modes)
              : "answered a line: with --lines the command reads lines from stdin and writes one line to stdout for each";
  hooks_.say(true, "no_answer", std::move(text));
}

/// Before anybody loses patience with a worker: whoever sits in front of it should not have to wait for that.
void Feed::hint_at_silence() {
  silent_until_ = never;
  if (!hinted_) {  // Nor is this the hint of a worker that is replaced: that says why.
    hooks_.say(false, "no_answer",
               fmt::format("no worker has said HELLO in {}; one that has much to load is waited for ({}), but {}",
                           describe_duration(longest_silence), describe_duration(options_.policy.greet_within), other_modes));
  }
}

}  // namespace corral::shell
