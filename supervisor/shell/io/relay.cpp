#include "supervisor/shell/io/relay.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/check.hpp"

namespace corral::shell {
namespace {

constexpr std::size_t read_size = 64 * 1024;
constexpr int batch = 64;
constexpr int most_reads = 16;

/// The key of a pipe in the epoll set: program, index and stream in 64 bits.
constexpr std::uint64_t key_of(WorkerId worker, Stream stream) {
  return std::uint64_t{number(worker.program)} << 33U | std::uint64_t{worker.index} << 1U | static_cast<std::uint64_t>(stream);
}

constexpr WorkerId worker_of(std::uint64_t key) {
  return {ProgramId{static_cast<std::uint32_t>(key >> 33U)}, static_cast<std::uint32_t>(key >> 1U)};
}

constexpr Stream stream_of(std::uint64_t key) { return static_cast<Stream>(key & 1U); }

}  // namespace

Result<Relay> Relay::open(LineSink sink) {
  Relay relay(std::move(sink));
  relay.set_ = FileDescriptor(::epoll_create1(EPOLL_CLOEXEC));
  if (!relay.set_) {
    return system_failure("cannot watch the workers' output", errno);
  }
  return relay;
}

Relay::Pair* Relay::find(Life life) {
  const auto found = pairs_.find(life.worker);
  return found != pairs_.end() && found->second.life == life ? &found->second : nullptr;
}

/// Closing is not enough to be told no more of a pipe: a launch under way may hold a copy of it, and with that the epoll set
/// would go on to tell of it by the key of this worker, whose next life has a pipe with nothing to read in it.
void Relay::unwatch(FileDescriptor& fd) {
  if (fd) {
    ::epoll_ctl(set_.get(), EPOLL_CTL_DEL, fd.get(), nullptr);
    fd.reset();
  }
}

void Relay::forget(Pair& pair) {
  for (Pipe& pipe : pair.pipes) {
    unwatch(pipe.fd);
  }
}

Result<Relay::WriteEnds> Relay::connect(Life life) {
  WriteEnds ends;
  Pair pair{life, {}};
  for (const Stream stream : {Stream::out, Stream::err}) {
    std::array<int, 2> fds{};
    if (::pipe2(fds.data(), O_CLOEXEC) != 0) {
      const int error = errno;
      forget(pair);
      return system_failure("cannot create a pipe for its output", error);
    }
    pair.pipes[static_cast<std::size_t>(stream)].fd = FileDescriptor(fds[0]);
    (stream == Stream::out ? ends.out : ends.err) = FileDescriptor(fds[1]);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = key_of(life.worker, stream);
    if (::epoll_ctl(set_.get(), EPOLL_CTL_ADD, fds[0], &event) != 0) {
      const int error = errno;
      forget(pair);
      return system_failure("cannot watch a pipe", error);
    }
  }
  const bool is_new = pairs_.insert_or_assign(life.worker, std::move(pair)).second;
  CORRAL_CHECK(is_new);
  open_pipes_ += 2;
  return ends;
}

void Relay::read_ready(std::vector<Life>& closed) {
  std::array<epoll_event, batch> events{};
  const int count = ::epoll_wait(set_.get(), events.data(), batch, 0);
  for (int i = 0; i < count; ++i) {
    const std::uint64_t key = events[static_cast<std::size_t>(i)].data.u64;
    const auto found = pairs_.find(worker_of(key));
    if (found == pairs_.end() || !found->second.pipes[key & 1U].fd) {
      continue;
    }
    if (!read_once(found->second, stream_of(key)) && ended(found->second)) {
      closed.push_back(found->second.life);
      pairs_.erase(found);
    }
  }
}

bool Relay::read_once(Pair& pair, Stream stream) {
  buffer_.resize(read_size);
  Pipe& pipe = pair.pipes[static_cast<std::size_t>(stream)];
  const ssize_t got = ::read(pipe.fd.get(), buffer_.data(), buffer_.size());
  if (got > 0) {
    hand_on(pair, stream, {buffer_.data(), static_cast<std::size_t>(got)});
    return true;
  }
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
    return true;
  }
  end(pair, stream);
  return false;
}

void Relay::hand_on(Pair& pair, Stream stream, std::string_view bytes) {
  pair.pipes[static_cast<std::size_t>(stream)].lines.feed(
      bytes, [&](std::string_view line, bool goes_on) { sink_({pair.life, stream, line, goes_on}); });
}

void Relay::end(Pair& pair, Stream stream) {
  Pipe& pipe = pair.pipes[static_cast<std::size_t>(stream)];
  if (!pipe.fd) {
    return;
  }
  pipe.lines.finish([&](std::string_view line, bool goes_on) { sink_({pair.life, stream, line, goes_on}); });
  unwatch(pipe.fd);
  CORRAL_CHECK(open_pipes_ > 0);
  --open_pipes_;
}

bool Relay::drain(Life life) {
  Pair* pair = find(life);
  if (pair == nullptr) {
    return true;
  }
  // Somebody who outlived the worker may write for ever: after a pipe's worth the rest comes by read_ready.
  for (int reads = 0; !ended(*pair); ++reads) {
    if (reads == most_reads) {
      return false;
    }
    // The pipes block, so each is asked first; there is no other reader who could take what was promised.
    std::array<pollfd, 2> asked{pollfd{pair->pipes[0].fd.get(), POLLIN, 0}, pollfd{pair->pipes[1].fd.get(), POLLIN, 0}};
    if (::poll(asked.data(), asked.size(), 0) <= 0) {
      return false;
    }
    for (const Stream stream : {Stream::out, Stream::err}) {
      if (asked[static_cast<std::size_t>(stream)].revents != 0) {
        read_once(*pair, stream);
      }
    }
  }
  pairs_.erase(life.worker);
  return true;
}

void Relay::close(Life life) {
  if (Pair* pair = find(life)) {
    end(*pair, Stream::out);
    end(*pair, Stream::err);
    pairs_.erase(life.worker);
  }
}

}  // namespace corral::shell
