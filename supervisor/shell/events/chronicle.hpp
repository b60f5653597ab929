// What has happened, for those who ask later and those who listen: a bounded history, and a bounded queue for each listener.
//
// Nothing here waits for anybody: the history forgets its oldest, a listener that does not take what it is given loses it, and
// both say how many. All in the loop's thread. An event is kept as the core told it and costs a hundred-odd bytes; it is put
// into words for whoever takes it, so that a thousand that nobody asks for cost next to nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "supervisor/shell/events/event.hpp"

namespace corral::shell {

struct ChronicleLimits {
  std::size_t events = 1024;
  std::size_t bytes = std::size_t{1} << 20U;
  std::size_t listeners = 64;
};

/// Whom somebody wants to hear of: "crunch" (a program with its workers), "crunch/0", or a pattern such as "crunch/*". Empty: of
/// everybody, and of what concerns no one in particular.
struct EventFilter {
  std::vector<std::string> whom;
  std::vector<std::string> events;  ///< By name; empty: all.

  [[nodiscard]] bool takes(const Event& event, const Narrator& narrator) const;
};

/// An event for whoever listens.
struct EventLine {
  std::uint64_t number = 0;  ///< 0: it tells of a gap, and is none of those that are counted.
  std::string json;          ///< One line without its break.
};

/// What one listener has not taken yet. It ends when whoever holds it lets it go.
class Subscription {
 public:
  /// The next event; nothing when there is none for now. Where some were lost it says so first, in an event
  /// of its own: "events_dropped" with their "count".
  [[nodiscard]] std::optional<EventLine> take();
  [[nodiscard]] std::size_t waiting() const { return queue_.size(); }
  [[nodiscard]] std::uint64_t lost() const { return lost_in_all_; }

 private:
  friend class Chronicle;
  Subscription(EventFilter filter, std::size_t capacity, std::function<void()> wake, const Narrator& narrator)
      : filter_(std::move(filter)), capacity_(capacity), wake_(std::move(wake)), narrator_(narrator) {}
  void offer(const SharedEvent& event);

  EventFilter filter_;
  std::size_t capacity_;
  std::function<void()> wake_;
  const Narrator& narrator_;
  std::deque<SharedEvent> queue_;
  std::uint64_t lost_ = 0;  ///< Since the last that was taken.
  std::uint64_t lost_in_all_ = 0;
};

class Chronicle {
 public:
  using Clock = std::function<Stamp()>;
  /// Of every event, at once: it takes a note and does nothing.
  using Witness = std::function<void(const SharedEvent&)>;

  explicit Chronicle(Narrator narrator, ChronicleLimits limits = {}, Clock clock = stamp_now, Witness witness = {})
      : narrator_(std::move(narrator)), limits_(limits), clock_(std::move(clock)), witness_(std::move(witness)) {}
  Chronicle(const Chronicle&) = delete;
  Chronicle& operator=(const Chronicle&) = delete;

  [[nodiscard]] const Narrator& narrator() const { return narrator_; }

  SharedEvent add(core::Notice notice) { return keep({++last_, clock_(), std::move(notice)}); }
  SharedEvent add(Said said) { return keep({++last_, clock_(), std::move(said)}); }

  /// The latest `most` that the filter takes and that came after number `after`, oldest first.
  [[nodiscard]] std::vector<SharedEvent> find(const EventFilter& filter, std::size_t most = SIZE_MAX,
                                              std::uint64_t after = 0) const;

  /// The same as JSON, each one line. Where the history has forgotten what came after `after`, the first says so:
  /// "history_dropped" with its "count" (of all events, whatever the filter).
  [[nodiscard]] std::vector<std::string> history(const EventFilter& filter, std::size_t most = SIZE_MAX,
                                                 std::uint64_t after = 0) const;

  /// From now on. `wake` is called when something can be taken after nothing could; it must not call back in here. With
  /// `after`, what the history still holds beyond that number comes first. Null where there are too many listeners.
  [[nodiscard]] std::shared_ptr<Subscription> subscribe(EventFilter filter, std::size_t capacity, std::function<void()> wake,
                                                        std::optional<std::uint64_t> after = std::nullopt);

  /// Of the latest event.
  [[nodiscard]] std::uint64_t last() const { return last_; }
  /// Whoever knows of a number that has not been yet has it from a supervisor before this one: of ours he knows nothing.
  [[nodiscard]] std::uint64_t known_of_ours(std::uint64_t after) const { return after > last_ ? 0 : after; }
  /// Events that the history has forgotten.
  [[nodiscard]] std::uint64_t forgotten() const { return last_ - events_.size(); }

 private:
  SharedEvent keep(Event event);

  Narrator narrator_;
  ChronicleLimits limits_;
  Clock clock_;
  Witness witness_;
  std::uint64_t last_ = 0;
  std::deque<SharedEvent> events_;
  std::size_t bytes_ = 0;
  std::vector<std::weak_ptr<Subscription>> listeners_;
};

}  // namespace corral::shell
