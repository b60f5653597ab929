// What a feed does only where a client gives the tasks.
#include <fmt/format.h>

#include "supervisor/shell/tasks/feed.hpp"

namespace corral::shell {

void Feed::listen_to_client(Instant now) {
  if (client_ == nullptr) {
    return;
  }
  for (const core::CancelAsked& cancelled : client_->take_cancels()) {
    step(now, cancelled);
  }
  const std::optional<Client::End> end = client_->take_end();
  if (end && !dispatcher_.ended()) {
    client_lost_ = end->early || counts().queued + counts().in_work > 0;
    hooks_.say(end->fault, "client_gone", fmt::format("the client {}: its workers are stopped", end->why));
    input_told_ = true;
    step(now, core::DrainAsked{});
    hooks_.judge(core::TasksHalted{});  // Nobody has use for what they do.
  }
}

std::optional<std::uint64_t> Feed::task_of(WorkerId worker) const {
  const auto head = dispatcher_.head(worker.index);
  return head ? std::optional(store_.at(head->slot).number) : std::nullopt;
}

/// What is in work at the end of a turn: of what was begun and done within one its client learns by the answer.
void Feed::tell_begun() {
  if (client_ == nullptr) {
    return;
  }
  told_begun_.resize(dispatcher_.slots());
  for (std::uint32_t worker = 0; worker < dispatcher_.slots(); ++worker) {
    const auto head = dispatcher_.head(worker);
    const auto task = head ? std::optional(head->task) : std::nullopt;
    if (std::exchange(told_begun_[worker], task) != task && head) {
      client_->begun(store_.at(head->slot).number);
    }
  }
}

void Feed::perform(const core::TellBegun& action) {
  if (client_ != nullptr) {
    client_->begun(store_.at(action.slot).number);
  }
}

}  // namespace corral::shell
