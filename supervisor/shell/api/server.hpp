// The API's listener: HTTP/1.1 on a Unix socket, on a loop of its own beside the supervisor's.
//
// Whatever clients do (too many, too slow, half-closed, never reading) happens here and costs the supervisor's loop nothing:
// that one only gets what was understood, and answers when it likes. Everything is bounded: connections, header, body, the time
// that a request may take to arrive and a reply to be read. When all places are taken the one that has waited longest without
// a request gives way.
// Must not: read the core, or decide anything about workers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "common/base/file_descriptor.hpp"
#include "common/base/instant.hpp"
#include "supervisor/control/reply.hpp"
#include "supervisor/control/request.hpp"

namespace corral::api {

/// May be called from any thread, and once.
using Answer = std::function<void(control::Reply)>;
/// Called on the listener's loop. Must not block.
using Handler = std::function<void(control::Request, Answer)>;

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
  Server(boost::asio::io_context& loop, FileDescriptor listener, Handler handler, Limits limits = {});
  ~Server();
  /// Who was refused because he is somebody else, since the start.
  [[nodiscard]] std::uint64_t strangers() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace corral::api
