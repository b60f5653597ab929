#include "supervisor/shell/tasks/client.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "common/base/check.hpp"
#include "common/base/text.hpp"
#include "supervisor/shell/tasks/story.hpp"

namespace corral::shell {
namespace {

namespace asio = boost::asio;

constexpr std::size_t client_read_size = std::size_t{256} << 10U;
/// Read and not yet taken: so many tasks, or so many bytes and the task that crosses the bound.
constexpr std::size_t most_waiting = 1024;
constexpr std::size_t most_waiting_bytes = std::size_t{16} << 20U;
constexpr std::size_t most_unsent = std::size_t{1} << 20U;

/// Who made the socket. A process that the client has forked may hold its end open for longer than the client lives.
FileDescriptor watch_on_maker(int socket) {
  ucred maker{};
  socklen_t size = sizeof maker;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &maker, &size) != 0 || maker.pid <= 0) {
    return FileDescriptor();  // Of another PID namespace: then the end of the socket has to do.
  }
  return FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, maker.pid, 0U)));
}

}  // namespace

Client::Client(asio::io_context& loop, int socket, FileDescriptor own, std::function<void()> awake)
    : awake_(std::move(awake)),
      socket_(loop, own.release()),
      process_(loop),
      writer_(loop, socket, [this] { awake_(); }),
      buffer_(client_read_size) {}

Result<std::unique_ptr<Client>> Client::open(asio::io_context& loop, int socket, std::function<void()> awake) {
  FileDescriptor own(::fcntl(socket, F_DUPFD_CLOEXEC, 3));
  if (!own) {
    return system_failure("cannot watch the client's socket", errno);
  }
  FileDescriptor process = watch_on_maker(socket);
  std::unique_ptr<Client> client(new Client(loop, socket, std::move(own), std::move(awake)));
  client->watch();
  if (process) {
    client->process_.assign(process.release());
    client->watch_process();
  }
  return client;
}

// ---- Reading --------------------------------------------------------------------------------------------------------

bool Client::full() const { return waiting_.size() >= most_waiting || waiting_bytes_ >= most_waiting_bytes; }

void Client::watch() {
  if (watching_ || shut_ || gone_ || full()) {
    return;
  }
  watching_ = true;
  socket_.async_wait(asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code ec) {
    watching_ = false;
    if (!ec && !gone_) {
      read_some();
      watch();
      awake_();
    }
  });
}

/// It has said all that it has to say, and may still listen.
void Client::watch_for_hang_up() {
  socket_.async_wait(asio::posix::stream_descriptor::wait_error, [this](boost::system::error_code ec) {
    if (!ec) {
      be_gone("has closed its socket", false);
      awake_();
    }
  });
}

void Client::watch_process() {
  process_.async_wait(asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code ec) {
    if (!ec) {
      be_gone("has ended", false);
      awake_();
    }
  });
}

void Client::read_some() {
  const ssize_t got = ::recv(socket_.native_handle(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
    return;
  }
  if (got <= 0) {
    if (got < 0 || parser_.has_part() || !greeted_) {
      return be_gone(parser_.has_part() ? "has closed its socket in the middle of a frame" : "has closed its socket", false);
    }
    over_ = shut_ = true;
    return watch_for_hang_up();
  }
  const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(got));
  if (!parser_.feed(bytes, [this](const wire::Frame& frame) { receive(frame); })) {
    be_gone(parser_.problem());
  }
}

void Client::receive(const wire::Frame& frame) {
  if (gone_) {
    return;
  }
  if (greeted_ == (frame.type == wire::FrameType::hello)) {
    return be_gone(greeted_ ? "has said HELLO twice" : "did not say HELLO first");
  }
  switch (frame.type) {
    case wire::FrameType::hello: return greet(frame);
    case wire::FrameType::task: return take_task(frame);
    case wire::FrameType::cancel: return take_cancel(frame.task);
    case wire::FrameType::drain: over_ = true; return;
    case wire::FrameType::result:
    case wire::FrameType::error:
    case wire::FrameType::progress:
    case wire::FrameType::quarantined:
    case wire::FrameType::begun: return be_gone(fmt::format("has sent {}, which is not a client's to say", name(frame.type)));
  }
}

