// What the loop and the disk thread share: the queue of each log, and the words between them. Inside this room only.
//
// One mutex guards all of it but what is marked as one side's own. Nobody holds it while writing.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/instant.hpp"
#include "supervisor/shell/logs/format.hpp"
#include "supervisor/shell/logs/log_file.hpp"
#include "supervisor/shell/logs/news.hpp"
#include "supervisor/shell/logs/target.hpp"

namespace corral::logs {

/// Lines of one turn, for one file.
struct Batch {
  SharedTarget target;
  std::string bytes;
  std::size_t size = 0;       ///< Of what was handed over; `bytes` changes.
  std::vector<Piece> pieces;  ///< None where bytes are what stands in the file.
};

struct Log {
  // The loop's own.
  SharedTarget target;
  Batch fresh;
  bool touched = false;
  std::vector<WorkerId> waiting;
  Instant full_since = never;
  bool dropping = false;
  std::uint64_t stalled_lines = 0;  ///< Dropped since the disk was found to be too slow.
  std::uint64_t stalled_bytes = 0;

  // Guarded.
  std::deque<Batch> queue;
  bool ready = false;    ///< In Shared::ready.
  bool awaited = false;  ///< Somebody wants to hear that there is room again.
  bool reopens = false;
  bool ends = false;  ///< Its file is closed when everything is written.

  // For both.
  std::atomic<std::size_t> pending = 0;  ///< Bytes handed over and not yet dealt with.
  std::atomic<std::uint64_t> written = 0, dropped_lines = 0, dropped_bytes = 0, rotations = 0;

  // The thread's own.
  LogFile file;
  bool failing = false;
  Instant try_again_at{};
  Instant told_at{};
  Instant removal_told_at{};
  bool told = false;
  std::uint64_t lost_lines = 0;  ///< Not told of yet.
  std::uint64_t lost_bytes = 0;
};

/// So many bytes are worth waking the thread for at once.
inline constexpr std::size_t much = std::size_t{256} * 1024;

using SharedLog = std::shared_ptr<Log>;

struct Shared {
  std::function<void()> news;  ///< Called by the thread: something is there to be taken.
  std::mutex mutex;
  std::condition_variable work;
  std::condition_variable done;
  std::vector<SharedLog> ready;
  std::vector<SharedLog> roomy;  ///< Awaited, and there is room.
  std::vector<Notice> notices;
  std::vector<std::string> spare;     ///< Buffers that need not be made again.
  std::size_t reopening = 0;          ///< Logs that are still to be opened anew.
  bool reopened = false;              ///< All of them are, and nobody has been told.
  std::string reopen_trouble;         ///< Why the last of those that could not be opened could not.
  bool asleep = false;                ///< It waits for anything to do,
  bool pauses = false;                ///< or for much to do.
  std::atomic<bool> hurry = false;    ///< The end is near: no pause.
  std::atomic<bool> leaving = false;  ///< It is here: what cannot be written now is lost.
  bool gone = false;                  ///< The thread has nothing more to do.
  bool heard = false;                 ///< news was called and nothing was taken since.
  std::atomic<std::size_t> pending = 0;
};

}  // namespace corral::logs
