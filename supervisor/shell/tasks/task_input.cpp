#include "supervisor/shell/tasks/task_input.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <boost/asio/post.hpp>

#include "common/base/file_descriptor.hpp"

namespace corral::shell {

namespace {
constexpr std::size_t block_size = std::size_t{256} * 1024;
constexpr std::size_t most_blocks = 4;
}  // namespace

struct TaskInput::Shared {
  boost::asio::io_context& loop;
  int fd;
  std::function<void()> arrived;
  FileDescriptor wake;
  std::mutex mutex;
  std::condition_variable room;
  std::deque<std::shared_ptr<const std::string>> blocks;
  bool over = false;     ///< Nothing more comes.
  bool wanted = false;   ///< Somebody waits for arrived().
  bool leaving = false;  ///< Nobody listens any more.
  int error = 0;
};

TaskInput::TaskInput(boost::asio::io_context& loop, int fd, std::size_t longest, std::function<void()> arrived)
    : shared_(new Shared{loop, fd, std::move(arrived), FileDescriptor(::eventfd(0, EFD_CLOEXEC)), {}, {}, {}}),
      longest_(longest) {
  struct stat status{};
  size_ = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? static_cast<std::uint64_t>(status.st_size) : 0;
  try {
    std::thread([shared = shared_] { read_all(shared); }).detach();
  } catch (const std::system_error& error) {
    ended_ = true;
    error_ = error.code().value();
  }
}

/// The thread is not waited for: it may hang in the kernel. It touches nothing but what it shares.
TaskInput::~TaskInput() {
  const std::lock_guard lock(shared_->mutex);
  shared_->leaving = true;
  ::eventfd_write(shared_->wake.get(), 1);
  shared_->room.notify_one();
}

void TaskInput::read_all(const std::shared_ptr<Shared>& shared) {
  std::string buffer(block_size, '\0');
  for (bool over = false; !over;) {
    std::array<pollfd, 2> ready{pollfd{shared->fd, POLLIN, 0}, pollfd{shared->wake.get(), POLLIN, 0}};
    if (::poll(ready.data(), ready.size(), -1) < 0 && errno == EINTR) {
      continue;
    }
    if (ready[1].revents != 0) {
      return;
    }
    const ssize_t got = ::read(shared->fd, buffer.data(), buffer.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
      continue;
    }
    const int error = got < 0 ? errno : 0;
    over = got <= 0;
    std::unique_lock lock(shared->mutex);
    shared->over = over;
    shared->error = error;
    if (!over) {
      shared->blocks.push_back(std::make_shared<const std::string>(buffer, 0, static_cast<std::size_t>(got)));
    }
    if (std::exchange(shared->wanted, false) && !shared->leaving) {
      boost::asio::post(shared->loop, shared->arrived);
    }
    shared->room.wait(lock, [&] { return shared->leaving || shared->blocks.size() < most_blocks; });
    if (shared->leaving) {
      return;
    }
  }
}

std::optional<double> TaskInput::taken() const {
  if (size_ == 0) {
    return std::nullopt;
  }
  const std::uint64_t open = block_ == nullptr ? 0 : block_->size() - at_;
  return std::min(1.0, static_cast<double>(blocks_size_ - open) / static_cast<double>(size_));
}

bool TaskInput::take_block() {
  const std::lock_guard lock(shared_->mutex);
  if (!shared_->blocks.empty()) {
    block_ = std::move(shared_->blocks.front());
    blocks_size_ += block_->size();
    shared_->blocks.pop_front();
    shared_->room.notify_one();
    at_ = 0;
    return true;
  }
  if (shared_->over) {
    last_block_taken_ = true;
    error_ = shared_->error;
  } else {
    shared_->wanted = true;
  }
  return false;
}

void TaskInput::keep_part(std::string_view part) {
  has_part_ = true;
  part_too_long_ = part_too_long_ || part_.size() + part.size() > longest_;
  if (part_too_long_) {
    std::string().swap(part_);
  } else {
    part_.append(part);
  }
}

InputLine TaskInput::finish_part() {
  has_part_ = false;
  InputLine line{
      std::make_shared<const std::string>(std::exchange(part_, {})), {}, lines_++, std::exchange(part_too_long_, false)};
  line.bytes = *line.owner;
  return line;
}

std::optional<InputLine> TaskInput::next() {
  while (!ended_) {
    if (block_ == nullptr || at_ == block_->size()) {
      block_.reset();
      if (last_block_taken_ || (!take_block() && last_block_taken_)) {
        ended_ = true;
        return has_part_ ? std::optional(finish_part()) : std::nullopt;
      }
      if (block_ == nullptr) {
        return std::nullopt;
      }
    }
    const std::string_view rest = std::string_view(*block_).substr(at_);
    const std::size_t end = rest.find('\n');
    at_ = end == std::string_view::npos ? block_->size() : at_ + end + 1;
    if (end == std::string_view::npos || has_part_ || end > longest_) {
      keep_part(rest.substr(0, end));
      if (end != std::string_view::npos) {
        return finish_part();
      }
      continue;
    }
    return InputLine{block_, rest.substr(0, end), lines_++, false};
  }
  return std::nullopt;
}

}  // namespace corral::shell
