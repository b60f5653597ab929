#include "supervisor/cli/api_connection.hpp"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <string_view>

#include "supervisor/shell/process/small_file.hpp"

namespace corral::cli {
namespace {

/// A supervisor in a PID namespace of its own has noted the number that it has there. Unknown is not wrong.
bool is_also(std::int32_t pid, std::int32_t noted) {
  const std::string text = process::read_small_file(fmt::format("/proc/{}/status", pid).c_str()).value_or("");
  constexpr std::string_view key = "\nNSpid:";
  const std::size_t at = text.find(key);
  if (at == std::string::npos) {
    return true;
  }
  const std::string line = text.substr(at + key.size(), text.find('\n', at + 1) - at - key.size());
  return (line + "\t").find(fmt::format("\t{}\t", noted)) != std::string::npos;
}

/// Whoever can write where a socket lies can listen there in another's place.
Result<void> check_listener(const FileDescriptor& socket, const process::Instance& server) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return system_failure("cannot see who listens at '" + server.socket + "'", errno);
  }
  const bool root_says_so = ::geteuid() == 0 && server.pid == 0;
  if (peer.uid != ::geteuid() && peer.uid != 0 && !root_says_so) {
    return failure(
        fmt::format("at '{}' a process of user {} listens, which is neither you nor root: it is told nothing; remove that "
                    "socket, or have the supervisor listen where only you can write",
                    server.socket, peer.uid));
  }
  // 0: its number cannot be seen from here.
  if (server.pid != 0 && peer.pid != 0 && peer.pid != server.pid && !is_also(peer.pid, server.pid)) {
    return std::unexpected(
        Error{fmt::format("at '{}' pid {} listens, not the supervisor of '{}' (pid {}); give each a `control.socket` of its own",
                          server.socket, peer.pid, server.config, server.pid),
              ESRCH});
  }
  return {};
}

}  // namespace

Result<FileDescriptor> connected_to(const process::Instance& server, Duration in_line) {
  const std::string& socket_path = server.socket;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof address.sun_path) {
    return failure(fmt::format("the path of the socket '{}' is longer than {} bytes", socket_path, sizeof address.sun_path - 1));
  }
  std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
  const bool waits = in_line > Duration::zero();
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (waits ? 0 : SOCK_NONBLOCK), 0));
  if (!socket) {
    return system_failure("cannot make a socket", errno);
  }
  if (waits) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(in_line);
    const timeval most{seconds.count(), std::chrono::duration_cast<std::chrono::microseconds>(in_line - seconds).count()};
    static_cast<void>(::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most));
  }
  // Of a Unix socket this is done at once, or refused: EAGAIN says that too many wait for the supervisor already.
  int connected = 0;
  do {
    connected = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);  // NOLINT: as POSIX has it.
  } while (connected != 0 && errno == EINTR);
  if (connected != 0 && errno == EAGAIN) {
    return std::unexpected(Error{
        fmt::format("too many clients wait for the supervisor at '{}': there is no place in its queue", socket_path), EAGAIN});
  }
  if (connected != 0) {
    return system_failure("no supervisor answers at '" + socket_path + "'", errno);
  }
  if (waits) {
    static_cast<void>(::fcntl(socket.get(), F_SETFL, O_NONBLOCK));
  }
  if (const Result<void> right = check_listener(socket, server); !right) {
    return std::unexpected(right.error());
  }
  return socket;
}

std::int32_t listener_of(const std::string& socket_path) {
  const Result<FileDescriptor> socket = connected_to({0, socket_path, {}}, Duration::zero());
  ucred peer{};
  socklen_t size = sizeof peer;
  return socket && ::getsockopt(socket->get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

}  // namespace corral::cli
