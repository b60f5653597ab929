// A supervisor for a worker's tests: a forked process that calls serve(), and the other end of its channel.
//
// Everything waits under a ceiling and nothing sleeps. What this must not do: judge; the tests do.
#pragma once

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/wire/frame.hpp"
#include "worker/cpp/worker.hpp"

namespace corral::worker::testing {

using wire::FrameType;

struct Answer {
  FrameType type{};
  std::uint64_t task = 0;
  std::string payload;
  friend bool operator==(const Answer&, const Answer&) = default;
};

/// Two processes wait for each other with it: one byte for each go().
class Gate {
 public:
  Gate() { REQUIRE(pipe(ends_) == 0); }
  ~Gate() {
    close(ends_[0]);
    close(ends_[1]);
  }
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  void go() const { static_cast<void>(!write(ends_[1], "x", 1)); }
  /// False when nobody has said go() for ten seconds.
  [[nodiscard]] bool wait() const {
    pollfd ready{ends_[0], POLLIN, 0};
    char byte = 0;
    int count = 0;
    do {
      count = poll(&ready, 1, 10000);
    } while (count < 0 && errno == EINTR);
    return count == 1 && read(ends_[0], &byte, 1) == 1;
  }

 private:
  int ends_[2]{};
};

class FakeSupervisor {
 public:
  /// SOCK_SEQPACKET shows each write of the worker by itself.
  template <class Handler>
  explicit FakeSupervisor(Handler handler, Options options = {}, int socket_type = SOCK_STREAM) {
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, socket_type | SOCK_CLOEXEC, 0, ends) == 0);
    pid_ = fork();
    if (pid_ == 0) {
      close(ends[0]);
      // doctest has handlers of its own.
      for (const int signal : {SIGTERM, SIGINT, SIGSEGV, SIGABRT, SIGFPE, SIGILL, SIGBUS}) {
        static_cast<void>(std::signal(signal, SIG_DFL));
      }
      setenv("CORRAL_TASK_FD", std::to_string(ends[1]).c_str(), 1);
      _exit(serve(handler, options));
    }
    close(ends[1]);
    fd_ = ends[0];
  }
  ~FakeSupervisor() {
    hang_up();
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      static_cast<void>(status());
    }
  }
  FakeSupervisor(const FakeSupervisor&) = delete;
  FakeSupervisor& operator=(const FakeSupervisor&) = delete;

  /// What later send()s put together; written by flush().
  FakeSupervisor& frame(FrameType type, std::uint64_t task = 0, std::string_view payload = {}) {
    wire::append_frame(out_, type, task, payload);
    return *this;
  }
  FakeSupervisor& hello(std::uint32_t longest = wire::longest_payload) {
    return frame(FrameType::hello, 0, wire::encode(wire::Hello{wire::protocol_version, longest, "fake"}));
  }
  FakeSupervisor& bytes(std::string_view bytes) {
    out_ += bytes;
    return *this;
  }
  void flush() {
    for (std::string_view rest = out_; !rest.empty();) {
      const ssize_t sent = ::send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno != EAGAIN) {
        break;
      }
      rest.remove_prefix(sent > 0 ? static_cast<std::size_t>(sent) : 0);
      pollfd ready{fd_, POLLIN | POLLOUT, 0};
      if (sent < 0 && poll(&ready, 1, 10000) == 1 && (ready.revents & POLLIN) != 0 && !read_more()) {
        break;  // Both waiting for the other to read would be for ever.
      }
    }
    out_.clear();
  }
  /// No more frames come: the end of the stream, for the worker.
  void shut() { shutdown(fd_, SHUT_WR); }
  void hang_up() {
    if (fd_ >= 0) {
      close(std::exchange(fd_, -1));
    }
  }
  void signal(int number) const { ::kill(pid_, number); }

  /// Takes the worker's HELLO and answers it.
  void greet(std::uint32_t longest = wire::longest_payload) {
    REQUIRE(next().type == FrameType::hello);
    hello(longest).flush();
  }

  /// The next frame of the worker; type 0 when none comes any more.
  Answer next() {
    while (answers_.empty() && read_more()) {
    }
    if (answers_.empty()) {
      return {};
    }
    Answer answer = std::move(answers_.front());
    answers_.erase(answers_.begin());
    return answer;
  }
  std::vector<Answer> next(std::size_t count) {
    std::vector<Answer> all;
    while (all.size() < count) {
      all.push_back(next());
    }
    return all;
  }
  /// How many frames one read brings, HELLO and all before it aside.
  std::size_t frames_of_one_write() {
    REQUIRE(answers_.empty());
    static_cast<void>(read_more());
    return std::exchange(answers_, {}).size();
  }
  /// Whether the worker has closed its end and nothing more has come.
  [[nodiscard]] bool at_end() { return next().type == FrameType{}; }

  /// Exit status, or 128 + signal; -1 when it has not ended after ten seconds.
  [[nodiscard]] int status() {
    for (int waited = 0; waited < 10000; ++waited) {
      int raw = 0;
      if (waitpid(pid_, &raw, WNOHANG) == pid_) {
        pid_ = -1;
        return WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
      }
      static_cast<void>(poll(nullptr, 0, 1));
    }
    return -1;
  }

 private:
  bool read_more() {
    pollfd ready{fd_, POLLIN, 0};
    if (poll(&ready, 1, 10000) != 1) {
      FAIL("the worker says nothing");
    }
    std::string buffer(std::size_t{1} << 18U, '\0');
    const ssize_t size = recv(fd_, buffer.data(), buffer.size(), 0);
    if (size <= 0) {
      return false;
    }
    const bool good =
        parser_.feed(std::string_view(buffer).substr(0, static_cast<std::size_t>(size)),
                     [&](const wire::Frame& frame) { answers_.push_back({frame.type, frame.task, std::string(frame.payload)}); });
    CHECK_MESSAGE(good, "the worker ", parser_.problem());
    return good;
  }

  int fd_ = -1;
  pid_t pid_ = -1;
  std::string out_;
  wire::FrameParser parser_;
  std::vector<Answer> answers_;
};

inline Answer result(std::uint64_t task, std::string payload) { return {FrameType::result, task, std::move(payload)}; }

}  // namespace corral::worker::testing
