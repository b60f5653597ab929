// The verbs. Each is what some real worker does to its supervisor.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>

#include "zoo.hpp"

extern char** environ;

namespace zoo {
namespace {

void sleep_ms(long ms) {
  timespec left{ms / 1000, ms % 1000 * 1'000'000};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

void crash(const Words& words) {
  const rlimit none{0, 0};  // Dumps are the machine's business; the tests need none.
  setrlimit(RLIMIT_CORE, &none);
  signal(words.signal(0), SIG_DFL);
  raise(words.signal(0));
  mistake("survived its crash");
}

/// Appends a line to a file, whole whoever else does.
void note(const std::string& path, const std::string& text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  put(fd, text + "\n");
  close(fd);
}

/// Waits for the stop signal, cleans up for so many milliseconds and exits.
void slow_stop(const Words& words) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  put(STDOUT_FILENO, "ready\n");
  int got = 0;
  sigwait(&set, &got);
  put(STDOUT_FILENO, "cleaning\n");
  sleep_ms(words.integer(0));
  put(STDOUT_FILENO, "cleaned\n");
  _exit(static_cast<int>(std::strtol(words.text_or(1, "0").c_str(), nullptr, 10)));
}

/// Says each signal that arrives as "got N", until the named one, which is said too.
void count_signals(const Words& words) {
  sigset_t set;
  sigfillset(&set);
  sigdelset(&set, SIGTSTP);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  put(STDOUT_FILENO, "ready\n");
  for (int got = 0; got != words.signal(0);) {
    sigwait(&set, &got);
    std::string text = "got " + std::to_string(got);
    winsize size{};
    if (got == SIGWINCH && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) {
      text += " " + std::to_string(size.ws_row) + "x" + std::to_string(size.ws_col);
    }
    put(STDOUT_FILENO, text + "\n");
  }
  _exit(0);
}

/// A daemon, in place when this returns: its grandparent has seen it. The last word of its command line is the test's
/// token, since `env-i` leaves it no environment to be known by.
void double_fork(const Words& words) {
  const std::string mode = words.text(0);
  std::array<int, 2> pipe_ends{};
  if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) {
    mistake("no pipe");
  }
  const pid_t middle = fork();
  if (middle == 0) {
    if (fork() != 0) {
      _exit(0);
    }
    if (mode != "plain") {
      setsid();
    }
    if (mode == "setsid-ignore") {
      signal(SIGTERM, SIG_IGN);
      signal(SIGHUP, SIG_IGN);
    }
    const std::string pid = std::to_string(getpid());
    put(STDOUT_FILENO, "daemon " + pid + "\n");
    const int null = open("/dev/null", O_RDWR);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    const char* token = getenv("CORRAL_TEST_TOKEN");  // NOLINT(concurrency-mt-unsafe)
    std::array<const char*, 4> argv{"zoo", "hang", token == nullptr ? "" : token, nullptr};
    std::array<const char*, 1> nothing{nullptr};
    // The exec closes the pipe: that is what its grandparent waits for.
    execve("/proc/self/exe", const_cast<char**>(argv.data()), mode == "env-i" ? const_cast<char**>(nothing.data()) : environ);
    _exit(97);
  }
  close(pipe_ends[1]);
  waitpid(middle, nullptr, 0);
  char byte = 0;
  while (read(pipe_ends[0], &byte, 1) < 0 && errno == EINTR) {
  }
  close(pipe_ends[0]);
}

void fork_hangers(const Words& words, bool own_sessions) {
  for (long left = words.integer(0); left > 0; --left) {
    if (fork() == 0) {
      if (own_sessions) {
        setsid();
      }
      hang();
    }
  }
}

/// Orphans that end at once: what they leave is for the subreaper or PID 1 to reap.
void orphans(const Words& words) {
  for (long left = words.integer(0); left > 0; --left) {
    const pid_t middle = fork();
    if (middle == 0) {
      if (fork() == 0) {
        _exit(7);
      }
      _exit(0);
    }
    waitpid(middle, nullptr, 0);
  }
}

/// Two live processes of one slot would both want this lock; the second one says so in FILE.conflict.
void lock(const Words& words) {
  const int fd = open(words.text(0).c_str(), O_RDWR | O_CREAT, 0644);  // Inherited by what is forked, as a copy would be.
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    note(words.text(0) + ".conflict", std::to_string(getpid()));
    _exit(99);
  }
}

void flood(const Words& words) {
  const std::string line = std::string(99, 'f') + "\n";
  for (;;) {
    put(static_cast<int>(words.integer(0)), line);
  }
}

void long_line(const Words& words) {
  const std::string piece(1 << 20, 'a');
  for (long left = words.integer(0); left > 0;) {
    const long size = left < (1 << 20) ? left : 1 << 20;
    put(STDOUT_FILENO, std::string_view(piece).substr(0, static_cast<std::size_t>(size)));
    left -= size;
  }
}

void bytes(const Words& words) {
  const std::string& hex = words.text(0);
  std::string out;
  for (std::size_t at = 0; at + 1 < hex.size(); at += 2) {
    out += static_cast<char>(std::strtol(hex.substr(at, 2).c_str(), nullptr, 16));
  }
  put(STDOUT_FILENO, out);
}

/// The report goes to a file that appears whole, or to stdout.
void write_report(const Words& words) {
  const std::string path = words.text_or(0, "-");
  if (path == "-") {
    put(STDOUT_FILENO, report() + "\n");
    return;
  }
  note(path + ".part", report());
  rename((path + ".part").c_str(), path.c_str());
}

void first_time(const Words& words) {
  // The verb after this one is done in the first life only: later ones hang.
  if (open(words.text(0).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644) < 0) {
    hang();
  }
}

}  // namespace

bool perform(std::string_view verb, const Words& words) {
  if (verb == "exit") {
    _exit(static_cast<int>(words.integer(0)));
  } else if (verb == "hang") {
    hang();
  } else if (verb == "crash") {
    crash(words);
  } else if (verb == "sleep") {
    sleep_ms(words.integer(0));
  } else if (verb == "ignore") {
    signal(words.signal(0), SIG_IGN);
  } else if (verb == "line") {
    put(STDOUT_FILENO, words.text(0) + "\n");
  } else if (verb == "err") {
    put(STDERR_FILENO, words.text(0) + "\n");
  } else if (verb == "lines") {
    for (long at = 0; at < words.integer(0); ++at) {
      put(STDOUT_FILENO, words.text(1) + " " + std::to_string(at) + "\n");
    }
  } else if (verb == "note") {
    note(words.text(0), words.text_or(1, "") + " " + std::to_string(getpid()));
  } else if (verb == "slow-stop") {
    slow_stop(words);
  } else if (verb == "count-signals") {
    count_signals(words);
  } else if (verb == "double-fork") {
    double_fork(words);
  } else if (verb == "hold-pipe") {
    fork_hangers(Words({"1"}), true);
  } else if (verb == "fork-bomb-light") {
    fork_hangers(words, words.text_or(1, "") == "setsid");
  } else if (verb == "orphans") {
    orphans(words);
  } else if (verb == "lock") {
    lock(words);
  } else if (verb == "flood") {
    flood(words);
  } else if (verb == "long-line") {
    long_line(words);
  } else if (verb == "bytes") {
    bytes(words);
  } else if (verb == "stop-self") {
    raise(SIGSTOP);
  } else if (verb == "close-output") {
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
  } else if (verb == "report") {
    write_report(words);
  } else if (verb == "first-time") {
    first_time(words);
  } else {
    return false;
  }
  return true;
}

}  // namespace zoo
