#include "supervisor/shell/api/control_socket.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "supervisor/shell/process/setup.hpp"

namespace corral::api {
namespace {

/// Who waits to be let in. A longer queue is a longer wait for the last; whoever finds it full waits in connect, or comes again.
constexpr int backlog = 1024;
constexpr mode_t for_owner = 0600;

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(static_cast<char*>(address.sun_path), longest_socket_path - 1);
  return address;
}

/// sockaddr_un for the interface of 1983.
const sockaddr* as_any(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }  // NOLINT

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

enum class Found { nothing, abandoned, taken, other };

/// `owner`: whose it is, 0 where that is not seen from here (another pid namespace).
Found look_at(const std::string& path, pid_t& owner) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) {
    return errno == ENOENT ? Found::nothing : Found::other;
  }
  if (!S_ISSOCK(info.st_mode)) {
    return Found::other;
  }
  const FileDescriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_un address = address_of(path);
  if (::connect(probe.get(), as_any(address), sizeof address) == 0 || errno != ECONNREFUSED) {
    ucred peer{};
    socklen_t size = sizeof peer;
    owner = ::getsockopt(probe.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
    return Found::taken;
  }
  return Found::abandoned;
}

}  // namespace

Result<ControlSocket> ControlSocket::open(const std::string& path) {
  if (path.size() >= longest_socket_path) {
    return failure(fmt::format("'{}' is too long for a socket: at most {} bytes", path, longest_socket_path - 1));
  }
  // Whoever replaces an abandoned socket does it alone: another one would remove what the first has just made.
  const FileDescriptor folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) {
    return system_failure(fmt::format("cannot open '{}'", folder_of(path)), errno);
  }
  if (::flock(folder.get(), LOCK_EX | LOCK_NB) != 0) {
    ::usleep(1000);
    static_cast<void>(::flock(folder.get(), LOCK_EX | LOCK_NB));  // Once more; a bind that loses says so.
  }
  pid_t owner = 0;
  switch (look_at(path, owner)) {
    case Found::nothing: break;
    case Found::abandoned: ::unlink(path.c_str()); break;
    case Found::taken:
      return std::unexpected(Error{fmt::format("{} listens at '{}': give each configuration a `control.socket` of its own",
                                               owner > 0 ? fmt::format("process {}", owner) : "another process", path),
                                   EADDRINUSE});
    case Found::other: return failure(fmt::format("'{}' is there already, and is no socket that could be replaced", path));
  }
  ControlSocket made;
  made.path_ = path;
  made.listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_un address = address_of(path);
  // Before the file exists: it is never more open than it should be.
  if (!made.listener_ || ::fchmod(made.listener_.get(), for_owner) != 0 ||
      ::bind(made.listener_.get(), as_any(address), sizeof address) != 0) {
    return system_failure(fmt::format("cannot make the socket '{}'", path), errno);
  }
  struct stat info{};
  if (::chmod(path.c_str(), for_owner) != 0 || ::lstat(path.c_str(), &info) != 0 ||
      ::listen(made.listener_.get(), backlog) != 0) {
    const int error = errno;
    ::unlink(path.c_str());
    return system_failure(fmt::format("cannot listen at '{}'", path), error);
  }
  made.inode_ = info.st_ino;
  return made;
}

Result<ControlSocket> ControlSocket::open_default(std::string_view config, std::string_view identity) {
  const std::string folder = process::runtime_directory();
  if (Result<void> made = process::make_runtime_directory(); !made) {
    return std::unexpected(made.error());
  }
  std::string name(config.substr(config.rfind('/') + 1));
  name = name.substr(0, name.rfind('.') == 0 ? std::string::npos : name.rfind('.'));
  Result<ControlSocket> first = open(fmt::format("{}/{}.sock", folder, name));
  if (first || first.error().error_number != EADDRINUSE) {
    return first;
  }
  constexpr std::size_t enough = 8;
  return open(fmt::format("{}/{}-{}.sock", folder, name, identity.substr(0, enough)));
}

void ControlSocket::remove() const {
  struct stat info{};
  if (::lstat(path_.c_str(), &info) == 0 && info.st_ino == inode_) {
    ::unlink(path_.c_str());
  }
}

}  // namespace corral::api
