#include "supervisor/cli/top/terminal.hpp"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "supervisor/cli/top/renderer.hpp"

namespace corral::cli::top {
namespace {

// What signal handlers touch: nothing but these, and calls that POSIX allows there.
termios as_it_was{};
volatile sig_atomic_t is_entered = 0;
volatile sig_atomic_t ending = 0;
volatile sig_atomic_t stop_wanted = 0;
volatile sig_atomic_t resized = 0;

constexpr std::array ends{SIGINT, SIGTERM, SIGHUP, SIGQUIT};
constexpr std::array crashes{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

void give_back() {
  if (is_entered != 0) {
    is_entered = 0;
    static_cast<void>(!::write(STDOUT_FILENO, leave_screen.data(), leave_screen.size()));
    static_cast<void>(::tcsetattr(STDIN_FILENO, TCSANOW, &as_it_was));
  }
}

extern "C" void hear(int signal) {
  if (signal == SIGWINCH) {
    resized = 1;
  } else if (signal == SIGTSTP) {
    stop_wanted = 1;
  } else {
    ending = signal;
  }
}

/// SA_RESETHAND: the second time it is what it would have been without us.
extern "C" void crash(int signal) {
  give_back();
  static_cast<void>(::raise(signal));
}

void handle(int signal, void (*handler)(int), int flags) {
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_flags = flags;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);
}

bool says_utf8(const char* value) {
  const std::string_view text(value);
  return text.find("UTF-8") != std::string_view::npos || text.find("utf8") != std::string_view::npos ||
         text.find("utf-8") != std::string_view::npos || text.find("UTF8") != std::string_view::npos;
}

const char* variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread.
  return value == nullptr ? "" : value;
}

}  // namespace

std::string why_no_screen() {
  if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0) {
    return "stdin and stdout are not both a terminal";
  }
  const std::string_view kind = variable("TERM");
  if (kind.empty() || kind == "dumb" || kind == "unknown") {
    return kind.empty() ? "TERM says nothing of the terminal" : "TERM is '" + std::string(kind) + "'";
  }
  return {};
}

bool terminal_speaks_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (const char* value = variable(name); *value != '\0') {
      return says_utf8(value);
    }
  }
  return false;
}

Terminal::Terminal() {
  sigset_t blocked{};
  ::sigemptyset(&blocked);
  for (const int signal : ends) {
    ::sigaddset(&blocked, signal);
    handle(signal, hear, 0);
  }
  for (const int signal : {SIGWINCH, SIGTSTP}) {
    ::sigaddset(&blocked, signal);
    handle(signal, hear, 0);
  }
  for (const int signal : crashes) {
    handle(signal, crash, static_cast<int>(SA_RESETHAND | SA_NODEFER));
  }
  handle(SIGPIPE, SIG_IGN, 0);
  ::sigprocmask(SIG_BLOCK, &blocked, &before_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP}) {
    ::sigdelset(&before_, signal);
  }
}

Terminal::~Terminal() { leave(); }

Result<void> Terminal::enter() {
  if (::tcgetattr(STDIN_FILENO, &as_it_was) != 0) {
    return system_failure("cannot ask the terminal for its settings", errno);
  }
  termios raw = as_it_was;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | IEXTEN);  // Signals by key stay: Ctrl-C, Ctrl-Z.
  raw.c_iflag &= ~static_cast<tcflag_t>(IXON | ICRNL | INLCR);
  raw.c_cc[VMIN] = 0;
  raw.c_cc[VTIME] = 0;
  if (::tcsetattr(STDIN_FILENO, TCSANOW, &raw) != 0) {
    return system_failure("cannot change the terminal's settings", errno);
  }
  is_entered = 1;
  entered_ = true;
  if (!write(enter_screen)) {
    leave();
    return system_failure("cannot write to the terminal", errno);
  }
  return {};
}

void Terminal::leave() {
  if (entered_) {
    entered_ = false;
    give_back();
  }
}

Size Terminal::size() const {
  constexpr std::size_t most = 1000;
  winsize window{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_row == 0 || window.ws_col == 0) {
    return {};
  }
  return {std::min<std::size_t>(window.ws_row, most), std::min<std::size_t>(window.ws_col, most)};
}

bool Terminal::write(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (written > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd room{STDOUT_FILENO, POLLOUT, 0};
      static_cast<void>(::poll(&room, 1, -1));
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

bool Terminal::read(std::string& bytes) const {
  std::array<char, 1024> buffer{};
  const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
  if (count > 0) {
    bytes.append(buffer.data(), static_cast<std::size_t>(count));
    return true;
  }
  return count < 0 && (errno == EINTR || errno == EAGAIN);  // It was said to be readable: nothing there means hung up.
}

void Terminal::forget_typed() const { static_cast<void>(::tcflush(STDIN_FILENO, TCIFLUSH)); }

// Outside of wait the signals are blocked: nothing comes between looking and forgetting.

int Terminal::take_ending() const {
  const int signal = ending;
  ending = 0;
  return signal;
}

bool Terminal::take_stop() const {
  const bool wanted = stop_wanted != 0;
  stop_wanted = 0;
  return wanted;
}

bool Terminal::take_resize() const {
  const bool was = resized != 0;
  resized = 0;
  return was;
}

}  // namespace corral::cli::top
