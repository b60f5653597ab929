// What a task is to those who decide: an id, how often it was tried, how it ended. Its bytes stay in the shell.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/base/instant.hpp"

namespace corral::core {

/// The position of a task in the input, from 0. Never used again.
enum class TaskId : std::uint64_t {};
[[nodiscard]] constexpr std::uint64_t number(TaskId id) { return static_cast<std::uint64_t>(id); }

/// Where the shell keeps the bytes of a task. Used again once the task is recorded or given up.
enum class TaskSlot : std::uint32_t {};
[[nodiscard]] constexpr std::uint32_t number(TaskSlot slot) { return static_cast<std::uint32_t>(slot); }

/// What a worker says to a task that it was given.
enum class Answer : std::uint8_t { result, error, given_back };

/// How a task ends: in exactly one of these, once.
enum class Outcome : std::uint8_t {
  done,
  failed,       ///< Its worker reported an error.
  quarantined,  ///< It took too many workers down, or ran past its timeout.
};

/// What has become of all tasks that were accepted.
struct TaskCounts {
  std::uint64_t accepted = 0;
  std::uint64_t queued = 0;   ///< To be given to a worker, retries included.
  std::uint64_t in_work = 0;  ///< At a worker, prefetched ones included.
  std::uint64_t done = 0;
  std::uint64_t failed = 0;
  std::uint64_t quarantined = 0;
  std::uint64_t left = 0;       ///< Given up unspent, because everything was told to stop.
  std::uint64_t cancelled = 0;  ///< Likewise, because whoever submitted them has no use for them any more.
  std::uint64_t retries = 0;    ///< Attempts beyond each task's first.
  std::uint64_t dropped = 0;    ///< Answers that nobody had asked for, or that came twice.

  [[nodiscard]] std::uint64_t recorded() const { return done + failed + quarantined; }
  /// The law of conservation: nothing is lost, nothing counts twice.
  [[nodiscard]] bool balanced() const { return accepted == queued + in_work + recorded() + left + cancelled; }
};

/// So many tasks that failed or were quarantined end everything.
struct Halt {
  bool at_once = false;        ///< Workers are stopped; otherwise what is in work may end.
  std::uint64_t failures = 1;  ///< At least 1; or, as a share,
  double share = 0;            ///< of those that have ended, once share_counts_from have: above 0 it is this that counts.

  static constexpr std::uint64_t share_counts_from = 10;
};

struct TaskPolicy {
  std::uint32_t retries = 2;                              ///< After a worker's death, beyond the first attempt.
  std::uint32_t retry_errors = 0;                         ///< After an error that the worker reported.
  Duration retry_delay = std::chrono::milliseconds(100);  ///< Before the second retry, twice that before the third, …
  Duration longest_retry_delay = std::chrono::seconds(10);
  std::optional<Duration> timeout;  ///< From the moment at which a worker has nothing else to do.
  /// Instead: that many times the median of the tasks done so far. Not before median_counts_from are, and never less than
  /// least_timeout: of tasks that take microseconds, a busy machine makes some take a hundred times as long.
  std::optional<double> timeout_of_median;
  static constexpr std::uint64_t median_counts_from = 10;
  static constexpr Duration least_timeout = std::chrono::milliseconds(100);
  Duration greet_within = std::chrono::seconds(60);         ///< From its exec to HELLO.
  Duration die_within = std::chrono::seconds(1);            ///< From the end of a channel to that of its process.
  Duration leave_within = std::chrono::seconds(10);         ///< From the end of the tasks to the end of a worker.
  bool each = false;                                        ///< One process for each task: called when there is one.
  bool greets = true;                                       ///< Workers say HELLO; filters that read lines do not.
  bool can_give_back = true;                                ///< Workers understand CANCEL.
  Duration decide_within = std::chrono::milliseconds(200);  ///< From a cancellation to the word of the worker that has the task.
  std::uint32_t most_queued = 1024;                         ///< Accepted and not yet given to a worker. At least 1.
  std::uint32_t widest_window = 256;                        ///< Tasks at one worker. At least 1.
  Duration window_worth = std::chrono::milliseconds(5);     ///< Work that is prefetched, so that no worker waits for a pipe.
  std::optional<std::uint64_t> max_tasks;   ///< A worker is given no more. At least 1. See share_of() for all three.
  std::optional<Duration> max_age;          ///< One that is so old gets nothing more, and its successor is called before.
  std::optional<std::uint64_t> max_memory;  ///< Likewise one that has more, in bytes.
  Duration measure_every = std::chrono::milliseconds(500);  ///< While there is a bound of memory, and work.
  std::optional<Halt> halt;
  /// Workers are replaced before they do harm, and each has two slots: its successor comes before it goes.
  [[nodiscard]] bool relieves() const { return !each && (max_tasks || max_age || max_memory); }
  std::optional<std::uint64_t> order_span;  ///< In order: from the oldest unrecorded task to the newest accepted one.
};

/// How much of a bound a life of a worker gets: up to a tenth less, each another share of it, so that they do not all go at once.
[[nodiscard]] constexpr std::uint64_t share_of(std::uint64_t most, std::uint32_t worker, std::uint64_t incarnation) {
  std::uint64_t mixed = (worker + 1) * 0x9e3779b97f4a7c15ULL ^ incarnation * 0xbf58476d1ce4e5b9ULL;
  mixed = (mixed ^ mixed >> 31U) * 0x94d049bb133111ebULL;
  constexpr std::uint64_t steps = 1024;
  const std::uint64_t step = (mixed >> 32U) % steps;
  const std::uint64_t tenth = most / 10;
  return most - (tenth / steps * step + tenth % steps * step / steps);
}

/// When a worker is old.
[[nodiscard]] constexpr Duration age_of(Duration most, std::uint32_t worker, std::uint64_t incarnation) {
  return Duration(static_cast<Duration::rep>(share_of(static_cast<std::uint64_t>(most.count()), worker, incarnation)));
}

}  // namespace corral::core
