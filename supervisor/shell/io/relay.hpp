// The workers' stdout and stderr: pipes, read without blocking, handed on in whole lines.
//
// All pipes lie in one epoll set of their own, and the loop watches that one descriptor: a worker costs a few descriptors and
// a few dozen bytes here. Pipes outlive the process they were made for: a restart makes, watches and closes none, and
// the supervisor is not woken by their end beside the death that it means (docs/decisions/0007-kept-pipes.md). What a worker
// writes is either handed to the sink or still in its pipe, whose 64 KiB are the only queue: nobody reads on while the sink is
// full. This room does not know what becomes of a line.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/file_descriptor.hpp"
#include "common/base/ids.hpp"
#include "common/base/result.hpp"
#include "common/wire/block_splitter.hpp"

namespace corral::shell {

enum class Stream : std::uint8_t { out, err };

/// What one read has brought: whole lines with their breaks, a piece of a line that goes on, or a last line without a break.
struct WorkerOutput {
  Life life;
  Stream stream = Stream::out;
  std::string_view bytes;
  bool goes_on = false;  ///< One piece, without a break; more of the line follows.
};

struct WorkerLine {
  Life life;
  Stream stream = Stream::out;
  std::string_view text;  ///< Without its line break.
  bool goes_on = false;   ///< The line is longer than a piece; more of it follows.
};

/// Calls `sink(const WorkerLine&)` for each line of `output`.
template <class Sink>
void for_each_line(const WorkerOutput& output, Sink&& sink) {
  for (std::string_view rest = output.bytes; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    sink(WorkerLine{output.life, output.stream, rest.substr(0, end), output.goes_on});
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
}

class Relay {
 public:
  using Sink = std::function<void(const WorkerOutput&)>;
  /// Closes a descriptor that nobody watches any more, now or a little later.
  using Closer = std::function<void(FileDescriptor)>;

  /// What a launch needs. They stay the relay's, and may be gone after launched().
  struct WriteEnds {
    int out = -1;
    int err = -1;
  };

  /// Pipes with numbers below `keep_below` are kept between lives.
  [[nodiscard]] static Result<Relay> open(Sink sink, Closer closer, int keep_below = half_of_the_descriptors());

  /// Readable when any pipe is.
  [[nodiscard]] int descriptor() const { return set_.get(); }

  /// Two pipes for a life that is about to begin: those of the worker's last life where they were kept. Fails with EMFILE and
  /// its like, and then leaves nothing behind.
  [[nodiscard]] Result<WriteEnds> connect(Life life);

  /// The process has its copies. The write ends here are kept for the next life while descriptors are plenty; they are
  /// closed otherwise.
  void launched(Life life);

  /// Whether finish() will do for this life, with no need to see its pipes end.
  [[nodiscard]] bool keeps(Life life);

  /// No process of a life that keeps() is left: hands on what is there and half a line, and keeps the pipes for the next.
  void finish(Life life);

  /// Nothing more of this worker is read until resume(), but what is in its pipes when a life ends. The sink may call it.
  void hold(WorkerId worker);
  void resume(WorkerId worker);

  /// No other life of this worker follows for now: what was kept for one is let go.
  void forget(WorkerId worker);

  /// Reads once from up to a batch of pipes. `closed` gets the lives whose both pipes have ended.
  void read_ready(std::vector<Life>& closed);

  /// Hands on what is there now; the pipes stay as they are.
  void read_now(Life life);

  /// Reads all that is there now, and lets the pipes end when nobody else holds them. True when both have.
  [[nodiscard]] bool drain(Life life);

  /// Lets go of the pipes of a life, after handing on what is in them now, half a line too.
  void close(Life life);

  /// The upper half is for those who need it: more workers, files that are read now and then.
  [[nodiscard]] static int half_of_the_descriptors();

  [[nodiscard]] std::size_t open_pipes() const { return open_pipes_; }

 private:
  struct Pipe {
    FileDescriptor fd;
    FileDescriptor write_end;  ///< Held open here, a pipe does not end with its process.
    wire::BlockSplitter lines;
    int size = 0;       ///< As it was made here, in bytes.
    bool wide = false;  ///< Made larger, or it could not be.
  };
  struct Pair {
    Life life;
    std::array<Pipe, 2> pipes;
    bool between_lives = false;
    bool held = false;
  };

  Relay(Sink sink, Closer closer) : sink_(std::move(sink)), closer_(std::move(closer)) {}
  [[nodiscard]] Pair* find(Life life);
  [[nodiscard]] Result<Pair> make(Life life);
  bool let_all_end();
  void read_available(Pair& pair);
  /// One read. False at the end of the pipe, which is then closed.
  bool read_once(Pair& pair, Stream stream);
  void finish_line(Pair& pair, Stream stream);
  void end(Pair& pair, Stream stream);
  [[nodiscard]] int watch(const Pair& pair, Stream stream) const;
  void let_go(Pipe& pipe);
  void widen(Pipe& pipe);
  void close_all(Pair& pair);
  void hand_on(Pair& pair, Stream stream, std::string_view bytes);
  static void let_end(Pair& pair);
  static bool is_as_made(const Pair& pair);
  static bool is_kept(const Pair& pair) {
    return std::ranges::all_of(pair.pipes, [](const Pipe& pipe) { return pipe.fd && pipe.write_end; });
  }
  static bool ended(const Pair& pair) { return !pair.pipes[0].fd && !pair.pipes[1].fd; }

  FileDescriptor set_;
  Sink sink_;
  Closer closer_;
  std::vector<char> buffer_;
  // A worker has one entry, that of its present life.
  std::unordered_map<WorkerId, Pair> pairs_;
  std::size_t open_pipes_ = 0;
  std::size_t wide_pipes_ = 0;  ///< Of them.
  int keep_below_ = 0;          ///< Write ends with a higher number are not kept.
};

}  // namespace corral::shell
