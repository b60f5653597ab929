// Filters: a line in on stdin, a line out on stdout, in the same order.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "supervisor/shell/tasks/channel.hpp"

namespace corral::shell {
namespace {

class LineChannel : public Channel {
 public:
  LineChannel(Life life, std::array<FileDescriptor, 2> in, std::array<FileDescriptor, 2> out, std::size_t longest)
      : Channel(life), in_(std::move(in)), from_(std::move(out)), longest_(longest) {}

  [[nodiscard]] WorkerEnds ends() const override { return {in_[0].get(), from_[1].get(), -1}; }
  void launched() override {
    in_[0].reset();
    from_[1].reset();
  }

  void deliver(core::TaskId task, std::string_view payload) override {
    owed_.push_back(task);
    out_.append(payload);
    out_ += '\n';
  }
  [[nodiscard]] bool has_miscounted() const override { return broken_ || (answered_ && !owed_.empty()); }
  void recall(core::TaskId) override {}  // A filter knows of no such thing.
  void close_input() override { closing_ = true; }

  [[nodiscard]] int read_end() const override { return from_[0].get(); }
  [[nodiscard]] int write_end() const override { return in_[1].get(); }

  bool flush() override {
    while (in_[1] && done_ < out_.size()) {
      const ssize_t wrote = ::write(in_[1].get(), out_.data() + done_, out_.size() - done_);
      if (wrote >= 0) {
        sent(static_cast<std::size_t>(wrote));
      } else if (errno == EAGAIN) {
        return true;
      } else if (errno != EINTR) {
        closing_ = true;  // EPIPE: it reads no more. What it still says counts.
        out_.clear();
        done_ = 0;
      }
    }
    out_.clear();
    done_ = 0;
    if (std::exchange(closing_, false)) {
      in_[1].reset();
    }
    return static_cast<bool>(in_[1]);
  }

  bool read_some(std::vector<char>& buffer, const MessageSink& sink) override {
    const ssize_t got = ::read(from_[0].get(), buffer.data(), buffer.size());
    if (got < 0) {
      return errno == EAGAIN || errno == EINTR;
    }
    if (got == 0) {
      if (!line_.empty()) {
        answer(line_, sink);  // A last line without its end: better than none.
        line_.clear();
      }
      return false;
    }
    take(std::string_view(buffer.data(), static_cast<std::size_t>(got)), sink);
    return true;
  }

 private:
  void take(std::string_view bytes, const MessageSink& sink) {
    while (!broken_ && !bytes.empty()) {
      const std::size_t end = bytes.find('\n');
      const std::string_view piece = bytes.substr(0, end);
      if (line_.size() + piece.size() > longest_) {
        broken_ = true;
        return sink(life_, {Message::Kind::too_long, {}, {}, "wrote a line of more than " + longest_result(longest_)});
      }
      if (end == std::string_view::npos) {
        line_.append(piece);
        return;
      }
      if (line_.empty()) {
        answer(piece, sink);
      } else {
        line_.append(piece);
        answer(line_, sink);
        std::string().swap(line_);
      }
      bytes.remove_prefix(end + 1);
    }
  }

  void answer(std::string_view line, const MessageSink& sink) {
    if (broken_) {
      return;
    }
    if (owed_.empty()) {
      return refuse("wrote more lines than it was given", sink);
    }
    const core::TaskId task = owed_.front();
    owed_.pop_front();
    answered_ = true;
    sink(life_, {Message::Kind::answered, task, core::Answer::result, line});
  }

  void refuse(std::string_view why, const MessageSink& sink) {
    broken_ = true;
    sink(life_, {Message::Kind::broken, {}, {}, why});
  }

  std::array<FileDescriptor, 2> in_;    ///< Its stdin: read end, write end.
  std::array<FileDescriptor, 2> from_;  ///< Its stdout.
  std::size_t longest_;
  std::string line_;
  std::deque<core::TaskId> owed_;  ///< The n-th line answers the n-th task.
  bool answered_ = false;
  bool broken_ = false;
};

Result<std::array<FileDescriptor, 2>> make_pipe(std::size_t ours) {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) {
    return system_failure("cannot create a pipe for its tasks", errno);
  }
  // Ours alone: a filter is not prepared for a pipe that does not block.
  ::fcntl(fds[ours], F_SETFL, O_NONBLOCK);
  return std::array<FileDescriptor, 2>{FileDescriptor(fds[0]), FileDescriptor(fds[1])};
}

}  // namespace

Result<std::unique_ptr<Channel>> open_line_channel(Life life, std::size_t longest) {
  auto in = make_pipe(1);
  if (!in) {
    return std::unexpected(std::move(in.error()));
  }
  auto out = make_pipe(0);
  if (!out) {
    return std::unexpected(std::move(out.error()));
  }
  return std::make_unique<LineChannel>(life, std::move(*in), std::move(*out), longest);
}

}  // namespace corral::shell
