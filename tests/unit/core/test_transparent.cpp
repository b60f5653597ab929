// `exec` with one worker: as if the supervisor were not there.
#include <doctest/doctest.h>

#include <cerrno>
#include <csignal>

#include "tests/unit/core/driver.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::core::testing;

namespace {

Options transparent(bool grace = false, std::vector<std::pair<int, int>> rewrite = {}) {
  Options options;
  options.transparent = Transparent{std::move(rewrite), grace};
  return options;
}

PlannedProgram once() {
  return program("a", [](auto& p) {
    p.spec.restart.when = RestartWhen::never;
    p.spec.stop.grace = 2s;
  });
}

/// The supervisor's exit status when the worker ends like this.
int status_after(ExitStatus status) {
  Driver d(transparent());
  d.start({once()});
  d.up("a/0");
  d.ends("a/0", status);
  d.all_swept();
  return d.exit_status().value_or(-1);
}

int status_after_launch_failure(LaunchStep step, int error_number) {
  Driver d(transparent());
  d.start({once()});
  d.launch_fails("a/0", step, error_number);
  d.all_swept();
  return d.exit_status().value_or(-1);
}

}  // namespace

TEST_CASE("exec returns exactly what its command returned") {
  CHECK(status_after(ExitedWith{0}) == 0);
  CHECK(status_after(ExitedWith{1}) == 1);
  CHECK(status_after(ExitedWith{125}) == 125);
  CHECK(status_after(ExitedWith{255}) == 255);
  CHECK(status_after(KilledBy{SIGTERM}) == 143);
  CHECK(status_after(KilledBy{SIGKILL}) == 137);
  CHECK(status_after(KilledBy{SIGSEGV, true}) == 139);
}

TEST_CASE("exec of what cannot be executed: 127 not found, 126 not executable, 125 anything else") {
  CHECK(status_after_launch_failure(LaunchStep::exec, ENOENT) == 127);
  CHECK(status_after_launch_failure(LaunchStep::exec, EACCES) == 126);
  CHECK(status_after_launch_failure(LaunchStep::exec, ENOEXEC) == 126);
  CHECK(status_after_launch_failure(LaunchStep::fork, EAGAIN) == 125);
  CHECK(status_after_launch_failure(LaunchStep::directory, ENOENT) == 125);
}

TEST_CASE("every signal is passed on as it is, as often as it comes, without a deadline") {
  Driver d(transparent());
  d.start({once()});
  d.up("a/0");
  for (const int number : {SIGUSR1, SIGUSR2, SIGWINCH, SIGHUP, SIGTERM, SIGTERM, SIGINT, SIGQUIT, SIGALRM}) {
    CHECK(d.signal(number) == "signal a/0#1 " + std::string(number == SIGUSR1    ? "USR1"
                                                            : number == SIGUSR2  ? "USR2"
                                                            : number == SIGWINCH ? "WINCH"
                                                            : number == SIGHUP   ? "HUP"
                                                            : number == SIGTERM  ? "TERM"
                                                            : number == SIGINT   ? "INT"
                                                            : number == SIGQUIT  ? "QUIT"
                                                                                 : "ALRM"));
    CHECK_FALSE(d.due());
  }
  d.ends("a/0", ExitedWith{7});
  CHECK(d.all_swept() == "exit 7");
}

TEST_CASE("signals are rewritten, or kept back") {
  Driver d(transparent(false, {{SIGHUP, SIGQUIT}, {SIGUSR1, 0}, {SIGTERM, SIGUSR2}}));
  d.start({once()});
  d.up("a/0");
  CHECK(d.signal(SIGUSR1).empty());
  CHECK(d.signal(SIGTERM) == "signal a/0#1 USR2");
  CHECK(d.phase() == Phase::running);  // USR2 asks nobody to end.
  CHECK(d.signal(SIGHUP) == "signal a/0#1 QUIT");
  CHECK(d.phase() == Phase::stopping);
}

