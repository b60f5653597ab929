// The thread that writes log files: takes what the loop has queued, and nobody waits for it.
#pragma once

#include <memory>

#include "supervisor/shell/logs/compressor.hpp"
#include "supervisor/shell/logs/queue.hpp"

namespace corral::logs {

class DiskThread {
 public:
  explicit DiskThread(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  /// Until Shared::leaving and nothing is left that can be written.
  void run();

 private:
  using Lock = std::unique_lock<std::mutex>;
  void serve(const SharedLog& log, Lock& lock);
  void reopen(Log& log);
  bool write_batch(Log& log, Batch& batch);
  void settle(const SharedLog& log, Batch batch);
  void fail(Log& log, const Error& error, std::string_view left);
  void recover(Log& log);
  void tell(bool trouble, std::string_view event, std::string text);
  void sleep(Lock& lock, std::size_t served);
  [[nodiscard]] Instant next_try() const;

  std::shared_ptr<Shared> shared_;
  std::string formatted_;
  std::vector<SharedLog> blocked_;  ///< What they hold is tried again later.
  std::vector<Notice> notices_;
  Compressor compressor_;
};

}  // namespace corral::logs
