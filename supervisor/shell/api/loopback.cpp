#include "supervisor/shell/api/loopback.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

namespace corral::api {
namespace {

constexpr int tcp_backlog = 1024;

/// sockaddr_in for the interface of 1983.
template <class Address>
bool bind_to(int socket, const Address& address) {
  return ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;  // NOLINT
}

bool bind_to(int socket, const core::LoopbackAddress& wanted) {
  if (wanted.is_v6()) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(wanted.port);
    address.sin6_addr = in6addr_loopback;
    return bind_to(socket, address);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(wanted.port);
  return ::inet_pton(AF_INET, wanted.host.c_str(), &address.sin_addr) == 1 && bind_to(socket, address);
}

}  // namespace

Result<FileDescriptor> listen_at(const core::LoopbackAddress& address) {
  FileDescriptor socket(::socket(address.is_v6() ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  // What has just ended leaves the port taken for a minute, otherwise. Two that listen there are not possible with it.
  const bool listens = socket && ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                       bind_to(socket.get(), address) && ::listen(socket.get(), tcp_backlog) == 0;
  if (!listens) {
    return system_failure(fmt::format("cannot listen at {}", address.to_string()), errno);
  }
  return socket;
}

}  // namespace corral::api
