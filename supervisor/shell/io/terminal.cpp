#include "supervisor/shell/io/terminal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace corral::shell {

using core::Foreground;

namespace {

bool is_empty(pid_t group) { return ::kill(-group, 0) != 0 && errno == ESRCH; }

}  // namespace

Terminal Terminal::open() {
  Terminal terminal;
  terminal.own_group_ = ::getpgrp();
  if (::tcgetpgrp(STDIN_FILENO) >= 0) {
    terminal.fd_ = STDIN_FILENO;
  } else {
    terminal.opened_.reset(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
    terminal.fd_ = terminal.opened_.get();
  }
  return terminal;
}

Foreground Terminal::foreground() const {
  const pid_t group = exists() ? ::tcgetpgrp(fd_) : -1;
  if (group < 0) {
    return Foreground::nobody;
  }
  return group == own_group_ ? Foreground::supervisor : group == worker_ ? Foreground::command : Foreground::stranger;
}

void Terminal::launching() {
  take_back();  // From one whose exec failed, or from what a shell has left when it was killed.
  handed_over_ = fd_ == STDIN_FILENO && foreground() == Foreground::supervisor;
}

void Terminal::ended() {
  take_back();
  worker_ = 0;
}

void Terminal::continued() {
  const Foreground now = foreground();
  handed_over_ = now == Foreground::command;
  if (now == Foreground::supervisor && fd_ == STDIN_FILENO) {
    static_cast<void>(hand_over());
  }
}

// SIGTTOU is blocked in the supervisor, so a background group may set the foreground one.

bool Terminal::hand_over() {
  handed_over_ = worker_ > 0 && ::tcsetpgrp(fd_, worker_) == 0;
  return handed_over_;
}

bool Terminal::take_back() {
  const pid_t group = exists() ? ::tcgetpgrp(fd_) : -1;
  const bool is_the_workers = group > 0 && (group == worker_ || (handed_over_ && is_empty(group)));
  if (!is_the_workers || ::tcsetpgrp(fd_, own_group_) != 0) {
    return false;
  }
  handed_over_ = false;
  return true;
}

bool Terminal::return_to_job() { return take_back() && ::kill(0, SIGCONT) == 0; }

bool Terminal::stop_job(int signal) {
  if (own_group_ == 0) {
    return false;  // In a PID namespace of our own, with a group that began outside: it is not ours to stop.
  }
  const bool was_the_workers = foreground() == Foreground::command;
  take_back();
  // Not SIGSTOP, which needs no shell above: the kernel discards the others where nobody could continue the group. Sent while it
  // is blocked, it is one with any that is pending already, and we stop once.
  const int number = signal == SIGSTOP ? SIGTSTP : signal;
  ::kill(0, number);
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, number);
  ::pthread_sigmask(SIG_UNBLOCK, &only, nullptr);  // Here time stands still.
  ::pthread_sigmask(SIG_BLOCK, &only, nullptr);
  sigset_t pending;
  sigpending(&pending);
  if (sigismember(&pending, SIGCONT) == 1) {
    return true;  // The stop had discarded any that came before it.
  }
  if (was_the_workers) {
    static_cast<void>(hand_over());
  }
  return false;
}

}  // namespace corral::shell
