#include "supervisor/shell/tasks/channel.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "common/base/units.hpp"
#include "supervisor/shell/tasks/task_mark.hpp"

namespace corral::shell {

void Channel::sent(std::size_t bytes) {
  done_ += bytes;
  constexpr std::size_t worth_moving = std::size_t{64} * 1024;
  if (done_ == out_.size()) {
    out_.clear();
    done_ = 0;
    if (out_.capacity() > worth_moving) {
      std::string().swap(out_);
    }
  } else if (done_ > out_.size() / 2 && done_ > worth_moving) {
    out_.erase(0, done_);
    done_ = 0;
  }
}

namespace {

class FrameChannel : public Channel {
 public:
  FrameChannel(Life life, FileDescriptor own, FileDescriptor theirs, std::uint32_t most)
      : Channel(life), socket_(std::move(own)), theirs_(std::move(theirs)), most_(most), parser_(most) {}

  [[nodiscard]] WorkerEnds ends() const override { return {-1, -1, theirs_.get(), mark_.descriptor()}; }
  void launched() override { theirs_.reset(); }

  void deliver(core::TaskId task, std::string_view payload) override {
    payload.size() > longest_ ? refused_.push_back(task) : send(wire::FrameType::task, number(task), payload);
  }
  [[nodiscard]] std::vector<core::TaskId> take_refused() override { return std::exchange(refused_, {}); }
  [[nodiscard]] std::optional<core::TaskId> marked() const override { return mark_.read(); }
  void recall(core::TaskId task) override { send(wire::FrameType::cancel, number(task), {}); }
  void close_input() override {
    send(wire::FrameType::drain, 0, {});
    closing_ = true;
  }

  [[nodiscard]] int read_end() const override { return socket_.get(); }
  [[nodiscard]] int write_end() const override { return socket_.get(); }

  bool flush() override {
    while (done_ < out_.size()) {
      const ssize_t wrote = ::send(socket_.get(), out_.data() + done_, out_.size() - done_, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (wrote >= 0) {
        sent(static_cast<std::size_t>(wrote));
      } else if (errno == EAGAIN) {
        return true;
      } else if (errno != EINTR) {
        out_.clear();
        done_ = 0;
        closing_ = false;
        return false;
      }
    }
    if (std::exchange(closing_, false)) {
      ::shutdown(socket_.get(), SHUT_WR);
    }
    return true;
  }

  bool read_some(std::vector<char>& buffer, const MessageSink& sink) override {
    const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0) {
      return errno == EAGAIN || errno == EINTR;
    }
    if (got == 0) {
      return false;
    }
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
    if (!broken_ && !parser_.feed(bytes, [&](const wire::Frame& frame) { receive(frame, sink); }) && !broken_) {
      refuse(parser_.problem(), sink);
    }
    return true;
  }

 private:
  void send(wire::FrameType type, std::uint64_t task, std::string_view payload) { wire::append_frame(out_, type, task, payload); }

  void refuse(std::string_view why, const MessageSink& sink) {
    broken_ = true;
    sink(life_, {Message::Kind::broken, {}, {}, why});
  }

  void receive(const wire::Frame& frame, const MessageSink& sink) {
    if (broken_) {
      return;
    }
    if (!greeted_ && frame.type != wire::FrameType::hello) {
      return refuse("did not say HELLO first", sink);
    }
    const core::TaskId task{frame.task};
    switch (frame.type) {
      case wire::FrameType::hello: return greet(frame, sink);
      case wire::FrameType::result: return sink(life_, {Message::Kind::answered, task, core::Answer::result, frame.payload});
      case wire::FrameType::error: return sink(life_, {Message::Kind::answered, task, core::Answer::error, frame.payload});
      case wire::FrameType::cancel: return sink(life_, {Message::Kind::answered, task, core::Answer::given_back, {}});
      case wire::FrameType::progress: return sink(life_, {Message::Kind::progressed, task, {}, frame.payload});
      case wire::FrameType::drain: return sink(life_, {Message::Kind::resigned, {}, {}, {}});
      case wire::FrameType::task:
      case wire::FrameType::quarantined:
      case wire::FrameType::begun: return refuse("sent a frame that only the supervisor may send", sink);
    }
  }

  void greet(const wire::Frame& frame, const MessageSink& sink) {
    const auto hello = wire::decode_hello(frame.payload);
    if (greeted_ || !hello || hello->version == 0) {
      return refuse(greeted_ ? "said HELLO twice"
                    : hello  ? "said HELLO with version 0, and the lowest is 1"
                             : "said HELLO with less than a version and a length (8 bytes)",
                    sink);
    }
    greeted_ = true;
    longest_ = hello->longest_payload;
    wire::Hello ours;
    ours.version = std::min(hello->version, wire::protocol_version);
    ours.longest_payload = most_;
    ours.name = "corral";
    send(wire::FrameType::hello, 0, wire::encode(ours));
    sink(life_, {Message::Kind::greeted, {}, {}, hello->name});
  }

  FileDescriptor socket_;
  FileDescriptor theirs_;
  TaskMark mark_ = TaskMark::make();
  std::uint32_t most_;  ///< What we take.
  wire::FrameParser parser_;
  std::uint32_t longest_ = wire::longest_payload;  ///< What the worker takes.
  std::vector<core::TaskId> refused_;
  bool greeted_ = false;
  bool broken_ = false;
};

}  // namespace

std::string longest_result(std::size_t bytes) {
  return fmt::format("the {} that a result may have (--max-payload)", describe_size(bytes));
}

Result<std::unique_ptr<Channel>> open_frame_channel(Life life, std::size_t longest) {
  std::array<int, 2> fds{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) != 0) {
    return system_failure("cannot create a channel for its tasks", errno);
  }
  const auto most = static_cast<std::uint32_t>(std::min<std::size_t>(longest, UINT32_MAX));
  return std::make_unique<FrameChannel>(life, FileDescriptor(fds[0]), FileDescriptor(fds[1]), most);
}

}  // namespace corral::shell
