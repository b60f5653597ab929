// What a run came to, in figures: how long tasks took, what workers made of their time. In bounded memory.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "supervisor/core/tasks/durations.hpp"
#include "supervisor/core/tasks/task_action.hpp"

namespace corral::shell {

class RunSummary {
 public:
  /// Slots from `workers` on are the second ones of workers that are relieved.
  explicit RunSummary(std::uint32_t workers) : count_(workers) {}
  void launched(Life life, Instant now);
  void lost(const core::WorkerLost& death, Instant now);
  void recorded(const core::RecordTask& record, Instant now) {
    ended_ = now;
    if (record.mishap == core::Mishap::unfit) {
      return;  // No worker was ever at it.
    }
    if (batch_.worker != record.life.worker || batch_.at != now) {
      end_batch();
      batch_ = {record.life.worker, now};
    }
    batch_.sum += record.seconds;
    batch_.longest = std::max(batch_.longest, record.seconds);
    ++batch_.tasks;
  }
  /// Nothing more comes.
  void close() { end_batch(); }

  /// For people, a few lines; none where no task was at a worker.
  [[nodiscard]] std::vector<std::string> lines() const;
  /// For machines: the members of a JSON object.
  [[nodiscard]] std::string members(const core::TaskCounts& counts) const;

 private:
  struct Worker {
    Instant began = never;  ///< Its present life; never: it has none.
    Duration lived{};       ///< All lives that have ended.
    Duration cpu{};
    std::uint64_t tasks = 0;
    /// The share of a core that it used while it lived.
    [[nodiscard]] double use() const {
      return lived > Duration::zero() ? cpu / std::chrono::duration<double, std::nano>(lived) : 0;
    }
  };
  /// Answers that one worker has written at once: what each of them took is not known, only what they took together.
  struct Batch {
    WorkerId worker;
    Instant at = never;
    Duration sum{};
    Duration longest{};
    std::int64_t tasks = 0;
  };
  void end_batch();
  [[nodiscard]] Worker& at(WorkerId worker);
  [[nodiscard]] std::vector<Worker> by_worker() const;
  [[nodiscard]] Duration wall() const { return begun_ == never ? Duration::zero() : ended_ - begun_; }
  [[nodiscard]] double speed_up() const;
  [[nodiscard]] std::string use_line() const;

  std::uint32_t count_;
  std::vector<Worker> workers_;  ///< By slot.
  core::Durations durations_;
  Batch batch_;
  Duration longest_{};
  std::uint64_t tasks_ = 0;
  Duration work_{};        ///< Of the last attempt at each task.
  Instant begun_ = never;  ///< The first worker.
  Instant ended_{};        ///< The last task.
};

}  // namespace corral::shell
