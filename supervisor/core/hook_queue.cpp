#include "supervisor/core/hook_queue.hpp"

#include <algorithm>

#include "common/base/check.hpp"

namespace corral::core {

bool HookQueue::offer() {
  if (waiting_ >= limits_.waiting) {
    ++dropped_;
    return false;
  }
  ++waiting_;
  return true;
}

HookQueue::Step HookQueue::next(Instant now) {
  if (waiting_ > 0 && now >= end_at_) {
    dropped_ += waiting_;
    waiting_ = 0;
    return Step::drop_rest;
  }
  if (runs_ && !killed_ && now >= std::min(kill_at_, end_at_)) {
    killed_ = true;
    return Step::kill;
  }
  if (!runs_ && waiting_ > 0) {
    --waiting_;
    runs_ = true;
    return Step::launch;
  }
  return Step::nothing;
}

void HookQueue::launched(Instant now) {
  CORRAL_CHECK(runs_);
  kill_at_ = after(now, limits_.timeout);
}

void HookQueue::ended() {
  CORRAL_CHECK(runs_);
  runs_ = false;
  killed_ = false;
  kill_at_ = never;
}

void HookQueue::finish(Instant now) { end_at_ = std::min(end_at_, after(now, limits_.at_the_end)); }

void HookQueue::hurry(Instant now) { end_at_ = std::min(end_at_, now); }

bool HookQueue::is_done(Instant now) const { return (!runs_ && waiting_ == 0) || now >= after(end_at_, limits_.kill); }

Instant HookQueue::next_deadline() const {
  const Instant for_those_who_wait = waiting_ > 0 ? end_at_ : never;
  // After the kill there is only its end to wait for; in the end not for ever.
  const Instant for_the_one = !runs_ ? never : killed_ ? after(end_at_, limits_.kill) : std::min(kill_at_, end_at_);
  return std::min(for_those_who_wait, for_the_one);
}

}  // namespace corral::core
