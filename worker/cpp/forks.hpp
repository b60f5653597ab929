// A process that the handler forks off and that comes back from it is a second worker on the same channel: what it reads is
// lost for the first one. It must not go on.
#pragma once

namespace corral::worker {

/// From now on this process is the worker. Called whenever serve() begins.
void begin_watching_forks();

extern volatile bool forked_off;  // Not atomic: a forked process has one thread.

/// Says so on stderr, and ends this process with status 1.
[[noreturn]] void end_forked();

/// Before every answer: ends this process if it is not the one that began to serve.
inline void end_if_forked() {
  if (forked_off) [[unlikely]] {
    end_forked();
  }
}

}  // namespace corral::worker
