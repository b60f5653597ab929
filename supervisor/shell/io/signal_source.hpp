// Signals as data: a signalfd, read in bounded batches.
//
// Not Asio's signal_set: its handler writes to a pipe and ignores that the pipe is full, so that after 16,384 unread
// signals a SIGTERM is lost. The kernel keeps a standard signal pending until it is read, however many others come,
// and hands out the lowest number first: no storm of real-time signals delays a SIGTERM.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <cstdint>
#include <vector>

#include "common/base/file_descriptor.hpp"
#include "common/base/result.hpp"

namespace corral::shell {

struct ReceivedSignal {
  int number = 0;
  pid_t sender = 0;          ///< Of SIGCHLD: whose death it tells of, among others perhaps.
  bool exited = false;       ///< Of SIGCHLD: that one called exit, no signal ended it.
  bool from_kernel = false;  ///< Sent by nobody: a terminal that was closed, a key that was pressed.
};

class SignalSource {
 public:
  /// `signals` are blocked by the caller already.
  [[nodiscard]] static Result<SignalSource> open(const sigset_t& signals);

  [[nodiscard]] int descriptor() const { return fd_.get(); }

  /// Appends what is pending, at most one batch: more may be left.
  void read(std::vector<ReceivedSignal>& out);

 private:
  FileDescriptor fd_;
};

}  // namespace corral::shell