void Client::greet(const wire::Frame& frame) {
  const auto hello = wire::decode_hello(frame.payload);
  if (!hello || hello->version == 0) {
    return be_gone("said HELLO in a way that is not the protocol's");
  }
  greeted_ = true;
  longest_ = hello->longest_payload;
  wire::Hello ours;
  ours.version = std::min(hello->version, wire::protocol_version);
  ours.longest_payload = UINT32_MAX;
  ours.name = "corral";
  send(wire::FrameType::hello, 0, wire::encode(ours));
}

void Client::take_task(const wire::Frame& frame) {
  if (over_) {
    return be_gone("has sent a TASK behind its DRAIN");
  }
  if (!open_.try_emplace(frame.task).second) {
    return be_gone(fmt::format("has sent task {} again before it was answered", frame.task));
  }
  auto owner = std::make_shared<const std::string>(frame.payload);
  const std::string_view all = *owner;
  waiting_.push_back({std::move(owner), all, frame.task, false});
  waiting_bytes_ += all.size();
}

void Client::take_cancel(std::uint64_t number) {
  const auto found = open_.find(number);
  if (found == open_.end()) {
    return;  // Its answer crosses this.
  }
  if (found->second.accepted) {
    return cancels_.push_back({found->second.slot, found->second.task});
  }
  const auto line = std::ranges::find(waiting_, number, &InputLine::number);
  CORRAL_CHECK(line != waiting_.end());
  waiting_bytes_ -= line->bytes.size();
  waiting_.erase(line);
  skip({}, number);
}

void Client::be_gone(std::string why, bool fault) {
  if (std::exchange(gone_, true)) {
    return;
  }
  waiting_.clear();
  waiting_bytes_ = 0;
  end_ = End{std::move(why), !std::exchange(over_, true), fault};
}

std::optional<InputLine> Client::next() {
  if (waiting_.empty()) {
    return std::nullopt;
  }
  InputLine line = std::move(waiting_.front());
  waiting_.pop_front();
  waiting_bytes_ -= line.bytes.size();
  watch();
  return line;
}

void Client::accepted(std::uint64_t number, core::TaskSlot slot, core::TaskId task) {
  if (const auto found = open_.find(number); found != open_.end()) {
    found->second = {slot, task, true};
  }
}

// ---- Writing --------------------------------------------------------------------------------------------------------

/// The loop does not run meanwhile: what it would have told of the client's end is looked for here.
bool Client::wait(Duration patience) {
  pollfd process{process_.is_open() ? process_.native_handle() : -1, POLLIN, 0};
  gone_ = gone_ || ::poll(&process, 1, 0) > 0;
  return gone_ || writer_.wait(patience);
}

bool Client::congested() const { return pending() > most_unsent; }

void Client::send(wire::FrameType type, std::uint64_t number, std::string_view payload) {
  if (gone_) {
    return;
  }
  if (payload.size() <= longest_) {
    const auto header = wire::encode(wire::Header{static_cast<std::uint32_t>(payload.size()), type, number});
    writer_.append({header.data(), header.size()});
    return writer_.append(payload);
  }
  std::string why = R"({"type":"ResultTooLong","message":)";
  append_json_string(why, fmt::format("the answer has {} bytes, and its client takes {}", payload.size(), longest_));
  why += '}';
  send(wire::FrameType::quarantined, number, std::string_view(why).substr(0, longest_));
}

void Client::add(const core::RecordTask& record, std::uint64_t number, std::string_view payload) {
  open_.erase(number);
  if (record.outcome == core::Outcome::done) {
    send(wire::FrameType::result, number, payload);
  } else if (record.mishap == core::Mishap::reported) {
    send(wire::FrameType::error, number, payload);
  } else {
    send(wire::FrameType::quarantined, number, story_json(record, record.life.worker.index, payload));
  }
}

void Client::skip(core::TaskId /*task*/, std::uint64_t number) {
  open_.erase(number);
  send(wire::FrameType::cancel, number, {});
}

}  // namespace corral::shell
