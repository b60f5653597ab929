// Where clients of the API come in, on the first thread.
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "supervisor/shell/api/loopback.hpp"
#include "supervisor/shell/api/token_file.hpp"
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

std::string_view of(control::Guard::Mistake mistake) {
  switch (mistake) {
    case control::Guard::Mistake::host: return "that asked for another Host";
    case control::Guard::Mistake::origin: return "that speaks for a page of another origin";
    case control::Guard::Mistake::token: return "without the token";
  }
  return "";
}

}  // namespace

/// On the first thread, beside the loop, as is all of this.
void Pump::open_api() {
  api::Callbacks callbacks;
  callbacks.handler = [this](control::Request request, api::Answer answer) {
    if (std::holds_alternative<control::GetStatus>(request.wish)) {
      desk_.ask(generation_.load(), now(), std::move(answer));
      return ++last_request_;
    }
    asio::post(loop_, [this, id = ++last_request_, request = std::move(request), answer = std::move(answer)]() mutable {
      hear(id, request, std::move(answer));
      turn();
    });
    return last_request_;
  };
  callbacks.abandoned = [this](api::RequestId id) {
    asio::post(loop_, [this, id] {
      abandon(core::CommandId{id});
      turn();
    });
  };
  callbacks.stranger_seen = [this](uid_t user) {
    client_refused(fmt::format("user {} was refused at the control socket; only user {} and root may command this supervisor",
                               user, ::geteuid()));
  };
  callbacks.mistake_seen = [this](control::Guard::Mistake mistake, const std::string& address) {
    client_refused(fmt::format("a client {} was refused at {}", of(mistake), address));
  };
  const api::Limits limits = limits_of_clients();
  most_followers_ = limits.connections / 2;
  server_.emplace(aside_, std::move(callbacks), limits);
  open_socket();
  if (options_.control->listen) {
    open_loopback();
  }
}

void Pump::open_socket() {
  Result<api::ControlSocket> socket = options_.control->socket.empty()
                                          ? api::ControlSocket::open_default(options_.control->config, options_.control->identity)
                                          : api::ControlSocket::open(options_.control->socket);
  const std::string& trouble = options_.control->trouble;
  if (!socket) {
    constexpr std::string_view unreached = "corral status and its like do not reach this supervisor";
    const bool same = trouble.starts_with(socket.error().message);
    if (!same && !trouble.empty()) {
      degraded(trouble);
    }
    return degraded(fmt::format("{}{}{}", same ? trouble : socket.error().message, same ? ", and " : "; ", unreached));
  }
  if (!trouble.empty()) {
    degraded(trouble);
  }
  control_socket_ = std::move(*socket);
  if (options_.control->listening) {
    options_.control->listening(control_socket_->path());
  }
  asio::post(loop_, [this, path = control_socket_->path()] { socket_path_ = path; });
  server_->accept_at(control_socket_->take_listener());
}

void Pump::open_loopback() {
  const core::LoopbackAddress& address = *options_.control->listen;
  Result<std::string> token = api::token_of(options_.control->token_file);
  Result<FileDescriptor> listener = token ? api::listen_at(address) : std::unexpected(token.error());
  if (!listener) {
    return degraded(std::move(listener.error().message) + "; there is no control API over TCP");
  }
  server_->accept_at(std::move(*listener), control::Guard(address, std::move(*token)));
}

void Pump::degraded(std::string why) {
  asio::post(loop_, [this, why = std::move(why)]() mutable {
    say(Weight::notable, "degraded", std::move(why));
    voice_->flush();
  });
}

void Pump::client_refused(std::string what) {
  asio::post(loop_, [this, what = std::move(what)]() mutable {
    say(Weight::notable, "client_refused", std::move(what));
    voice_->flush();
  });
}

void Pump::close_api() {
  // Who follows hears the last of it, if he listens.
  const auto until = std::chrono::steady_clock::now() + last_events;
  aside_.restart();
  // The core's last answers were handed over a moment ago: whoever asked for the end hears of it.
  while (std::chrono::steady_clock::now() < until && aside_.poll_one() > 0) {
  }
  while (server_ && server_->followers() > 0 && aside_.run_one_until(until) > 0) {
  }
  server_.reset();
  aside_.poll();  // Connections end while both loops are there.
  if (control_socket_) {
    control_socket_->remove();
  }
}

}  // namespace corral::shell
