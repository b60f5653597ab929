// The logs of all workers, as the loop sees them: lines go in, a thread of their own writes them, and nobody waits for a disk.
//
// Every queue is bounded. Where one is full, write() says so and the caller reads no more of that worker; take() tells when it
// may go on. How long that may last, and what happens then, is said by the program's `when_full`. Bytes that came in are
// written or counted as dropped. Called from one thread. What it must not do: read pipes, start or stop anything, print.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/instant.hpp"
#include "supervisor/core/log_spec.hpp"
#include "supervisor/shell/logs/news.hpp"

namespace corral::logs {

struct Log;
struct Shared;

/// What was read from a worker: whole lines, or a piece of one that goes on.
struct Output {
  WorkerId worker;
  bool err = false;
  bool goes_on = false;
  std::string_view bytes;
};

struct Counts {
  std::uint64_t written_bytes = 0;
  std::uint64_t dropped_lines = 0;
  std::uint64_t dropped_bytes = 0;
  std::uint64_t rotations = 0;
};

class LogFiles {
 public:
  /// `news` is called from the thread; take() then has something.
  explicit LogFiles(std::function<void()> news);
  LogFiles(const LogFiles&) = delete;
  LogFiles& operator=(const LogFiles&) = delete;
  ~LogFiles();

  /// From now on: what comes later goes where `spec` says. What came before goes where it was meant to.
  void define(ProgramId program, const std::string& name, const core::LogSpec& spec, std::uint32_t workers);
  void forget(ProgramId program);

  /// Whether its lines go to a file.
  [[nodiscard]] bool takes(WorkerId worker) const;

  /// True where the queue is full: nothing more should be read of this worker until take() names it.
  [[nodiscard]] bool write(Instant now, const Output& output);
  /// Once a turn.
  void flush();
  [[nodiscard]] News take();

  /// When workers have waited long enough for a disk, where they do not wait for ever.
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  void pass_deadline(Instant now);

  /// All files are opened anew under their names: somebody else may have put them aside. False where none is open; otherwise
  /// take() says when it is done.
  [[nodiscard]] bool reopen();

  /// The end: waits at most that long. What could not be written is dropped, counted and told of by take().
  void finish(Duration patience);

  /// Of all files that a program has had.
  [[nodiscard]] Counts counts(ProgramId program) const;

 private:
  struct Program;
  using SharedLog = std::shared_ptr<Log>;
  [[nodiscard]] const SharedLog& log_of(Program& program, WorkerId worker, bool err);
  [[nodiscard]] bool is_dropped(Log& log, std::string_view bytes);
  void hand_over(const SharedLog& log);
  void catch_up(Log& log);
  void let_wait_no_more(Log& log);
  void end(Program& program, const SharedLog& log);
  void tell_of_losses(bool gone);
  void begin();

  std::shared_ptr<Shared> shared_;
  std::vector<std::unique_ptr<Program>> programs_;  ///< By number.
  std::vector<SharedLog> touched_;
  std::vector<SharedLog> full_;  ///< Somebody waits for them.
  News news_;
  std::size_t most_ = 0;  ///< What one log may hold.
  std::size_t logs_ = 0;
  bool finished_ = false;
  std::thread thread_;
};

}  // namespace corral::logs
