// A connection to a supervisor's Unix socket, and who it is that listens there.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/file_descriptor.hpp"
#include "common/base/instant.hpp"
#include "common/base/result.hpp"
#include "supervisor/shell/process/instances.hpp"

namespace corral::cli {

/// Does not block from then on. Fails where nobody listens, and where it is another process than `server` (ESRCH) or one of
/// another user who is not root. A `server` with the pid 0 is whoever listens there; root then asks a supervisor of any user.
/// `in_line`: how long it may wait where too many wait for the supervisor already; it fails with EAGAIN then, at once with zero.
[[nodiscard]] Result<FileDescriptor> connected_to(const process::Instance& server, Duration in_line);

/// The process that listens there; 0 where it is none that is seen from here.
[[nodiscard]] std::int32_t listener_of(const std::string& socket_path);

}  // namespace corral::cli
