#include "supervisor/shell/api/farewells.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace corral::api {

namespace asio = boost::asio;

namespace {

constexpr std::size_t most_leavers = 16;
constexpr auto time_to_leave = std::chrono::seconds(1);

}  // namespace

class Farewells::Leaver : public std::enable_shared_from_this<Leaver> {
 public:
  explicit Leaver(asio::io_context& loop) : connection_(loop), patience_(loop) {}

  void begin(FileDescriptor connection) {
    boost::system::error_code ec;
    if (connection_.assign(connection.get(), ec); ec) {
      return;  // It cannot be watched: he has had his answer.
    }
    static_cast<void>(connection.release());
    patience_.expires_after(time_to_leave);
    patience_.async_wait([self = shared_from_this()](boost::system::error_code) { self->close(); });
    listen();
  }

  void close() {
    boost::system::error_code ignored;
    connection_.close(ignored);
    patience_.cancel();
  }

  [[nodiscard]] bool is_there() const { return connection_.is_open(); }

 private:
  void listen() {
    connection_.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](boost::system::error_code ec) {
      if (!ec) {
        self->hear();
      }
    });
  }

  void hear() {
    std::array<char, 8192> asked;  // NOLINT: filled by recv.
    const ssize_t count = ::recv(connection_.native_handle(), asked.data(), asked.size(), MSG_DONTWAIT);
    if (count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR))) {
      return listen();
    }
    close();
  }

  asio::posix::stream_descriptor connection_;
  asio::steady_timer patience_;
};

void Farewells::say(FileDescriptor connection, std::string_view reply) {
  static_cast<void>(::send(connection.get(), reply.data(), reply.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
  static_cast<void>(::shutdown(connection.get(), SHUT_WR));
  std::erase_if(leavers_, [](const auto& leaver) { return !leaver->is_there(); });
  while (leavers_.size() >= most_leavers) {
    drop_oldest();
  }
  leavers_.push_back(std::make_shared<Leaver>(loop_));
  leavers_.back()->begin(std::move(connection));
}

bool Farewells::drop_oldest() {
  while (!leavers_.empty()) {
    const std::shared_ptr<Leaver> oldest = std::move(leavers_.front());
    leavers_.pop_front();
    if (oldest->is_there()) {
      oldest->close();
      return true;
    }
  }
  return false;
}

void Farewells::close() {
  while (drop_oldest()) {
  }
}

}  // namespace corral::api
