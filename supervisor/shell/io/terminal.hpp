// The terminal of `exec`: whose it is, giving it to the one worker, taking it back.
//
// With the worker's process group in the foreground, Ctrl-C, Ctrl-Z and window changes reach it from the kernel as if nobody
// stood between. What to do when is core/job_control.hpp's. Nobody tells when a shell takes the terminal or gives it: each
// deed looks first, and none takes it from somebody else.
#pragma once

#include <sys/types.h>

#include "common/base/file_descriptor.hpp"
#include "supervisor/core/job_control.hpp"

namespace corral::shell {

class Terminal {
 public:
  /// The one that controls this session: stdin, or else /dev/tty.
  static Terminal open();

  [[nodiscard]] bool exists() const { return fd_ >= 0; }
  [[nodiscard]] core::Foreground foreground() const;

  // The worker's life. One that is launched while we are in the foreground gets stdin's terminal before its exec.
  void launching();
  void launched(pid_t worker) { worker_ = worker; }
  void ended();

  /// We have been continued: it is the worker's again when we are in the foreground.
  void continued();
  /// We are in the foreground: the worker's group takes our place. False: it did not.
  [[nodiscard]] bool hand_over();
  /// From the worker, or from a group of its making that has ended, to ourselves. False: somebody else has it, or we do.
  bool take_back();
  /// The same, and others of our group, which were stopped for want of it, go on. It sends us SIGCONT too.
  [[nodiscard]] bool return_to_job();

  /// Takes the terminal back and stops our whole group as the terminal would have with this signal, until somebody continues
  /// it. False where nobody could: then everything is as it was.
  [[nodiscard]] bool stop_job(int signal);

 private:
  FileDescriptor opened_;
  int fd_ = -1;
  pid_t own_group_ = 0;
  pid_t worker_ = 0;  ///< Its process group. Nobody's before the first launch and between two lives.
  bool handed_over_ = false;
};

}  // namespace corral::shell