TEST_CASE("with a grace, what asks to end has that long, counted from the first time") {
  Driver d(transparent(true));
  d.start({once()});
  d.up("a/0");
  CHECK(d.signal(SIGUSR1) == "signal a/0#1 USR1");
  CHECK_FALSE(d.due());
  CHECK(d.signal(SIGTERM) == "signal a/0#1 TERM");
  CHECK(d.due() == Duration(2s));
  d.pass(1s);
  CHECK(d.signal(SIGTERM) == "signal a/0#1 TERM");
  CHECK(d.due() == Duration(1s));
  CHECK(d.pass(1s) == "signal a/0#1 KILL");
  CHECK(d.said("killed after 2 s"));
  d.ends("a/0", KilledBy{SIGKILL});
  CHECK(d.all_swept() == "exit 137");
}

TEST_CASE("a rewritten signal that asks to end starts the grace too") {
  Driver d(transparent(true, {{SIGUSR1, SIGINT}}));
  d.start({once()});
  d.up("a/0");
  CHECK(d.signal(SIGUSR1) == "signal a/0#1 INT");
  CHECK(d.due() == Duration(2s));
}

TEST_CASE("a command that is restarted is not, once it was told to end") {
  Driver d(transparent());
  d.start({program("a", [](auto& p) { p.spec.restart.when = RestartWhen::always; })});
  d.up("a/0");
  d.ends("a/0", ExitedWith{1});
  CHECK(d.pass(100ms) == "spawn a/0#2");
  d.up("a/0");
  d.signal(SIGTERM);
  CHECK(d.ends("a/0", ExitedWith{5}) == "drain a/0#2; sweep all");
  CHECK(d.all_swept() == "exit 5");
}

TEST_CASE("a signal that asks to end ends a wait for a restart at once") {
  Driver d(transparent());
  d.start({program("a")});
  d.up("a/0");
  d.ends("a/0", ExitedWith{9});
  CHECK(d.state("a/0") == "backoff");
  CHECK(d.signal(SIGUSR1).empty());
  CHECK(d.signal(SIGTERM) == "sweep all");
  CHECK(d.all_swept() == "exit 9");
}

TEST_CASE("a signal before exec reaches the process that is about to") {
  Driver d(transparent());
  d.start({once()});
  d.spawned("a/0");
  CHECK(d.signal(SIGTERM) == "signal a/0#1 TERM");
  d.ready("a/0");
  d.ends("a/0", KilledBy{SIGTERM});
  CHECK(d.all_swept() == "exit 143");
}

TEST_CASE("Ctrl-C reaches the command alone, and ends an exec that restarts it") {
  for (const ExitStatus status :
       {ExitStatus(KilledBy{SIGINT}), ExitStatus(KilledBy{SIGQUIT, true}), ExitStatus(ExitedWith{130})}) {
    Driver d(transparent());
    d.start({program("a", [](auto& p) { p.spec.restart.when = RestartWhen::always; })});
    d.up("a/0");
    d.ends_on_terminal("a/0", status);
    d.all_swept();
    CHECK(d.exit_status() == status.shell_code());
  }
}

TEST_CASE("one that did not have the terminal, and dies as by its keys, dies as any other") {
  Driver d(transparent());
  d.start({program("a", [](auto& p) { p.spec.restart.when = RestartWhen::always; })});
  d.up("a/0");
  d.ends("a/0", ExitedWith{130});
  CHECK_FALSE(d.exit_status());
}

TEST_CASE("each life is asked anew whether it had the terminal: it comes and goes") {
  Driver d(transparent());
  d.start({program("a", [](auto& p) { p.spec.restart.when = RestartWhen::always; })});
  d.up("a/0");
  d.ends_on_terminal("a/0", ExitedWith{1});
  CHECK(d.pass(100ms) == "spawn a/0#2");
  d.up("a/0");
  d.ends("a/0", KilledBy{SIGINT});
  CHECK(d.state("a/0") == "backoff");
  d.pass(1s);
  d.up("a/0");
  d.ends_on_terminal("a/0", KilledBy{SIGINT});
  d.all_swept();
  CHECK(d.exit_status() == 130);
}

TEST_CASE("any other death is restarted by an exec as its policy says") {
  Driver d(transparent());
  d.start({program("a", [](auto& p) { p.spec.restart.when = RestartWhen::always; })});
  d.up("a/0");
  d.ends("a/0", KilledBy{SIGTERM});
  CHECK_FALSE(d.exit_status());
}
