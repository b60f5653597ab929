#include "supervisor/shell/io/relay.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/base/check.hpp"
#include "supervisor/shell/io/relay_key.hpp"

namespace corral::shell {

int Relay::half_of_the_descriptors() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  return static_cast<int>(std::min<rlim_t>(files.rlim_cur, 1U << 20U) / 2);
}

Result<Relay> Relay::open(Sink sink, Closer closer, int keep_below) {
  Relay relay(std::move(sink), std::move(closer));
  relay.set_ = FileDescriptor(::epoll_create1(EPOLL_CLOEXEC));
  if (!relay.set_) {
    return system_failure("cannot watch the workers' output", errno);
  }
  relay.keep_below_ = keep_below;
  return relay;
}

Relay::Pair* Relay::find(Life life) {
  const auto found = pairs_.find(life.worker);
  return found != pairs_.end() && found->second.life == life && !found->second.between_lives ? &found->second : nullptr;
}

int Relay::watch(const Pair& pair, Stream stream) const {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = key_of(pair.life.worker, stream);
  return ::epoll_ctl(set_.get(), EPOLL_CTL_ADD, pair.pipes[static_cast<std::size_t>(stream)].fd.get(), &event) == 0 ? 0 : errno;
}

void Relay::hold(WorkerId worker) {
  const auto found = pairs_.find(worker);
  if (found == pairs_.end() || std::exchange(found->second.held, true)) {
    return;
  }
  for (const Pipe& pipe : found->second.pipes) {
    if (pipe.fd) {
      ::epoll_ctl(set_.get(), EPOLL_CTL_DEL, pipe.fd.get(), nullptr);
    }
  }
}

void Relay::resume(WorkerId worker) {
  const auto found = pairs_.find(worker);
  if (found == pairs_.end() || !std::exchange(found->second.held, false)) {
    return;
  }
  for (const Stream stream : {Stream::out, Stream::err}) {
    if (found->second.pipes[static_cast<std::size_t>(stream)].fd) {
      static_cast<void>(watch(found->second, stream));  // It fails for want of memory alone; the end of the life reads the rest.
    }
  }
}

/// Closing is not enough to be told no more of a pipe: a launch under way may hold a copy of it, and with that the epoll set
/// would go on to tell of it by the key of this worker, whose next life has a pipe with nothing to read in it.
void Relay::let_go(Pipe& pipe) {
  if (pipe.fd) {
    ::epoll_ctl(set_.get(), EPOLL_CTL_DEL, pipe.fd.get(), nullptr);
    closer_(std::move(pipe.fd));
    CORRAL_CHECK(open_pipes_ > 0);
    --open_pipes_;
    wide_pipes_ -= pipe.wide ? 1U : 0U;
  }
}

void Relay::close_all(Pair& pair) {
  let_end(pair);
  for (Pipe& pipe : pair.pipes) {
    let_go(pipe);
  }
}

void Relay::let_end(Pair& pair) {
  for (Pipe& pipe : pair.pipes) {
    pipe.write_end.reset();
  }
}

/// From now on no pipe is kept. True when that has made room.
bool Relay::let_all_end() {
  keep_below_ = 0;
  bool any = false;
  for (auto it = pairs_.begin(); it != pairs_.end();) {
    any = any || is_kept(it->second);
    let_end(it->second);
    if (it->second.between_lives) {
      close_all(it->second);
      it = pairs_.erase(it);
    } else {
      ++it;
    }
  }
  return any;
}

Result<Relay::Pair> Relay::make(Life life) {
  Pair pair{life, {}};
  for (const Stream stream : {Stream::out, Stream::err}) {
    std::array<int, 2> fds{};
    if (::pipe2(fds.data(), O_CLOEXEC) != 0) {
      const int error = errno;
      close_all(pair);
      return system_failure("cannot create a pipe for its output", error);
    }
    Pipe& pipe = pair.pipes[static_cast<std::size_t>(stream)];
    pipe.fd = FileDescriptor(fds[0]);
    pipe.write_end = FileDescriptor(fds[1]);
    pipe.size = ::fcntl(fds[1], F_GETPIPE_SZ);
    ++open_pipes_;
    if (const int error = watch(pair, stream); error != 0) {
      close_all(pair);
      return system_failure("cannot watch a pipe", error);
    }
  }
  return pair;
}

/// A process can change the pipe itself and not only its own descriptor of it: how large it is and whether writing blocks. The
/// next life shall not inherit that.
bool Relay::is_as_made(const Pair& pair) {
  return std::ranges::all_of(pair.pipes, [](const Pipe& pipe) {
    return ::fcntl(pipe.write_end.get(), F_SETFL, 0) == 0 && ::fcntl(pipe.write_end.get(), F_GETPIPE_SZ) == pipe.size;
  });
}

Result<Relay::WriteEnds> Relay::connect(Life life) {
  auto found = pairs_.find(life.worker);
  CORRAL_CHECK(found == pairs_.end() || found->second.between_lives);
  if (found != pairs_.end() && !is_as_made(found->second)) {
    forget(life.worker);
    found = pairs_.end();
  }
  if (found != pairs_.end()) {
    found->second.life = life;
    found->second.between_lives = false;
  } else {
    Result<Pair> made = make(life);
    if (!made && made.error().error_number == EMFILE && let_all_end()) {
      made = make(life);
    }
    if (!made) {
      return std::unexpected(std::move(made.error()));
    }
    found = pairs_.emplace(life.worker, std::move(*made)).first;
  }
  return WriteEnds{found->second.pipes[0].write_end.get(), found->second.pipes[1].write_end.get()};
}

void Relay::launched(Life life) {
  Pair* pair = find(life);
  if (pair != nullptr && std::max(pair->pipes[0].write_end.get(), pair->pipes[1].write_end.get()) >= keep_below_) {
    let_end(*pair);
  }
}

bool Relay::keeps(Life life) {
  const Pair* pair = find(life);
  return pair != nullptr && is_kept(*pair);
}

void Relay::finish(Life life) {
  Pair* pair = find(life);
  CORRAL_CHECK(pair != nullptr && is_kept(*pair));
  read_available(*pair);
  for (const Stream stream : {Stream::out, Stream::err}) {
    finish_line(*pair, stream);
  }
  pair->between_lives = true;
}

void Relay::forget(WorkerId worker) {
  if (const auto found = pairs_.find(worker); found != pairs_.end() && found->second.between_lives) {
    close_all(found->second);
    pairs_.erase(found);
  }
}

}  // namespace corral::shell
