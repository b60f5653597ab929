// The API's listener: HTTP/1.1 on a Unix socket, on a loop of its own beside the supervisor's.
//
// Whatever clients do (too many, too slow, half-closed, never reading) happens here and costs the supervisor's loop nothing:
// that one only gets what was understood, and answers when it likes. Everything is bounded: connections, header, body, the time
// that a request may take to arrive and a reply to be read. When all places are taken, or all descriptors, the oldest without a
// whole request gives way, then the oldest that does not read; who waits for an answer of ours stays.
// Must not: read the core, or decide anything about workers.
#pragma once

#include <sys/types.h>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "common/base/file_descriptor.hpp"
#include "common/base/instant.hpp"
#include "supervisor/control/request.hpp"
#include "supervisor/shell/api/source.hpp"

namespace corral::api {

/// May be called from any thread, and once.
using Answer = std::function<void(Answered)>;
/// Of one request. Never used twice.
using RequestId = std::uint64_t;
/// Called on the listener's loop. Must not block.
using Handler = std::function<RequestId(control::Request, Answer)>;
/// Likewise: whoever asked that has left before he was answered.
using Abandoned = std::function<void(RequestId)>;
/// Told once of each other user who was refused, on the listener's loop.
using StrangerSeen = std::function<void(uid_t)>;

struct Limits {
  std::size_t connections = 256;
  std::uint32_t header = 8 * 1024;              ///< Bytes.
  std::uint64_t body = 1024 * 1024;             ///< Bytes.
  Duration arrival = std::chrono::seconds(10);  ///< Of a request, from its first byte, and of the reading of a reply.
  Duration idle = std::chrono::seconds(60);     ///< Between two requests of one connection.
};

class Server {
 public:
  /// `listener`: bound and listening. Begins to accept at once.
  Server(boost::asio::io_context& loop, FileDescriptor listener, Handler handler, Abandoned abandoned, StrangerSeen stranger_seen,
         Limits limits = {});
  ~Server();
  /// Who was refused because he is somebody else, since the start.
  [[nodiscard]] std::uint64_t strangers() const;
  /// Connections whose reply goes on.
  [[nodiscard]] std::size_t followers() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace corral::api
