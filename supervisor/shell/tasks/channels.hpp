// The channels of all workers, in one epoll set of their own: the loop watches one descriptor.
#pragma once

#include <memory>
#include <vector>

#include "supervisor/shell/tasks/channel.hpp"

namespace corral::shell {

/// How workers are spoken to.
enum class TaskMode : std::uint8_t {
  frames,  ///< The task protocol.
  lines,   ///< A filter: a line in on stdin, a line out on stdout.
  each,    ///< A process for each task, which stands in its command; stdout is the result.
};

class Channels {
 public:
  /// `longest`: of an answer, in bytes.
  [[nodiscard]] static Result<Channels> open(TaskMode mode, std::size_t longest, MessageSink sink);

  /// Readable when any worker has something to say, or can be written to again.
  [[nodiscard]] int descriptor() const { return set_.get(); }

  /// For a life that is about to begin.
  [[nodiscard]] Result<WorkerEnds> connect(Life life);
  void launched(Life life);

  void deliver(Life life, core::TaskId task, std::string_view payload);
  void recall(Life life, core::TaskId task);
  void close_input(Life life);

  /// Once a turn: writes what was asked for.
  void flush();
  /// Reads once from up to a batch of workers, and writes where that is possible again. True where others may be ready too.
  bool take_ready();
  /// Its process is gone: reads all that it had written, and lets go of it. What was no message of its own is returned: the
  /// whole output of a process for one task.
  struct Rest {
    std::string output;
    bool miscounted = false;         ///< See Channel::has_miscounted().
    std::optional<core::TaskId> at;  ///< See Channel::marked().
  };
  Rest finish(Life life);
  [[nodiscard]] std::optional<core::TaskId> marked(Life life);

 private:
  struct Entry {
    std::unique_ptr<Channel> channel;
    bool dirty = false;    ///< Has an entry in dirty_.
    bool watched = false;  ///< For input.
    bool watching_room = false;
  };

  Channels(TaskMode mode, std::size_t longest, MessageSink sink) : mode_(mode), longest_(longest), sink_(std::move(sink)) {}
  [[nodiscard]] Entry* find(Life life);
  void touch(Entry& entry);
  void write(Entry& entry);
  void read(Entry& entry);
  void watch(Entry& entry, bool room);

  TaskMode mode_;
  std::size_t longest_;
  MessageSink sink_;
  FileDescriptor set_;
  std::vector<char> buffer_;
  std::vector<Entry> entries_;  ///< By worker.
  std::vector<std::uint32_t> dirty_;
};

}  // namespace corral::shell
