#include "supervisor/shell/state/recorder.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <variant>

#include "common/base/instant.hpp"
#include "supervisor/shell/state/recorder_work.hpp"

namespace corral::state {

namespace {
constexpr std::size_t enough_rows = 2048;                        // So many are committed at once.
constexpr Duration longest_wait = std::chrono::milliseconds(5);  // Or so long after the last commit.
struct FailedAsked {};
}  // namespace

struct Recorder::Shared {
  RecorderOptions options;
  std::function<void()> news;
  std::mutex mutex;
  std::condition_variable work;
  std::condition_variable done;
  std::deque<std::variant<Lines, FailedAsked>> questions;
  std::vector<TaskRow> rows;
  std::atomic<std::size_t> pending = 0;
  News told;
  bool waiting_long = false;  ///< The thread sleeps until somebody wakes it.
  bool leaving = false;       ///< Nobody listens any more.
  bool closed = false;
  std::optional<std::uint64_t> open;
  std::optional<Error> failure;
  std::atomic<bool> finishing = false;
  std::atomic<bool> failed = false;
};

/// What the thread does. It touches nothing but what it shares, and may outlive the recorder while it hangs in the kernel.
class Recorder::Worker {
 public:
  explicit Worker(std::shared_ptr<Shared> shared) : shared_(std::move(shared)), work_(shared_->options, shared_->finishing) {}

  void run() {
    Result<void> going = work_.begin();
    std::unique_lock lock(shared_->mutex);
    tell_notices();
    while (going && !shared_->leaving && !(shared_->finishing && shared_->rows.empty())) {
      if (!shared_->questions.empty() && !shared_->finishing) {
        going = answer(lock);
      } else if (ready_to_commit()) {
        going = commit(lock);
      } else {
        sleep(lock);
      }
    }
    finish(lock, std::move(going));
  }

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] bool ready_to_commit() const {
    return !shared_->rows.empty() &&
           (shared_->finishing || shared_->rows.size() >= enough_rows || Clock::now() >= committed_at_ + longest_wait);
  }

  void sleep(std::unique_lock<std::mutex>& lock) {
    const auto called = [this] { return shared_->leaving || shared_->finishing || !shared_->questions.empty(); };
    if (shared_->rows.empty()) {
      shared_->waiting_long = true;
      shared_->work.wait(lock, [&] { return called() || !shared_->rows.empty(); });
      shared_->waiting_long = false;
    } else {
      shared_->work.wait_until(lock, committed_at_ + longest_wait, [&] { return called() || ready_to_commit(); });
    }
  }

  [[nodiscard]] Result<void> answer(std::unique_lock<std::mutex>& lock) {
    auto question = std::move(shared_->questions.front());
    shared_->questions.pop_front();
    lock.unlock();
    if (const Lines* lines = std::get_if<Lines>(&question)) {
      auto found = work_.look_up(*lines);
      lock.lock();
      if (!found) {
        return std::unexpected(std::move(found.error()));
      }
      shared_->told.findings.push_back(std::move(*found));
    } else {
      auto failed = work_.next_failed();
      lock.lock();
      if (!failed) {
        return std::unexpected(std::move(failed.error()));
      }
      shared_->told.failed.push_back(std::move(*failed));
    }
    tell();
    return {};
  }

  [[nodiscard]] Result<void> commit(std::unique_lock<std::mutex>& lock) {
    std::vector<TaskRow> rows = std::exchange(shared_->rows, {});
    lock.unlock();
    std::string text;
    std::size_t bytes = 0;
    for (const TaskRow& row : rows) {
      text += row.written();
      bytes += row.size();
    }
    Result<void> done = work_.record(rows, text);
    committed_at_ = Clock::now();
    lock.lock();
    if (!done) {
      return done;
    }
    shared_->pending -= bytes;
    if (!shared_->options.results) {
      shared_->told.committed += text;
    }
    tell();
    return {};
  }

  void tell_notices() {
    shared_->told.notices = work_.take_notices();
    if (!shared_->told.notices.empty()) {
      tell();
    }
  }

  void tell() {
    if (!shared_->leaving) {
      shared_->news();
    }
  }

  void finish(std::unique_lock<std::mutex>& lock, Result<void> going) {
    const auto open = shared_->open;
    const bool orderly = going && shared_->finishing;
    if (orderly) {
      lock.unlock();
      going = work_.end(open);
      lock.lock();
    }
    if (!going) {
      shared_->failure = std::move(going.error());
      shared_->failed = true;
    }
    shared_->rows.clear();
    shared_->questions.clear();
    shared_->pending = 0;
    lock.unlock();
    work_.close();
    lock.lock();
    shared_->options.file.reset();
    shared_->closed = true;
    tell();
    shared_->done.notify_all();
  }

  std::shared_ptr<Shared> shared_;
  RecorderWork work_;
  Clock::time_point committed_at_{};
};

Recorder::Recorder(RecorderOptions options, std::function<void()> news) : shared_(std::make_shared<Shared>()) {
  shared_->options = std::move(options);
  shared_->news = std::move(news);
  try {
    std::thread([shared = shared_] { Worker(shared).run(); }).detach();
  } catch (const std::system_error& error) {
    shared_->failure = system_error("cannot start a thread for the state", error.code().value());
    shared_->failed = shared_->closed = true;
  }
}

Recorder::~Recorder() {
  const std::lock_guard lock(shared_->mutex);
  shared_->leaving = true;
  shared_->finishing = true;
  shared_->work.notify_one();
}

void Recorder::look_up(Lines lines) {
  const std::lock_guard lock(shared_->mutex);
  shared_->questions.emplace_back(std::move(lines));
  shared_->work.notify_one();
}

void Recorder::look_for_failed() {
  const std::lock_guard lock(shared_->mutex);
  shared_->questions.emplace_back(FailedAsked{});
  shared_->work.notify_one();
}

void Recorder::record(TaskRow row) {
  fresh_bytes_ += row.size();
  fresh_.push_back(std::move(row));
}

void Recorder::flush() {
  if (fresh_.empty()) {
    return;
  }
  const std::lock_guard lock(shared_->mutex);
  if (!shared_->closed) {
    shared_->pending += fresh_bytes_;
    std::ranges::move(fresh_, std::back_inserter(shared_->rows));
  }
  fresh_.clear();
  fresh_bytes_ = 0;
  if (shared_->waiting_long || shared_->rows.size() >= enough_rows) {
    shared_->work.notify_one();
  }
}

Recorder::News Recorder::take() {
  const std::lock_guard lock(shared_->mutex);
  return std::exchange(shared_->told, {});
}

std::size_t Recorder::pending() const { return shared_->pending + fresh_bytes_; }

std::optional<Error> Recorder::failure() const {
  if (!shared_->failed) {
    return std::nullopt;
  }
  const std::lock_guard lock(shared_->mutex);
  return shared_->failure;
}

bool Recorder::finish(std::optional<std::uint64_t> open, Duration patience) {
  flush();
  std::unique_lock lock(shared_->mutex);
  shared_->open = open;
  shared_->finishing = true;
  shared_->work.notify_one();
  return shared_->done.wait_for(lock, patience, [this] { return shared_->closed; });
}

}  // namespace corral::state
