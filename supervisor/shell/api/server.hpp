// The API's listeners: HTTP/1.1 on a Unix socket, and behind a guard on TCP, on a loop of their own beside the supervisor's.
//
// Whatever clients do (too many, too slow, half-closed, never reading) happens here and costs the supervisor's loop nothing:
// that one only gets what was understood, and answers when it likes. Everything is bounded: connections, header, body, the time
// that a request may take to arrive and a reply to be read. When all places are taken, or all descriptors, the oldest without a
// whole request gives way, then the oldest that does not read; who waits for an answer of ours stays. Who comes by TCP may be
// anybody on this machine: he takes no place from those who come by the Unix socket, and they take his first.
// Must not: read the core, or decide anything about workers.
#pragma once

#include <sys/types.h>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>

#include "common/base/file_descriptor.hpp"
#include "common/base/instant.hpp"
#include "supervisor/control/guard.hpp"
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

/// What a server calls.
struct Callbacks {
  Handler handler;
  Abandoned abandoned;
  /// Told once of each other user who was refused at the Unix socket.
  std::function<void(uid_t)> stranger_seen;
  /// Told once of each kind of mistake that a client by TCP was refused for, and where.
  std::function<void(control::Guard::Mistake, const std::string& address)> mistake_seen;
};

struct Limits {
  std::size_t connections = 256;
  std::uint32_t header = 8 * 1024;                  ///< Bytes.
  std::uint64_t body = std::uint64_t{1024} * 1024;  ///< Bytes.
  Duration arrival = std::chrono::seconds(10);      ///< Of a request, from its first byte, and of the reading of a reply.
  Duration idle = std::chrono::seconds(60);         ///< Between two requests of one connection.
};

class Server {
 public:
  Server(boost::asio::io_context& loop, Callbacks callbacks, Limits limits = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  /// `listener`: bound and listening. Begins to accept at once. With a guard it is TCP's; without one a Unix socket, where the
  /// kernel says who connects.
  void accept_at(FileDescriptor listener, std::optional<control::Guard> guard = std::nullopt);
  /// Who was refused because he is somebody else, since the start.
  [[nodiscard]] std::uint64_t strangers() const;
  /// Connections whose reply goes on.
  [[nodiscard]] std::size_t followers() const;

 private:
  struct Door;
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace corral::api
