#include "supervisor/cli/top/foreground.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <initializer_list>

namespace corral::cli::top {
namespace {

/// As `corral top` has it: everything that ends a process is blocked. The mask from before is what its programs get.
class Blocked {
 public:
  Blocked() {
    sigset_t all{};
    ::sigemptyset(&all);
    for (const int signal : {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP}) {
      ::sigaddset(&all, signal);
    }
    ::sigprocmask(SIG_BLOCK, &all, &before_);
  }
  ~Blocked() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
  Blocked(const Blocked&) = delete;
  Blocked& operator=(const Blocked&) = delete;

  [[nodiscard]] Result<ForegroundEnd> run(const std::string& script) const {
    return run_in_foreground("/bin/sh", {"sh", "-c", script}, before_);
  }

 private:
  sigset_t before_{};
};

bool is_pending(int signal) {
  sigset_t pending{};
  ::sigpending(&pending);
  return ::sigismember(&pending, signal) == 1;
}

TEST_CASE("its exit status is handed back") {
  const Blocked blocked;
  const auto end = blocked.run("exit 3");
  REQUIRE(end);
  CHECK(WIFEXITED(end->status));
  CHECK(WEXITSTATUS(end->status) == 3);
  CHECK(end->ended_by == 0);
}

TEST_CASE("a program that is not there is an error") {
  const Blocked blocked;
  const auto end = run_in_foreground("/nowhere/x", {"x"}, {});
  REQUIRE_FALSE(end);
  CHECK(end.error().message == "cannot start 'x': No such file or directory");
}

TEST_CASE("Ctrl-C ends it and not us") {
  const Blocked blocked;
  const auto end = blocked.run("kill -INT $PPID; kill -INT $$");  // As the terminal does: both get it.
  REQUIRE(end);
  CHECK(WIFSIGNALED(end->status));
  CHECK(WTERMSIG(end->status) == SIGINT);
  CHECK_FALSE(is_pending(SIGINT));
}

TEST_CASE("SIGTERM for us is passed on, and told of") {
  const Blocked blocked;
  const auto end = blocked.run("kill -TERM $PPID; while :; do sleep 60; done");
  REQUIRE(end);
  CHECK(WTERMSIG(end->status) == SIGTERM);
  CHECK(end->ended_by == SIGTERM);
  CHECK_FALSE(is_pending(SIGTERM));
}

}  // namespace
}  // namespace corral::cli::top
