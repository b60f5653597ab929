#include "supervisor/shell/api/server.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <list>
#include <set>
#include <utility>
#include <vector>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "supervisor/shell/api/farewells.hpp"
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

int family_of(int fd) {
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  return ::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size) == 0 ? own.ss_family : AF_UNIX;  // NOLINT: as POSIX has it.
}

bool is_readable(int fd) {
  pollfd looked_at{fd, POLLIN, 0};
  return ::poll(&looked_at, 1, 0) == 1;
}

/// Whoever commands us is we, or root.
bool is_trusted(uid_t user) { return user == ::geteuid() || user == 0; }

constexpr std::string_view for_strangers =
    "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: 92\r\nConnection: close\r\n\r\n"
    "{\"error\":\"this supervisor belongs to another user; only that user and root may command it\"}\n";
static_assert(for_strangers.size() - for_strangers.find('{') == 92);

/// So many other users are told of, one line each.
constexpr std::size_t most_told = 16;

/// Somebody may have become one who can give way; whoever ends is noticed at once.
constexpr auto pause_without_room = std::chrono::milliseconds(1);
constexpr auto pause_without_descriptors = std::chrono::milliseconds(100);

/// Accepted one after another before others get their turn. With few of them the last in a long queue waits for all that those
/// before him ask.
std::size_t accepted_at_once(const Limits& limits) { return std::max<std::size_t>(limits.connections / 2, 1); }

}  // namespace

struct Server::Door {
  Door(asio::io_context& loop, int descriptor, std::optional<control::Guard> checked_by)
      : listener(loop, descriptor), again(loop), protocol(family_of(descriptor), 0), guard(std::move(checked_by)) {}
  asio::posix::stream_descriptor listener;
  asio::steady_timer again;
  asio::generic::stream_protocol protocol;
  std::optional<control::Guard> guard;
  bool pauses = false;   ///< Until there is room again, or `again`.
  bool crowded = false;  ///< There are more to be let in than were let in at once.
};

