// Bytes to one of the supervisor's own descriptors, without ever waiting for whoever reads them.
//
// A pipe, terminal or socket is written without blocking and, when it is full, again when it has room. The flag for that
// belongs to the open file and not to us (setting it on an inherited terminal would make the user's shell
// non-blocking), so the file is opened anew through /proc/self/fd; where that is not possible room is asked for first.
// A regular file may block in the kernel however it was opened, so it is written by a thread of its own.
// The buffer is bounded by its users: they look at pending() and stop reading, or drop and count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/io_context.hpp>

#include "common/base/instant.hpp"

namespace corral::shell {

class Writer {
 public:
  /// `fd` stays the caller's and must stay open. `drained` is called in the loop when pending() has fallen to zero after a
  /// flush() that left more than 64 KiB unwritten; after one that left less it may be.
  Writer(boost::asio::io_context& loop, int fd, std::function<void()> drained);
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer();

  /// From now on a pipe gets whole lines or nothing, as far as a line fits into PIPE_BUF: whoever is killed in the middle leaves
  /// no half line behind.
  void keep_lines_whole();

  /// Another one to the same place: what is appended to either comes out in the order in which it was appended.
  [[nodiscard]] Writer same() const { return Writer(backend_); }
  /// Whether two descriptors lead to the same file, pipe or terminal and are written to in the same way.
  [[nodiscard]] static bool is_same_place(int left, int right);

  void append(std::string_view bytes);
  /// Writes what can be written now. Called once a turn of the loop.
  void flush();
  /// Bytes that are appended and not yet written.
  [[nodiscard]] std::size_t pending() const;
  /// The reader has gone (EPIPE, EIO, ENOSPC…): what is appended is dropped and counted from now on.
  [[nodiscard]] int error_number() const;
  [[nodiscard]] std::uint64_t dropped() const;
  /// Waits for the reader at most that long, and may be called again. True when nothing is left.
  bool wait(Duration patience);
  /// The end: waits for the reader at most that long. False when something was left.
  bool finish(Duration patience);
  /// The end of both, side by side: two readers that are stuck take no longer than one. `in_between` may append to `second`
  /// what is to be said of the first.
  static void finish(Writer& first, Writer& second, Duration patience, const std::function<void()>& in_between);

 private:
  class Backend;
  class Direct;
  class Threaded;
  static std::unique_ptr<Backend> threaded(boost::asio::io_context& loop, int fd, std::function<void()> drained);
  explicit Writer(std::shared_ptr<Backend> backend) : backend_(std::move(backend)) {}
  std::shared_ptr<Backend> backend_;
};

}  // namespace corral::shell
