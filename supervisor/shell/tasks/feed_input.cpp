// How tasks come in: no faster than workers work and results are read.
#include <fmt/format.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/units.hpp"
#include "supervisor/shell/tasks/feed.hpp"

namespace corral::shell {
namespace {

/// Bytes of tasks that are held at once; one task may be longer.
constexpr std::size_t most_held = std::size_t{16} << 20U;
/// To look whether results pile up costs as much as a small task.
constexpr int tasks_a_look = 64;

}  // namespace

void Feed::proceed(Instant now) {
  look_at_output();
  listen_to_client(now);
  if (ledger_ != nullptr && ledger_->known() > 0) {
    begin(now);  // Of processes for one task there may be none for long.
  }
  while (!input_told_ && dispatcher_.room() > 0 && store_.bytes() < most_held && !congested() && results_->held() < most_held) {
    for (int left = tasks_a_look; left > 0 && !input_told_ && dispatcher_.room() > 0 && store_.bytes() < most_held; --left) {
      if (!take_one(now)) {
        return;
      }
    }
  }
}

/// False where there is none now.
bool Feed::take_one(Instant now) {
  std::optional<InputLine> line = counts().accepted == options_.limit ? std::nullopt : input_->next();
  if (!line) {
    if (counts().accepted == options_.limit || input_->ended()) {
      end_input(now);
    }
    return false;
  }
  if (line->bytes.empty() && !line->too_long && options_.mode == TaskMode::frames && client_ == nullptr) {
    return true;  // An empty line is no JSON, and no task either.
  }
  const bool unfit = line->too_long || (options_.mode == TaskMode::each && line->bytes.find('\0') != std::string_view::npos);
  const std::uint64_t number = line->number;
  const core::TaskSlot slot = store_.put(std::move(*line));
  if (client_ != nullptr) {
    client_->accepted(number, slot, core::TaskId{counts().accepted});
  }
  step(now, core::TaskSubmitted{slot, unfit});
  return true;
}

void Feed::end_input(Instant now) {
  input_told_ = true;
  if (input_->ended() && input_->read_error() != 0) {
    hooks_.say(true, "input_failed",
               system_error(fmt::format("cannot read {}", options_.input_name), input_->read_error()).message);
  }
  step(now, core::InputEnded{});
}

std::string Feed::why_unfit(core::TaskSlot slot) const {
  const bool is_argument = options_.mode == TaskMode::each;
  const std::string_view way_on =
      is_argument ? "; with --lines a command reads it from its stdin" : "; a file that it names may be";
  if (!store_.at(slot).too_long) {
    return fmt::format("holds a NUL, which no argument can{}", way_on);
  }
  return fmt::format("is longer than the {} that {}{}", describe_size(options_.longest_task),
                     is_argument ? "an argument may have" : "a task may have (--max-payload)", way_on);
}

}  // namespace corral::shell
