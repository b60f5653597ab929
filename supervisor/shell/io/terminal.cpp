#include "supervisor/shell/io/terminal.hpp"

#include <unistd.h>

#include <csignal>

namespace corral::shell {

Terminal Terminal::look() {
  Terminal terminal;
  terminal.own_group_ = ::getpgrp();
  terminal.ours_ = ::tcgetpgrp(STDIN_FILENO) == terminal.own_group_;
  return terminal;
}

// SIGTTOU is blocked in the supervisor, so a background group may set the foreground one.

void Terminal::hand_over(pid_t group) const {
  if (ours_ && ::tcgetpgrp(STDIN_FILENO) == own_group_) {
    ::tcsetpgrp(STDIN_FILENO, group);
  }
}

void Terminal::take_back() const {
  if (ours_) {
    ::tcsetpgrp(STDIN_FILENO, own_group_);
  }
}

bool Terminal::stop_with(pid_t group) const {
  if (!ours_ || ::tcgetpgrp(STDIN_FILENO) != group) {
    return true;  // Stopped by somebody else, who will continue it.
  }
  const pid_t parent = ::getppid();
  const bool shell_above = parent != 0 && ::getsid(parent) == ::getsid(0) && ::getpgid(parent) != own_group_;
  if (!shell_above) {
    return false;
  }
  take_back();
  ::kill(::getpid(), SIGSTOP);
  return true;
}

}  // namespace corral::shell
