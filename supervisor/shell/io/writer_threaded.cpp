// Regular files: a disk may block, so they are written by a thread of their own.
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include <boost/asio/post.hpp>

#include "supervisor/shell/io/writer_backend.hpp"

namespace corral::shell {

namespace asio = boost::asio;

class Writer::Threaded : public Writer::Backend {
 public:
  Threaded(asio::io_context& loop, int fd, std::function<void()> drained) : loop_(loop), fd_(fd), drained_(std::move(drained)) {}
  ~Threaded() override {
    if (thread_.joinable()) {
      {
        const std::lock_guard lock(mutex_);
        leaving_ = true;
        hurry_ = true;
      }
      work_.notify_one();
      thread_.join();
    }
  }

  void append(std::string_view bytes) override { fresh_.append(bytes); }
  void keep_lines_whole() override { whole_lines_ = true; }

  void flush() override {
    if (fresh_.empty() || given_up_) {
      return;
    }
    if (!thread_.joinable() && !begin()) {
      write_all(fresh_);
      fresh_.clear();
      return;
    }
    bool awaited = false;
    {
      const std::lock_guard lock(mutex_);
      pending_ += fresh_.size();
      shared_.empty() ? shared_.swap(fresh_) : void(shared_.append(fresh_));
      lagging_ = lagging_ || pending_ > small;
      awaited = std::exchange(asleep_, false) || (shared_.size() >= much && std::exchange(pausing_, false));
    }
    fresh_.clear();
    if (awaited) {
      work_.notify_one();
    }
  }

  [[nodiscard]] std::size_t pending() const override { return pending_ + fresh_.size(); }
  [[nodiscard]] int error_number() const override { return error_; }
  [[nodiscard]] std::uint64_t dropped() const override { return dropped_; }

  bool wait(Duration patience) override {
    flush();
    std::unique_lock lock(mutex_);
    hurry_ = true;
    work_.notify_one();
    return done_.wait_for(lock, patience, [this] { return pending_ == 0; });
  }

  void give_up() override {
    if (pending_ > 0 && thread_.joinable()) {
      given_up_ = true;
      thread_.detach();  // It hangs in the kernel; the process ends without it.
    }
  }

 private:
  /// False where no thread can be had: better to wait for the disk than to say nothing.
  bool begin() {
    try {
      thread_ = std::thread([this] { write_for_ever(); });
    } catch (const std::system_error&) {
      return false;
    }
    return true;
  }

  void write_for_ever() {
    std::string batch;
    std::unique_lock lock(mutex_);
    while (true) {
      asleep_ = true;
      work_.wait(lock, [this] { return leaving_ || !shared_.empty(); });
      asleep_ = false;
      if (shared_.empty()) {
        return;
      }
      batch.swap(shared_);
      lock.unlock();
      write_all(batch);
      lock.lock();
      pending_ -= batch.size();
      if (pending_ == 0) {
        done_.notify_all();
        if (std::exchange(lagging_, false)) {
          asio::post(loop_, [this] { drained_(); });
        }
      }
      if (batch.size() < small) {
        // Whoever writes line after line would otherwise pay for waking this thread with each of them.
        pausing_ = true;
        work_.wait_for(lock, pause, [this] { return hurry_ || shared_.size() >= much; });
        pausing_ = false;
      }
      batch.size() < small ? std::string().swap(batch) : batch.clear();  // New room costs more than what is written into it.
    }
  }

  void write_all(std::string_view batch) {
    std::string_view bytes = batch;
    while (!bytes.empty()) {
      const ssize_t wrote = ::write(fd_, bytes.data(), bytes.size());
      if (wrote >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(wrote));
        error_ = 0;
      } else if (errno != EINTR) {
        // ENOSPC may pass: this batch is lost and counted, the next one is tried again.
        error_ = errno;
        dropped_ += bytes.size() + (whole_lines_ ? take_back_part(batch.substr(0, batch.size() - bytes.size())) : 0);
        return;
      }
    }
  }

  /// The disk was full in the middle of a line: that goes, unless somebody else has written behind it. So many bytes.
  [[nodiscard]] std::size_t take_back_part(std::string_view written) const {
    const std::size_t part = written.size() - (written.rfind('\n') + 1);  // npos + 1 is 0.
    const off_t end = ::lseek(fd_, 0, SEEK_CUR);
    struct stat status{};
    const bool is_last = part > 0 && end >= static_cast<off_t>(part) && ::fstat(fd_, &status) == 0 && status.st_size == end;
    if (!is_last || ::ftruncate(fd_, end - static_cast<off_t>(part)) != 0) {
      return 0;
    }
    ::lseek(fd_, end - static_cast<off_t>(part), SEEK_SET);
    return part;
  }

  static constexpr std::size_t small = std::size_t{64} * 1024;
  static constexpr std::size_t much = std::size_t{256} * 1024;     ///< Well below what its user lets lie here before it waits.
  static constexpr Duration pause = std::chrono::milliseconds(5);  ///< After a small batch, unless there is much again.
  asio::io_context& loop_;
  int fd_;
  std::function<void()> drained_;
  std::string fresh_;
  bool whole_lines_ = false;
  bool given_up_ = false;
  bool asleep_ = false;   ///< Nothing is written until somebody wakes the thread.
  bool pausing_ = false;  ///< Likewise, or until the pause is over; nobody has woken it yet.
  bool lagging_ = false;  ///< So much was pending that somebody may be waiting to hear that it is not.
  bool hurry_ = false;    ///< The end is near: no pause.
  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable done_;
  std::string shared_;
  std::atomic<std::size_t> pending_ = 0;
  std::atomic<int> error_ = 0;
  std::atomic<std::uint64_t> dropped_ = 0;
  bool leaving_ = false;
  std::thread thread_;
};

std::unique_ptr<Writer::Backend> Writer::threaded(boost::asio::io_context& loop, int fd, std::function<void()> drained) {
  return std::make_unique<Threaded>(loop, fd, std::move(drained));
}

}  // namespace corral::shell
