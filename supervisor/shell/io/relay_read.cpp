// The relay's pipes, read and ended.
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "supervisor/shell/io/relay.hpp"
#include "supervisor/shell/io/relay_key.hpp"

namespace corral::shell {
namespace {

constexpr std::size_t read_size = std::size_t{64} * 1024;
constexpr int batch = 64;
constexpr int most_reads = 16;

constexpr int width = 1 << 19;         ///< Less than is read when a life ends: most_reads times read_size.
constexpr std::size_t most_wide = 64;  ///< The kernel's memory too has a bound.

}  // namespace

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

/// Whoever fills his pipe before it is read waits, and has to be woken for each piece: in a wider one he writes on meanwhile.
void Relay::widen(Pipe& pipe) {
  if (wide_pipes_ < most_wide) {
    ++wide_pipes_;
    pipe.wide = true;  // Whether it can be had or not (another user's limit): it is asked for once.
    if (::fcntl(pipe.fd.get(), F_GETPIPE_SZ) == pipe.size) {
      pipe.size = std::max(::fcntl(pipe.fd.get(), F_SETPIPE_SZ, width), pipe.size);
    }
  }
}

bool Relay::read_once(Pair& pair, Stream stream) {
  buffer_.resize(read_size);
  Pipe& pipe = pair.pipes[static_cast<std::size_t>(stream)];
  const ssize_t got = ::read(pipe.fd.get(), buffer_.data(), buffer_.size());
  if (got > 0) {
    if (!pipe.wide && got > pipe.size - pipe.size / 4) {
      widen(pipe);
    }
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
      bytes, [&](std::string_view block, bool goes_on) { sink_({pair.life, stream, block, goes_on}); });
}

void Relay::finish_line(Pair& pair, Stream stream) {
  pair.pipes[static_cast<std::size_t>(stream)].lines.finish(
      [&](std::string_view block, bool goes_on) { sink_({pair.life, stream, block, goes_on}); });
}

void Relay::end(Pair& pair, Stream stream) {
  Pipe& pipe = pair.pipes[static_cast<std::size_t>(stream)];
  if (!pipe.fd) {
    return;
  }
  finish_line(pair, stream);
  let_go(pipe);
}

/// Where somebody writes faster than is read here, the rest comes by read_ready.
void Relay::read_available(Pair& pair) {
  for (int reads = 0; reads < most_reads && !ended(pair); ++reads) {
    // The pipes block, so each is asked first; there is no other reader who could take what was promised.
    std::array<pollfd, 2> asked{pollfd{pair.pipes[0].fd.get(), POLLIN, 0}, pollfd{pair.pipes[1].fd.get(), POLLIN, 0}};
    if (::poll(asked.data(), asked.size(), 0) <= 0) {
      return;
    }
    for (const Stream stream : {Stream::out, Stream::err}) {
      if (asked[static_cast<std::size_t>(stream)].revents != 0) {
        read_once(pair, stream);
      }
    }
  }
}

void Relay::read_now(Life life) {
  if (Pair* pair = find(life)) {
    read_available(*pair);
  }
}

bool Relay::drain(Life life) {
  Pair* pair = find(life);
  if (pair == nullptr) {
    return true;
  }
  let_end(*pair);
  read_available(*pair);
  if (!ended(*pair)) {
    return false;
  }
  pairs_.erase(life.worker);
  return true;
}

void Relay::close(Life life) {
  if (Pair* pair = find(life)) {
    let_end(*pair);
    read_available(*pair);
    end(*pair, Stream::out);
    end(*pair, Stream::err);
    pairs_.erase(life.worker);
  }
}

}  // namespace corral::shell
