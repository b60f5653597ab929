#include "worker/cpp/forks.hpp"

#include <pthread.h>
#include <unistd.h>

#include <cstdio>

namespace corral::worker {

volatile bool forked_off = false;

void begin_watching_forks() {
  static const int watched = pthread_atfork(nullptr, nullptr, [] { forked_off = true; });
  static_cast<void>(watched);
  forked_off = false;
}

void end_forked() {
  std::fputs("corral::worker: a process that was forked in the handler returned from it; it ends here (use _exit)\n", stderr);
  _exit(1);
}

}  // namespace corral::worker