class Server::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& loop, Callbacks callbacks, Limits limits)
      : loop_(loop), callbacks_(std::move(callbacks)), limits_(limits), farewells_(loop) {}

  void open(FileDescriptor listener, std::optional<control::Guard> guard) {
    doors_.push_back(std::make_unique<Door>(loop_, listener.release(), std::move(guard)));
    listen(*doors_.back());
  }

  void close() {
    for (const auto& door : doors_) {
      door->listener.close();
      door->again.cancel();
      door->pauses = false;
    }
    farewells_.close();
    later_.clear();
    for (Session* session : sessions_) {
      session->close();
    }
  }

  [[nodiscard]] std::size_t followers() const {
    return static_cast<std::size_t>(std::ranges::count_if(sessions_, &Session::follows));
  }

  std::uint64_t strangers = 0;

 private:
  using Place = std::list<Session*>::iterator;

  void listen(Door& door) {
    door.listener.async_wait(asio::posix::stream_descriptor::wait_read,
                             [self = shared_from_this(), &door](boost::system::error_code ec) {
                               if (!ec) {
                                 self->accept_some(door);
                               }
                             });
  }

  void listen_again(Door& door, Duration after) {
    door.pauses = true;
    door.again.expires_after(after);
    door.again.async_wait([self = shared_from_this(), &door](boost::system::error_code ec) {
      if (!ec && std::exchange(door.pauses, false)) {
        self->listen(door);
      }
    });
  }

  void accept_some(Door& door) {
    std::size_t left = accepted_at_once(limits_);
    for (; left > 0; --left) {
      if (sessions_.size() >= limits_.connections) {
        if (!is_readable(door.listener.native_handle())) {
          break;
        }
        if (!make_room(door)) {  // All of them wait for an answer of ours, or come before this one: he waits in the queue.
          note_crowd(door, false);
          return listen_again(door, pause_without_room);
        }
      }
      const int fd = ::accept4(door.listener.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)) {
        if (!is_readable(door.listener.native_handle())) {
          break;  // Said before the queue was looked at: no client has to go for that.
        }
        if (farewells_.drop_oldest() || make_room(door)) {
          continue;
        }
        // Others have taken them: it is tried again in a while, and not as fast as the processor can.
        note_crowd(door, false);
        return listen_again(door, pause_without_descriptors);
      }
      if (fd < 0 && errno != EINTR && errno != ECONNABORTED) {
        break;
      }
      if (fd >= 0) {
        take(door, FileDescriptor(fd));
      }
    }
    note_crowd(door, left == 0 && is_readable(door.listener.native_handle()));  // Else nobody comes who would end it.
    listen(door);
  }

  void note_crowd(Door& door, bool crowded) {
    door.crowded = crowded;
    if (!is_crowded()) {
      for (auto& session : std::exchange(later_, {})) {
        asio::post(loop_, [session = std::move(session)] { session->go_on(); });
      }
    }
  }

  [[nodiscard]] bool is_crowded() const {
    return std::ranges::any_of(doors_, [](const auto& door) { return door->crowded; });
  }

  /// Whoever asks for many things at once is answered one of them, and then those are let in who have had no answer yet.
  bool give_way(Session& session) {
    if (is_crowded()) {
      later_.push_back(session.shared_from_this());
      return true;
    }
    return false;
  }

  void take(Door& door, FileDescriptor fd) {
    if (!door.guard) {
      if (const uid_t user = user_of(fd.get()); !is_trusted(user)) {
        return turn_away(std::move(fd), user);
      }
    }
    if (door.guard) {  // Or two replies in a row wait for an acknowledgement that is sent late.
      constexpr int at_once = 1;
      static_cast<void>(::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once));
    }
    Socket socket(loop_);
    boost::system::error_code ec;
    if (socket.assign(door.protocol, fd.get(), ec); ec) {
      return;  // It cannot be watched: this client goes, and no other.
    }
    static_cast<void>(fd.release());
    std::list<Session*> made(1, nullptr);
    const Place place = made.begin();
    const auto session = std::make_shared<Session>(std::move(socket), circumstances(door, place));
    *place = session.get();
    sessions_.splice(sessions_.end(), made);
    guarded_ += door.guard ? 1U : 0U;
    session->begin();
  }

  Session::Circumstances circumstances(Door& door, Place place) {
    const auto ended = [weak = weak_from_this(), place](Session& session) {
      if (const auto self = weak.lock(); self && !session.is_dropped()) {
        self->forget(place);
      }
    };
    const auto gives_way = [weak = weak_from_this()](Session& session) {
      const auto self = weak.lock();
      return self && self->give_way(session);
    };
    const auto refused = [weak = weak_from_this(), &door](control::Guard::Mistake mistake) {
      if (const auto self = weak.lock(); self && self->mistakes_told_.insert(mistake).second) {
        self->callbacks_.mistake_seen(mistake, door.guard->address());
      }
    };
    return {callbacks_.handler, callbacks_.abandoned, limits_, door.guard ? &*door.guard : nullptr, ended, gives_way, refused};
  }

  void turn_away(FileDescriptor fd, uid_t user) {
    ++strangers;
    farewells_.say(std::move(fd), for_strangers);
    if (told_.size() < most_told && told_.insert(user).second) {
      callbacks_.stranger_seen(user);
    }
  }

  void forget(Place place) {
    guarded_ -= (*place)->is_guarded() ? 1U : 0U;
    sessions_.erase(place);
    for (const auto& door : doors_) {
      if (std::exchange(door->pauses, false)) {
        door->again.cancel();
        listen(*door);
      }
    }
  }

  bool make_room(const Door& door) {
    using enum Session::Waits;
    return (guarded_ > 0 && (drop_oldest(for_request, true) || drop_oldest(for_reader, true))) ||
           (!door.guard && (drop_oldest(for_request, false) || drop_oldest(for_reader, false)));
  }

  bool drop_oldest(Session::Waits waits, bool is_guarded) {
    const auto oldest = std::ranges::find_if(
        sessions_, [&](const Session* session) { return session->waits() == waits && session->is_guarded() == is_guarded; });
    if (oldest == sessions_.end()) {
      return false;
    }
    Session* session = *oldest;
    forget(oldest);
    session->drop();
    std::erase_if(later_, [session](const auto& one) { return one.get() == session; });
    return true;
  }

  asio::io_context& loop_;
  Callbacks callbacks_;
  Limits limits_;
  Farewells farewells_;
  std::vector<std::unique_ptr<Door>> doors_;
  std::set<uid_t> told_;
  std::set<control::Guard::Mistake> mistakes_told_;
  std::list<Session*> sessions_;                 ///< The oldest first. Each keeps itself alive by what it waits for.
  std::size_t guarded_ = 0;                      ///< Of them.
  std::vector<std::shared_ptr<Session>> later_;  ///< They have asked again, and give way to those at the doors.
};

Server::Server(asio::io_context& loop, Callbacks callbacks, Limits limits)
    : impl_(std::make_shared<Impl>(loop, std::move(callbacks), limits)) {}

Server::~Server() {
  try {
    impl_->close();
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): what could not be closed in order goes with its owner, now.
  }
}

void Server::accept_at(FileDescriptor listener, std::optional<control::Guard> guard) {
  impl_->open(std::move(listener), std::move(guard));
}

std::uint64_t Server::strangers() const { return impl_->strangers; }

std::size_t Server::followers() const { return impl_->followers(); }

}  // namespace corral::api
