#include "supervisor/cli/top/foreground.hpp"

#include <errno.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace corral::cli::top {
namespace {

sigset_t set_of(std::initializer_list<int> signals) {
  sigset_t set{};
  ::sigemptyset(&set);
  for (const int signal : signals) {
    ::sigaddset(&set, signal);
  }
  return set;
}

/// The keys were meant for the other one.
void forget(const sigset_t& signals) {
  const timespec no_time{};
  while (::sigtimedwait(&signals, nullptr, &no_time) > 0) {
  }
}

Result<pid_t> spawn(const char* path, const std::vector<std::string>& words, const sigset_t& mask) {
  std::vector<char*> arguments;
  for (const std::string& word : words) {
    arguments.push_back(const_cast<char*>(word.c_str()));  // NOLINT: as posix_spawn has it; it changes nothing.
  }
  arguments.push_back(nullptr);
  posix_spawnattr_t attributes{};
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  ::posix_spawnattr_setsigmask(&attributes, &mask);
  const sigset_t defaults = set_of({SIGPIPE});  // What has a handler is reset by the exec itself.
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, path, nullptr, &attributes, arguments.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  return error == 0 ? Result<pid_t>(pid) : system_failure("cannot start '" + words.front() + "'", error);
}

}  // namespace

Result<ForegroundEnd> run_in_foreground(const char* path, const std::vector<std::string>& words, const sigset_t& mask) {
  const sigset_t end_of_it = set_of({SIGCHLD});
  sigset_t before{};
  ::sigprocmask(SIG_BLOCK, &end_of_it, &before);
  const Result<pid_t> pid = spawn(path, words, mask);
  ForegroundEnd end;
  for (bool runs = pid.has_value(); runs;) {
    const sigset_t awaited = set_of({SIGCHLD, SIGTERM, SIGHUP});
    const int signal = ::sigwaitinfo(&awaited, nullptr);
    if (signal == SIGTERM || signal == SIGHUP) {
      end.ended_by = signal;
      static_cast<void>(::kill(*pid, signal));
      static_cast<void>(::kill(*pid, SIGCONT));
    }
    if (::waitpid(*pid, &end.status, WNOHANG | WUNTRACED) == *pid) {
      runs = WIFSTOPPED(end.status);
      if (runs && end.ended_by == 0) {
        static_cast<void>(::raise(SIGSTOP));  // The shell above shall know; its fg wakes both.
        static_cast<void>(::kill(*pid, SIGCONT));
      }
    }
  }
  forget(set_of({SIGINT, SIGQUIT, SIGTSTP, SIGCHLD}));
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (!pid) {
    return std::unexpected(pid.error());
  }
  return end;
}

}  // namespace corral::cli::top
