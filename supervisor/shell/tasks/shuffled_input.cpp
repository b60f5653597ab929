#include "supervisor/shell/tasks/shuffled_input.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <random>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include <boost/asio/post.hpp>

namespace corral::shell {

namespace {

constexpr std::size_t index_block_size = std::size_t{256} * 1024;
constexpr std::size_t most_batches = 4;
constexpr std::size_t batch_lines = 1024;
constexpr std::size_t batch_bytes = std::size_t{256} * 1024;
constexpr std::size_t most_lines_shuffled = UINT32_MAX;

/// Reads up to `size` bytes from there; fewer at the end of the file. -1: errno.
ssize_t read_at(int fd, char* to, std::size_t size, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(fd, to + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno != EINTR) {
      return -1;
    }
    if (got == 0) {
      break;
    }
    done += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  return static_cast<ssize_t>(done);
}

}  // namespace

struct ShuffledInput::Shared {
  boost::asio::io_context& loop;
  int fd;
  std::size_t longest;
  std::uint64_t seed;
  std::function<void()> arrived;
  std::mutex mutex;
  std::condition_variable room;
  std::deque<std::vector<InputLine>> batches;
  std::uint64_t lines = 0;
  bool over = false;
  bool wanted = false;  ///< Somebody waits for arrived().
  bool leaving = false;
  int error = 0;

  // The thread's own.
  std::vector<std::uint64_t> begins;  ///< Of each line, and the end of the last one.

  [[nodiscard]] bool index();
  [[nodiscard]] std::optional<InputLine> line(std::uint64_t number);
  [[nodiscard]] bool is_left() {
    const std::lock_guard lock(mutex);
    return leaving;
  }
};

/// Where lines begin. False when it cannot be read.
bool ShuffledInput::Shared::index() {
  std::string buffer(index_block_size, '\0');
  std::uint64_t at = 0;
  begins.assign(1, 0);
  while (!is_left()) {
    const ssize_t got = read_at(fd, buffer.data(), buffer.size(), at);
    if (got < 0) {
      error = errno;
      return false;
    }
    const char* const end = buffer.data() + got;
    for (const char* from = buffer.data(); from < end;) {
      const auto* found = static_cast<const char*>(std::memchr(from, '\n', static_cast<std::size_t>(end - from)));
      if (found == nullptr) {
        break;
      }
      from = found + 1;
      begins.push_back(at + static_cast<std::uint64_t>(from - buffer.data()));
    }
    at += static_cast<std::uint64_t>(got);
    if (begins.size() > most_lines_shuffled) {
      error = EFBIG;
      return false;
    }
    if (static_cast<std::size_t>(got) < buffer.size()) {
      break;
    }
  }
  if (begins.back() != at) {
    begins.push_back(at + 1);  // As if the last line had a line break too.
  }
  return true;
}

std::optional<InputLine> ShuffledInput::Shared::line(std::uint64_t number) {
  const std::uint64_t begin = begins[number];
  const std::uint64_t size = begins[number + 1] - begin - 1;
  InputLine line{std::make_shared<const std::string>(), {}, number, size > longest};
  if (!line.too_long) {
    std::string bytes(size, '\0');
    const ssize_t got = read_at(fd, bytes.data(), size, begin);
    if (got < 0 || static_cast<std::uint64_t>(got) < size) {
      error = got < 0 ? errno : EIO;  // It has become shorter meanwhile.
      return std::nullopt;
    }
    line.owner = std::make_shared<const std::string>(std::move(bytes));
    line.bytes = *line.owner;
  }
  return line;
}

ShuffledInput::ShuffledInput(boost::asio::io_context& loop, int fd, std::size_t longest, std::uint64_t seed,
                             std::function<void()> arrived)
    : shared_(new Shared{loop, fd, longest, seed, std::move(arrived), {}, {}, {}, 0, false, false, false, 0, {}}) {
  try {
    std::thread([shared = shared_] { read_all(shared); }).detach();
  } catch (const std::system_error& error) {
    ended_ = true;
    error_ = error.code().value();
  }
}

/// The thread is not waited for: it may hang in the kernel. It touches nothing but what it shares.
ShuffledInput::~ShuffledInput() {
  const std::lock_guard lock(shared_->mutex);
  shared_->leaving = true;
  shared_->room.notify_one();
}

void ShuffledInput::hand_over(const std::shared_ptr<Shared>& shared, std::vector<InputLine> batch, bool over) {
  std::unique_lock lock(shared->mutex);
  shared->batches.push_back(std::move(batch));
  shared->over = over;
  if (std::exchange(shared->wanted, false) && !shared->leaving) {
    boost::asio::post(shared->loop, shared->arrived);
  }
  shared->room.wait(lock, [&] { return shared->leaving || shared->batches.size() < most_batches; });
}

void ShuffledInput::read_all(const std::shared_ptr<Shared>& shared) {
  if (!shared->index()) {
    return hand_over(shared, {}, true);
  }
  std::vector<std::uint32_t> order(shared->begins.size() - 1);
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  std::mt19937_64 random(shared->seed);
  std::ranges::shuffle(order, random);
  {
    const std::lock_guard lock(shared->mutex);
    shared->lines = order.size();
  }
  std::vector<InputLine> batch;
  std::size_t bytes = 0;
  for (const std::uint32_t number : order) {
    auto line = shared->line(number);
    if (!line) {
      break;
    }
    bytes += line->bytes.size();
    batch.push_back(std::move(*line));
    if (batch.size() >= batch_lines || bytes >= batch_bytes) {
      hand_over(shared, std::exchange(batch, {}), false);
      bytes = 0;
      if (shared->is_left()) {
        return;
      }
    }
  }
  hand_over(shared, std::move(batch), true);
}

bool ShuffledInput::take_batch() {
  const std::lock_guard lock(shared_->mutex);
  lines_ = shared_->lines;
  if (!shared_->batches.empty()) {
    batch_ = std::move(shared_->batches.front());
    shared_->batches.pop_front();
    shared_->room.notify_one();
    at_ = 0;
    return true;
  }
  if (shared_->over) {
    over_ = true;
    error_ = shared_->error;
  } else {
    shared_->wanted = true;
  }
  return false;
}

std::optional<InputLine> ShuffledInput::next() {
  while (!ended_) {
    if (at_ < batch_.size()) {
      ++handed_out_;
      return std::move(batch_[at_++]);
    }
    if (!take_batch()) {
      ended_ = over_;
      return std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<double> ShuffledInput::taken() const {
  return lines_ == 0 ? std::nullopt : std::optional(static_cast<double>(handed_out_) / static_cast<double>(lines_));
}

}  // namespace corral::shell
