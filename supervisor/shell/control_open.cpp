// Where clients of the API come in, on the first thread.
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "supervisor/shell/pump.hpp"

namespace corral::shell {

namespace asio = boost::asio;

namespace {

/// How long clients that follow are waited for at the end.
constexpr Duration last_events = std::chrono::seconds(1);

/// Clients leave most descriptors to the workers.
api::Limits limits_of_clients() {
  api::Limits limits;
  rlimit open_files{};
  constexpr rlim_t share = 4;
  if (::getrlimit(RLIMIT_NOFILE, &open_files) == 0) {
    limits.connections = std::min<rlim_t>(limits.connections, open_files.rlim_cur / share);
  }
  return limits;
}

}  // namespace

/// On the first thread, beside the loop.
void Pump::open_api() {
  Result<api::ControlSocket> socket = options_.control->socket.empty()
                                          ? api::ControlSocket::open_default(options_.control->config, options_.control->identity)
                                          : api::ControlSocket::open(options_.control->socket);
  if (!socket) {
    asio::post(loop_, [this, why = std::move(socket.error().message)] {
      say(Weight::notable, "degraded", why + "; corral status and its like do not reach this supervisor");
      voice_->flush();
    });
    return;
  }
  control_socket_ = std::move(*socket);
  if (options_.control->listening) {
    options_.control->listening(control_socket_->path());
  }
  asio::post(loop_, [this, path = control_socket_->path()] { socket_path_ = path; });
  const auto hear_it = [this](control::Request request, api::Answer answer) {
    asio::post(loop_, [this, id = ++last_request_, request = std::move(request), answer = std::move(answer)]() mutable {
      hear(id, request, std::move(answer));
      turn();
    });
    return last_request_;
  };
  const auto abandoned = [this](api::RequestId id) {
    asio::post(loop_, [this, id] {
      abandon(core::CommandId{id});
      turn();
    });
  };
  const auto tell_of_stranger = [this](uid_t user) {
    asio::post(loop_, [this, user] {
      say(Weight::notable, "client_refused",
          fmt::format("user {} was refused at the control socket; only user {} and root may command this supervisor", user,
                      ::geteuid()));
      voice_->flush();
    });
  };
  server_.emplace(aside_, control_socket_->take_listener(), hear_it, abandoned, tell_of_stranger, limits_of_clients());
}

void Pump::close_api() {
  // Who follows hears the last of it, if he listens.
  const auto until = std::chrono::steady_clock::now() + last_events;
  aside_.restart();
  while (server_ && server_->followers() > 0 && aside_.run_one_until(until) > 0) {
  }
  server_.reset();
  aside_.poll();  // Connections end while both loops are there.
  if (control_socket_) {
    control_socket_->remove();
  }
}

}  // namespace corral::shell
