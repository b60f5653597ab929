#include "supervisor/shell/status_desk.hpp"

#include <utility>

namespace corral::shell {
namespace {

/// Processor time and memory may be as old as that.
constexpr Duration figures_are_young = std::chrono::milliseconds(100);

}  // namespace

void StatusDesk::ask(std::uint64_t generation, Instant now, api::Answer answer) {
  if (seen_ && seen_->generation == generation && now - seen_->at < figures_are_young) {
    return answer(seen_->status);
  }
  waiting_.push_back({generation, std::move(answer)});
  if (!looks_) {
    look();
  }
}

void StatusDesk::show(std::uint64_t generation, Instant at, control::Reply status) {
  looks_ = false;
  seen_ = Seen{generation, at, std::move(status)};
  for (Waiting& one : std::exchange(waiting_, {})) {
    if (one.generation <= generation) {
      one.answer(seen_->status);
    } else {
      waiting_.push_back(std::move(one));
    }
  }
  if (!waiting_.empty()) {
    look();
  }
}

void StatusDesk::look() {
  looks_ = true;
  look_();
}

}  // namespace corral::shell
