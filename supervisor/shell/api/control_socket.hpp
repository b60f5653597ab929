// The file that the API is reached by: a Unix socket that only its owner and root can open.
#pragma once

#include <string>
#include <string_view>

#include "common/base/file_descriptor.hpp"
#include "common/base/result.hpp"

namespace corral::api {

/// sockaddr_un has no room for more, the closing NUL counted.
inline constexpr std::size_t longest_socket_path = 108;

class ControlSocket {
 public:
  /// Binds and listens at `path`, with mode 0600. A socket that nobody listens on any more is replaced; anything else that is
  /// there is left alone. The error says who is in the way.
  [[nodiscard]] static Result<ControlSocket> open(const std::string& path);
  /// At FOLDER/NAME.sock, or where another supervisor has that name, FOLDER/NAME-IDENTITY.sock. The folder is made with mode
  /// 0700.
  [[nodiscard]] static Result<ControlSocket> open_default(std::string_view config, std::string_view identity);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] FileDescriptor take_listener() { return std::move(listener_); }
  /// Removes the file, if it is still ours.
  void remove() const;

 private:
  FileDescriptor listener_;
  std::string path_;
  unsigned long inode_ = 0;
};

}  // namespace corral::api
