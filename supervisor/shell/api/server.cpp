#include "supervisor/shell/api/server.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <list>
#include <set>
#include <utility>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "supervisor/shell/api/session.hpp"

namespace corral::api {

namespace asio = boost::asio;
using Socket = asio::generic::stream_protocol::socket;

namespace {

uid_t user_of(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.uid : static_cast<uid_t>(-1);
}

/// Whoever commands us is we, or root.
bool is_trusted(uid_t user) { return user == ::geteuid() || user == 0; }

constexpr std::string_view for_strangers =
    "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
    "{\"error\":\"this supervisor belongs to another user; only that user and root may command it\"}\n";

/// So many other users are told of, one line each.
constexpr std::size_t most_told = 16;

constexpr auto pause_without_descriptors = std::chrono::milliseconds(100);

/// Accepted one after another before others get their turn.
constexpr int accepted_at_once = 16;

}  // namespace

class Server::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& loop, FileDescriptor listener, Handler handler, Abandoned abandoned, StrangerSeen stranger_seen,
       Limits limits)
      : loop_(loop),
        listener_(loop, listener.release()),
        again_(loop),
        handler_(std::move(handler)),
        abandoned_(std::move(abandoned)),
        stranger_seen_(std::move(stranger_seen)),
        limits_(limits) {}

  void listen() {
    listener_.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](boost::system::error_code ec) {
      if (!ec) {
        self->accept_some();
      }
    });
  }

  void close() {
    listener_.close();
    again_.cancel();
    for (Session* session : sessions_) {
      session->close();
    }
  }

  [[nodiscard]] std::size_t followers() const {
    return static_cast<std::size_t>(std::ranges::count_if(sessions_, &Session::follows));
  }

  std::uint64_t strangers = 0;

 private:
  void accept_some() {
    for (int i = 0; i < accepted_at_once; ++i) {
      const int fd = ::accept4(listener_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)) {
        if (make_room()) {
          continue;
        }
        // Others have taken them: it is tried again in a while, and not as fast as the processor can.
        again_.expires_after(pause_without_descriptors);
        again_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
          if (!ec) {
            self->listen();
          }
        });
        return;
      }
      if (fd < 0 && errno != EINTR && errno != ECONNABORTED) {
        break;
      }
      if (fd >= 0) {
        take(FileDescriptor(fd));
      }
    }
    listen();
  }

  void take(FileDescriptor fd) {
    if (const uid_t user = user_of(fd.get()); !is_trusted(user)) {
      return turn_away(fd.get(), user);
    }
    if (sessions_.size() >= limits_.connections && !make_room()) {
      return;  // All of them wait for an answer of ours: this one is turned away.
    }
    const auto session = std::make_shared<Session>(Socket(loop_, asio::generic::stream_protocol(AF_UNIX, 0), fd.release()),
                                                   handler_, abandoned_, limits_, [weak = weak_from_this()](Session& ended) {
                                                     if (const auto self = weak.lock()) {
                                                       self->sessions_.remove(&ended);
                                                     }
                                                   });
    sessions_.push_back(session.get());
    session->begin();
  }

  void turn_away(int fd, uid_t user) {
    ++strangers;
    static_cast<void>(::send(fd, for_strangers.data(), for_strangers.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
    if (told_.size() < most_told && told_.insert(user).second) {
      stranger_seen_(user);
    }
  }

  bool make_room() { return drop_oldest(Session::Waits::for_request) || drop_oldest(Session::Waits::for_reader); }

  bool drop_oldest(Session::Waits waits) {
    const auto oldest = std::ranges::find(sessions_, waits, &Session::waits);
    if (oldest == sessions_.end()) {
      return false;
    }
    Session* session = *oldest;
    sessions_.erase(oldest);
    session->close();
    return true;
  }

  asio::io_context& loop_;
  asio::posix::stream_descriptor listener_;
  asio::steady_timer again_;
  Handler handler_;
  Abandoned abandoned_;
  StrangerSeen stranger_seen_;
  std::set<uid_t> told_;
  Limits limits_;
  std::list<Session*> sessions_;  ///< The oldest first. Each keeps itself alive by what it waits for.
};

Server::Server(asio::io_context& loop, FileDescriptor listener, Handler handler, Abandoned abandoned, StrangerSeen stranger_seen,
               Limits limits)
    : impl_(std::make_shared<Impl>(loop, std::move(listener), std::move(handler), std::move(abandoned), std::move(stranger_seen),
                                   limits)) {
  impl_->listen();
}

Server::~Server() { impl_->close(); }

std::uint64_t Server::strangers() const { return impl_->strangers; }

std::size_t Server::followers() const { return impl_->followers(); }

}  // namespace corral::api
