// The disk thread of a state: looks lines up and records tasks, in batches, so that nobody else waits for a disk.
//
// Called from one thread, and never waits but in finish(). Its queues are bounded by whoever uses it: one look-up of lines at a
// time or two, and no more tasks while pending() is much. What it has done comes back by take(), after `news`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "supervisor/shell/state/state_file.hpp"

namespace corral::state {

struct RecorderOptions {
  std::shared_ptr<StateFile> file;
  RunFacts run;
  std::optional<int> results;  ///< A regular file that shall hold what the rows say; the caller's, open as long as this lives.
  bool retry_failed = false;   ///< What has failed is not known.
};

/// Lines to be looked up.
struct Lines {
  struct Line {
    std::string_view bytes;
    bool too_long = false;
  };
  std::vector<Line> lines;
  std::shared_ptr<const void> owner;  ///< Of the bytes.
};

struct Finding {
  TaskKey key;
  bool known = false;   ///< It was recorded before.
  bool failed = false;  ///< Known, and not done.
};

class Recorder {
 public:
  /// `news` is called from the thread; take() then has something.
  Recorder(RecorderOptions options, std::function<void()> news);
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  ~Recorder();

  void look_up(Lines lines);
  /// The next tasks that have failed before, for News::failed; none: there are no more.
  void look_for_failed();
  void record(TaskRow row);
  /// Once a turn.
  void flush();

  struct News {
    std::vector<std::vector<Finding>> findings;  ///< Of the oldest look-ups.
    std::vector<std::vector<FailedTask>> failed;
    std::string committed;             ///< What results that are on the disk now say, where no file takes them.
    std::vector<std::string> notices;  ///< For people.
  };
  [[nodiscard]] News take();
  /// Bytes of tasks that are not on the disk yet.
  [[nodiscard]] std::size_t pending() const;
  /// Nothing is recorded any more.
  [[nodiscard]] std::optional<Error> failure() const;
  /// Everything is on the disk and the file closed, or has failed. Waits at most that long, and may be called again.
  [[nodiscard]] bool finish(std::optional<std::uint64_t> open, Duration patience);

 private:
  struct Shared;
  class Worker;
  std::shared_ptr<Shared> shared_;
  std::vector<TaskRow> fresh_;
  std::size_t fresh_bytes_ = 0;
};

}  // namespace corral::state
