#include "supervisor/shell/io/writer.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <string>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "common/base/file_descriptor.hpp"
#include "supervisor/shell/io/writer_backend.hpp"

namespace corral::shell {

namespace asio = boost::asio;

// ---- Pipes, terminals, sockets --------------------------------------------------------------------------------------

class Writer::Direct : public Writer::Backend {
 public:
  Direct(asio::io_context& loop, int fd, mode_t mode, std::function<void()> drained)
      : inherited_(fd), is_socket_(S_ISSOCK(mode)), waiter_(loop), drained_(std::move(drained)) {}
  ~Direct() override {
    if (waiter_.is_open()) {
      static_cast<void>(waiter_.release());
    }
  }

  void append(std::string_view bytes) override {
    if (error_ != 0) {
      dropped_ += bytes.size();
    } else {
      buffer_.append(bytes);
    }
  }

  void keep_lines_whole() override { whole_lines_ = true; }

  void flush() override {
    if (!waiting_) {
      write_some();
      if (pending() > 0) {
        wait_for_room();
      }
    }
  }

  [[nodiscard]] std::size_t pending() const override { return buffer_.size() - done_; }
  [[nodiscard]] int error_number() const override { return error_; }
  [[nodiscard]] std::uint64_t dropped() const override { return dropped_; }

  bool wait(Duration patience) override {
    const auto until = std::chrono::steady_clock::now() + patience;
    write_some();
    while (pending() > 0) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      pollfd ready{target(), POLLOUT, 0};
      if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) == 0) {
        return false;
      }
      write_some();
    }
    return true;
  }

 private:
  [[nodiscard]] int target() const { return own_ ? own_.get() : inherited_; }

  /// What the kernel takes as a whole or not at all.
  [[nodiscard]] std::size_t size_of_write(std::string_view bytes) const {
    if (!whole_lines_ || bytes.size() <= PIPE_BUF) {
      return bytes.size();
    }
    const std::size_t end = bytes.substr(0, PIPE_BUF).rfind('\n');
    if (end != std::string_view::npos) {
      return end + 1;
    }
    const std::size_t first = bytes.find('\n');
    return first == std::string_view::npos ? bytes.size() : first + 1;
  }

  /// Once, when there is something to write: most `exec`s never have a word to say.
  void open_anew() {
    opened_ = true;
    if (!is_socket_) {
      const std::string path = "/proc/self/fd/" + std::to_string(inherited_);
      own_ = FileDescriptor(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
      // A terminal or pipe of somebody else cannot be opened anew: then room is asked for before each write.
    }
  }

  /// How much goes at once: nothing where it would wait.
  ssize_t write_once(const char* data, std::size_t size) {
    if (!opened_) {
      open_anew();
    }
    if (is_socket_) {
      return ::send(inherited_, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    if (own_) {
      return ::write(own_.get(), data, size);
    }
    pollfd ready{inherited_, POLLOUT, 0};
    if (::poll(&ready, 1, 0) == 0) {
      errno = EAGAIN;
      return -1;
    }
    return ::write(inherited_, data, std::min<std::size_t>(size, PIPE_BUF));
  }

  void write_some() {
    while (pending() > 0) {
      const ssize_t wrote = write_once(buffer_.data() + done_, size_of_write(std::string_view(buffer_).substr(done_)));
      if (wrote >= 0) {
        done_ += static_cast<std::size_t>(wrote);
      } else if (errno == EAGAIN) {
        break;
      } else if (errno != EINTR) {
        error_ = errno;
        dropped_ += pending();
        done_ = buffer_.size();
      }
    }
    let_go_of_written();
  }

  /// Not after every write: what is left may be a hundred megabytes, of which the reader takes a hundred kilobytes at a time.
  void let_go_of_written() {
    if (done_ * 2 >= buffer_.size()) {
      buffer_.erase(0, done_);
      done_ = 0;
    }
    if (buffer_.empty() && buffer_.capacity() > keep_) {
      std::string().swap(buffer_);
    }
  }

  void wait_for_room() {
    if (!waiter_.is_open()) {
      boost::system::error_code ec;
      waiter_.assign(target(), ec);
      if (ec) {
        return;  // Not pollable, so never full either.
      }
    }
    waiting_ = true;
    waiter_.async_wait(asio::posix::stream_descriptor::wait_write, [this](boost::system::error_code ec) {
      waiting_ = false;
      if (ec) {
        return;
      }
      flush();
      if (pending() == 0) {
        drained_();
      }
    });
  }

  static constexpr std::size_t keep_ = std::size_t{64} * 1024;
  int inherited_;
  bool is_socket_;
  bool opened_ = false;
  FileDescriptor own_;
  asio::posix::stream_descriptor waiter_;
  std::function<void()> drained_;
  std::string buffer_;
  std::size_t done_ = 0;  ///< Of buffer_.
  bool waiting_ = false;
  bool whole_lines_ = false;
  int error_ = 0;
  std::uint64_t dropped_ = 0;
};

// ---- The choice -----------------------------------------------------------------------------------------------------

Writer::Writer(asio::io_context& loop, int fd, std::function<void()> drained) {
  struct stat status{};
  const bool known = ::fstat(fd, &status) == 0;
  if (known && (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode))) {
    backend_ = threaded(loop, fd, std::move(drained));
  } else {
    backend_ = std::make_unique<Direct>(loop, fd, status.st_mode, std::move(drained));
  }
}

bool Writer::is_same_place(int left, int right) {
  struct stat one{};
  struct stat other{};
  constexpr int way = O_ACCMODE | O_APPEND;
  return ::fstat(left, &one) == 0 && ::fstat(right, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino &&
         (::fcntl(left, F_GETFL) & way) == (::fcntl(right, F_GETFL) & way);
}

Writer::~Writer() = default;
void Writer::append(std::string_view bytes) { backend_->append(bytes); }
void Writer::flush() { backend_->flush(); }
void Writer::keep_lines_whole() { backend_->keep_lines_whole(); }
std::size_t Writer::pending() const { return backend_->pending(); }
int Writer::error_number() const { return backend_->error_number(); }
std::uint64_t Writer::dropped() const { return backend_->dropped(); }
bool Writer::wait(Duration patience) { return backend_->wait(patience); }

bool Writer::finish(Duration patience) {
  const bool all = backend_->wait(patience);
  if (!all) {
    backend_->give_up();
  }
  return all;
}

void Writer::finish(Writer& first, Writer& second, Duration patience, const std::function<void()>& in_between) {
  // By turns: the one that is read gets its turn again before its reader has emptied a pipe.
  static constexpr Duration turn = std::chrono::milliseconds(2);
  const auto until = std::chrono::steady_clock::now() + patience;
  while (true) {
    const bool first_done = first.backend_->wait(turn);
    in_between();
    if (second.backend_->wait(turn) && first_done) {
      return;
    }
    if (std::chrono::steady_clock::now() >= until) {
      first.backend_->give_up();
      second.backend_->give_up();
      return;
    }
  }
}

}  // namespace corral::shell
