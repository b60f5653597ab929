// A process for one task: what it writes to stdout is the result, whole.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "supervisor/shell/tasks/channel.hpp"

namespace corral::shell {
namespace {

class OutputChannel : public Channel {
 public:
  OutputChannel(Life life, FileDescriptor own, FileDescriptor theirs, std::size_t longest)
      : Channel(life), from_(std::move(own)), theirs_(std::move(theirs)), longest_(longest) {}

  [[nodiscard]] WorkerEnds ends() const override { return {-1, theirs_.get(), -1}; }
  void launched() override { theirs_.reset(); }

  void deliver(core::TaskId, std::string_view) override {}  // It has it already: it stands in its command.
  void recall(core::TaskId) override {}
  void close_input() override {}
  [[nodiscard]] int read_end() const override { return from_.get(); }
  [[nodiscard]] int write_end() const override { return from_.get(); }
  bool flush() override { return true; }

  bool read_some(std::vector<char>& buffer, const MessageSink& sink) override {
    const ssize_t got = ::read(from_.get(), buffer.data(), buffer.size());
    if (got < 0) {
      return errno == EAGAIN || errno == EINTR;
    }
    if (got == 0) {
      return false;
    }
    if (!broken_ && text_.size() + static_cast<std::size_t>(got) > longest_) {
      broken_ = true;
      std::string().swap(text_);
      sink(life_, {Message::Kind::too_long, {}, {}, "wrote more than " + longest_result(longest_)});
    }
    if (!broken_) {
      text_.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return true;
  }

  [[nodiscard]] std::string take_output() override { return std::move(text_); }

 private:
  FileDescriptor from_;
  FileDescriptor theirs_;
  std::size_t longest_;
  std::string text_;
  bool broken_ = false;
};

}  // namespace

Result<std::unique_ptr<Channel>> open_output_channel(Life life, std::size_t longest) {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) {
    return system_failure("cannot create a pipe for its result", errno);
  }
  ::fcntl(fds[0], F_SETFL, O_NONBLOCK);
  return std::make_unique<OutputChannel>(life, FileDescriptor(fds[0]), FileDescriptor(fds[1]), longest);
}

}  // namespace corral::shell
