// A client of the control API: one request, one reply, over the supervisor's Unix socket. HTTP/1.1, a connection each.
//
// An Exchange that has begun never blocks, so that a screen stays alive while a command takes its time; ask() waits for one. It
// reads what the supervisor of this machine's user sends, bounded, and understands what that sends: a length, chunks, or all up
// to the end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/file_descriptor.hpp"
#include "common/base/instant.hpp"
#include "common/base/result.hpp"
#include "supervisor/shell/process/instances.hpp"

namespace corral::cli {

struct Reply {
  int status = 0;
  std::string body;
};

struct Request {
  std::string_view method = "GET";
  std::string_view target;
  std::string_view body{};  ///< JSON; none where it is empty.
  std::string_view accept = "application/json";
};

/// What a reply is read with. Pure.
class ReplyReader {
 public:
  /// More bytes; none: the connection has ended. A reply once it is complete.
  [[nodiscard]] Result<std::optional<Reply>> read(std::string_view bytes);

  /// Of a reply that goes on: its status once that is known, and what has come of its body since this was last called.
  [[nodiscard]] std::optional<int> status() const { return reply_.status != 0 ? std::optional(reply_.status) : std::nullopt; }
  [[nodiscard]] std::string take_body() { return std::exchange(reply_.body, {}); }

 private:
  enum class Body : std::uint8_t { unknown, sized, chunked, to_the_end };

  [[nodiscard]] Result<void> read_head(std::string_view head);
  [[nodiscard]] Result<bool> read_chunks();

  std::string pending_;
  Reply reply_;
  Body body_ = Body::unknown;
  std::size_t length_ = 0;
};

class Exchange {
 public:
  /// Fails, and waits in line, as connected_to() does.
  [[nodiscard]] static Result<Exchange> begin(const process::Instance& server, const Request& request,
                                              Duration in_line = Duration::zero());

  [[nodiscard]] int descriptor() const { return socket_.get(); }
  [[nodiscard]] bool wants_to_write() const { return !unsent_.empty(); }

  /// When the descriptor is ready for what it wants. The reply once it is complete.
  [[nodiscard]] Result<std::optional<Reply>> proceed();
  [[nodiscard]] ReplyReader& reader() { return reader_; }

 private:
  Exchange(FileDescriptor socket, std::string unsent) : socket_(std::move(socket)), unsent_(std::move(unsent)) {}

  FileDescriptor socket_;
  std::string unsent_;
  ReplyReader reader_;
};

/// Waits for the reply, up to `patience`. Fails as Exchange::begin() does.
[[nodiscard]] Result<Reply> ask(const process::Instance& server, const Request& request, Duration patience);

}  // namespace corral::cli
