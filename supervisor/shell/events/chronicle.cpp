#include "supervisor/shell/events/chronicle.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <utility>

namespace corral::shell {
namespace {

std::size_t bytes_of(const Event& event) {
  std::size_t bytes = sizeof(Event);
  if (const auto* said = std::get_if<Said>(&event.what)) {
    bytes += said->text.capacity() + said->members.capacity();
  } else if (const auto* failed = std::get_if<core::LaunchFailed>(event.notice())) {
    bytes += failed->failure.subject.capacity();
  }
  return bytes;
}

bool matches(const std::string& pattern, const std::string& text) { return ::fnmatch(pattern.c_str(), text.c_str(), 0) == 0; }

std::string gap(std::string_view event, std::uint64_t count, std::string_view text) {
  return fmt::format(R"({{"event":"{}","level":"notice","count":{},"text":"{} {}"}})", event, count, count, text);
}

}  // namespace

bool EventFilter::takes(const Event& event, const Narrator& narrator) const {
  if (!events.empty() && std::ranges::find(events, name_of(event)) == events.end()) {
    return false;
  }
  if (whom.empty()) {
    return true;
  }
  const core::Notice* notice = event.notice();
  const std::optional<ProgramId> program = notice != nullptr ? program_of(*notice) : std::nullopt;
  if (!program) {
    return false;
  }
  const std::optional<Life> life = life_of(*notice);
  const std::string of_program(narrator.program(*program));
  const std::string of_worker = life ? narrator.worker(life->worker) : std::string();
  return std::ranges::any_of(whom, [&](const std::string& pattern) {
    // What concerns a program concerns each of its workers.
    return matches(pattern, of_program) ||
           (life ? matches(pattern, of_worker) : matches(pattern.substr(0, pattern.find('/')), of_program));
  });
}

// ---- A listener -----------------------------------------------------------------------------------------------------

void Subscription::offer(const SharedEvent& event) {
  if (!filter_.takes(*event, narrator_)) {
    return;
  }
  if (queue_.size() >= capacity_) {
    queue_.pop_front();  // The latest tell more than the oldest; the gap is where it is.
    ++lost_;
    ++lost_in_all_;
  }
  queue_.push_back(event);
  if (queue_.size() == 1 && wake_) {
    wake_();
  }
}

std::optional<EventLine> Subscription::take() {
  if (const std::uint64_t lost = std::exchange(lost_, 0); lost > 0) {
    return EventLine{0, gap("events_dropped", lost, "events were dropped: they were not taken fast enough")};
  }
  if (queue_.empty()) {
    return std::nullopt;
  }
  const SharedEvent event = std::move(queue_.front());
  queue_.pop_front();
  return EventLine{event->number, to_json(*event, narrator_)};
}

// ---- All of them ----------------------------------------------------------------------------------------------------

SharedEvent Chronicle::keep(Event event) {
  events_.push_back(std::make_shared<const Event>(std::move(event)));
  SharedEvent kept = events_.back();
  if (witness_) {
    witness_(kept);
  }
  bytes_ += bytes_of(*kept);
  while (events_.size() > limits_.events || (bytes_ > limits_.bytes && !events_.empty())) {
    bytes_ -= bytes_of(*events_.front());
    events_.pop_front();
  }
  std::erase_if(listeners_, [&](const std::weak_ptr<Subscription>& listener) {
    const std::shared_ptr<Subscription> there = listener.lock();
    if (there) {
      there->offer(kept);
    }
    return there == nullptr;
  });
  return kept;
}

std::vector<SharedEvent> Chronicle::find(const EventFilter& filter, std::size_t most, std::uint64_t after) const {
  std::vector<SharedEvent> found;
  for (auto event = events_.rbegin(); event != events_.rend() && found.size() < most && (*event)->number > after; ++event) {
    if (filter.takes(**event, narrator_)) {
      found.push_back(*event);
    }
  }
  std::ranges::reverse(found);
  return found;
}

std::vector<std::string> Chronicle::history(const EventFilter& filter, std::size_t most, std::uint64_t after) const {
  std::vector<std::string> lines;
  after = known_of_ours(after);
  const std::vector<SharedEvent> found = find(filter, most, after);
  if (found.size() < most && forgotten() > after) {
    lines.push_back(gap("history_dropped", forgotten() - after, "earlier events are forgotten: the history has a bound"));
  }
  for (const SharedEvent& event : found) {
    lines.push_back(to_json(*event, narrator_));
  }
  return lines;
}

std::shared_ptr<Subscription> Chronicle::subscribe(EventFilter filter, std::size_t capacity, std::function<void()> wake,
                                                   std::optional<std::uint64_t> after) {
  std::erase_if(listeners_, [](const std::weak_ptr<Subscription>& listener) { return listener.expired(); });
  if (listeners_.size() >= limits_.listeners) {
    return nullptr;
  }
  std::shared_ptr<Subscription> listener(
      new Subscription(std::move(filter), std::max<std::size_t>(capacity, 1), std::move(wake), narrator_));
  if (after) {
    after = known_of_ours(*after);
    for (const SharedEvent& event : find({}, SIZE_MAX, *after)) {
      listener->offer(event);
    }
    if (forgotten() > *after) {
      listener->lost_ += forgotten() - *after;
      listener->lost_in_all_ += forgotten() - *after;
    }
  }
  listeners_.push_back(listener);
  return listener;
}

}  // namespace corral::shell
