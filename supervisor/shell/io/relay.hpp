// The workers' stdout and stderr: pipes, read without blocking, handed on line by line.
//
// All pipes lie in one epoll set of their own, and the loop watches that one descriptor: a worker costs two descriptors and
// a few dozen bytes here. What a worker writes is either handed to the sink or still in its pipe, whose 64 KiB are
// the only queue: nobody reads on while the sink is full. This room does not know what becomes of a line.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/file_descriptor.hpp"
#include "common/base/ids.hpp"
#include "common/base/result.hpp"
#include "common/wire/line_splitter.hpp"

namespace corral::shell {

enum class Stream : std::uint8_t { out, err };

struct WorkerLine {
  Life life;
  Stream stream = Stream::out;
  std::string_view text;  ///< Without its line break.
  bool goes_on = false;   ///< The line is longer than a piece; more of it follows.
};

class Relay {
 public:
  using LineSink = std::function<void(const WorkerLine&)>;

  /// What a launch needs; both are closed in the supervisor when it goes.
  struct WriteEnds {
    FileDescriptor out;
    FileDescriptor err;
  };

  [[nodiscard]] static Result<Relay> open(LineSink sink);

  /// Readable when any pipe is.
  [[nodiscard]] int descriptor() const { return set_.get(); }

  /// Two pipes for a life that is about to begin. Fails with EMFILE and its like, and then leaves nothing behind.
  [[nodiscard]] Result<WriteEnds> connect(Life life);

  /// Reads once from up to a batch of pipes. `closed` gets the lives whose both pipes have ended.
  void read_ready(std::vector<Life>& closed);

  /// Reads all that is there now. True when both pipes have ended.
  [[nodiscard]] bool drain(Life life);

  /// Lets go of the pipes of a life, after handing on what is half a line.
  void close(Life life);

  [[nodiscard]] std::size_t open_pipes() const { return open_pipes_; }

 private:
  struct Pipe {
    FileDescriptor fd;
    wire::LineSplitter lines;
  };
  struct Pair {
    Life life;
    std::array<Pipe, 2> pipes;
  };

  explicit Relay(LineSink sink) : sink_(std::move(sink)) {}
  [[nodiscard]] Pair* find(Life life);
  /// One read. False at the end of the pipe, which is then closed.
  bool read_once(Pair& pair, Stream stream);
  void end(Pair& pair, Stream stream);
  void unwatch(FileDescriptor& fd);
  void forget(Pair& pair);
  void hand_on(Pair& pair, Stream stream, std::string_view bytes);
  static bool ended(const Pair& pair) { return !pair.pipes[0].fd && !pair.pipes[1].fd; }

  FileDescriptor set_;
  LineSink sink_;
  std::vector<char> buffer_;
  // A worker has one entry, that of its present life.
  std::unordered_map<WorkerId, Pair> pairs_;
  std::size_t open_pipes_ = 0;
};

}  // namespace corral::shell
