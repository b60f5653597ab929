// A worker as the dispatcher sees it. Each state has its data and its one deadline; leaving it forgets both.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <variant>

#include "common/base/ids.hpp"
#include "supervisor/core/tasks/task.hpp"

namespace corral::core {

/// No process that could be given a task.
struct Vacant {};

/// Its slot cannot be used: a process that cannot be killed is in the way.
struct Closed {};

/// One process for each task: there is none, and it is waited for a task.
struct Idle {};

/// A process was asked for, for this task.
struct Called {
  TaskSlot slot{};
};

/// Its program executes; it has not said HELLO.
struct Greeting {
  Instant greet_by;
};

/// Fresh, and kept for a task that has taken another worker down, until that may be tried again.
struct Holding {
  TaskSlot suspect{};
  Instant begin_at;
};

/// It gets tasks.
struct Serving {
  std::deque<TaskSlot> in_work;  ///< In the order in which they were given; the front one is being worked on.
  Instant head_since = never;    ///< Since when the front one is.
  Instant heard = never;         ///< Likewise, or of its last PROGRESS: its timeout counts from then.
  Instant closed_by = never;     ///< Its channel is closed: by then its end must have come too.
  std::uint64_t given = 0;       ///< Tasks in all, but for those that it has given back.
  std::uint32_t least = 1;       ///< The window is at least that wide: for filters that hold their output back.
  bool untouched = true;         ///< It never had a task: as fresh as on its first day.
  bool alone = false;            ///< What it has takes workers down: it gets nothing else meanwhile.
  bool going = false;            ///< It gave a task back unasked: it is on its way out, and gets nothing more.
  bool flushing = false;         ///< Its input is closed: it answers what it has, and ends.
};

/// It could get tasks, and does when the one that it is to follow has none any more.
struct Warm {};

/// It was told that no more tasks come, or its input is closed and it has answered all it had: it ends by itself.
struct Leaving {
  Instant stop_at;
  bool stopped = false;  ///< It was asked to; nothing is due any more.
};

/// It is being replaced: whatever it says is no longer heard.
struct Condemned {};

using LaneState = std::variant<Vacant, Closed, Idle, Called, Greeting, Holding, Serving, Warm, Leaving, Condemned>;

struct Lane {
  WorkerId worker;
  Incarnation incarnation{};
  LaneState state = Vacant{};
  bool greeted = false;
  bool vouched = false;
  Instant called_at = never;  ///< When a process was asked for.
  Instant old_at = never;     ///< Then its successor is called,
  Instant spent_at = never;   ///< and then, or before that when its successor has come, it gets nothing more.
  bool wanted = true;         ///< Whatever becomes of its process, another one follows in this slot.
  bool worn = false;          ///< It is old, or has much memory: it goes on until its successor has come.
  bool spent = false;         ///< It gets nothing more.
  bool hungry = false;        ///< Has an entry in the list of those who would take more.

  [[nodiscard]] Life life() const { return {worker, incarnation}; }
  /// It is the one of its worker's slots that tasks go to.
  [[nodiscard]] bool on_duty() const { return std::holds_alternative<Serving>(state) || std::holds_alternative<Holding>(state); }
};

}  // namespace corral::core
