#include <doctest/doctest.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>

#include "supervisor/shell/process/search.hpp"
#include "tests/unit/process/bench_of_processes.hpp"

using namespace corral;
using namespace corral::process;
using namespace corral::process::testing;

namespace {

bool alive(pid_t pid) { return kill(pid, 0) == 0; }

/// Runs a script that prints the pid of what it leaves behind, and ends.
struct Escape {
  Escape(Bench& bench, const std::string& script, Life who) : made(prepared(shell(script))) {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    REQUIRE_FALSE(bench.launch({.life = who, .program = &made, .stdout_fd = ends[1]}));
    close(ends[1]);
    char text[32] = {};
    REQUIRE(read(ends[0], text, sizeof text - 1) > 0);
    close(ends[0]);
    pid = std::stoi(text);
    bench.death_of(who);
    REQUIRE(alive(pid));
  }
  LaunchTemplate made;
  pid_t pid = 0;
};

bool swept(Bench& bench, Life who) {
  bench.gone.clear();
  bench.processes.sweep(who);
  return bench.until([&] { return std::ranges::find(bench.gone, who) != bench.gone.end(); });
}

// Each prints the pid of what it leaves behind, when that has become what it is.
const char* in_the_group = "sleep 1000 & echo $!";
const char* double_forked = "setsid sh -c 'sleep 1000 & echo $!' < /dev/null";
const char* own_session = "setsid sh -c 'echo $$; exec sleep 1000' &";
const char* without_environment = "setsid env -i setsid sh -c 'echo $$; exec sleep 1000' &";

}  // namespace

TEST_CASE("descendants of a dead worker are found and killed") {
  for (const char* script : {in_the_group, double_forked, own_session, without_environment}) {
    for (const auto containment : {core::Containment::subreaper, core::Containment::automatic}) {
      CAPTURE(script);
      Bench bench(containment);
      const Escape escape(bench, script, life());
      CHECK((bench.deaths.leaders.back().group_remains || script != in_the_group));
      CHECK(swept(bench, life()));
      CHECK_FALSE(alive(escape.pid));
      CHECK_FALSE(bench.processes.sweeping());
      CHECK(bench.processes.alone());
    }
  }
}

TEST_CASE("a sweep leaves other lives alone") {
  for (const char* script : {double_forked, own_session, without_environment}) {
    CAPTURE(script);
    Bench bench;
    const Escape first(bench, script, life(0, 1));
    const Escape second(bench, script, life(0, 2));
    const Escape other(bench, script, life(1, 1));
    CHECK(swept(bench, life(0, 1)) == true);
    CHECK(alive(second.pid));
    CHECK(alive(other.pid));
    CHECK(swept(bench, life(1, 1)));
    CHECK_FALSE(alive(other.pid));
    CHECK(alive(second.pid));
    CHECK(swept(bench, life(0, 2)));
    CHECK(bench.processes.alone());
  }
}

TEST_CASE("a group outlives its leader, is signalled, and is then gone") {
  Bench bench;
  const Escape escape(bench, in_the_group, life());
  CHECK(bench.processes.signal(life(), SIGTERM) == 0);
  CHECK(bench.until([&] { return bench.processes.alone(); }));
  CHECK(bench.processes.signal(life(), SIGTERM) == ESRCH);
  CHECK(bench.deaths.orphans == 1);
}

TEST_CASE("a tree of generations in sessions of their own") {
  Bench bench;
  const Escape escape(
      bench, "setsid sh -c 'setsid sh -c \"setsid sh -c \\\"echo \\\\$\\\\$; sleep 1000; true\\\"; true\"; true' &", life());
  CHECK(swept(bench, life()));
  CHECK_FALSE(alive(escape.pid));
  CHECK(bench.processes.alone());
}

TEST_CASE("everything goes at once, unknown processes included") {
  for (const auto containment : {core::Containment::subreaper, core::Containment::automatic}) {
    Bench bench(containment);
    const Escape escape(bench, without_environment, life());
    const LaunchTemplate made = prepared(program({"sleep", "1000"}));
    for (std::uint32_t i = 1; i < 100; ++i) {
      REQUIRE(bench.processes.launch({.life = life(i), .program = &made}));
    }
    CHECK_FALSE(bench.processes.alone());
    CHECK(bench.until([&] {
      bench.processes.sweep_all();
      return bench.processes.alone();
    }));
    CHECK_FALSE(alive(escape.pid));
    CHECK(bench.deaths.leaders.size() == 100);
  }
}

TEST_CASE("a thousand sweeps at once need no second life") {
  Bench bench;
  const LaunchTemplate made = prepared(program({"/bin/true"}));
  for (std::uint32_t i = 0; i < 1000; ++i) {
    REQUIRE(bench.processes.launch({.life = life(i), .program = &made}));
  }
  REQUIRE(bench.until([&] { return bench.deaths.leaders.size() == 1000; }));
  for (std::uint32_t i = 0; i < 1000; ++i) {
    bench.processes.sweep(life(i));
    bench.processes.sweep(life(i));
  }
  CHECK(bench.until([&] { return !bench.processes.sweeping(); }));
  CHECK(bench.gone.size() == 1000);
}

TEST_CASE("the search asks for each number once, the nearest first") {
  for (const pid_t self : {1, 2, 4711, 32767, 32768, 40000, 65535, 1'000'000, highest_number - 1}) {
    CAPTURE(self);
    std::vector<bool> asked(highest_number);
    bool once = true;
    for (pid_t at = 0; at < highest_number - 2; ++at) {
      const pid_t number = number_to_ask(self, at);
      once = once && number >= 2 && number < highest_number && !asked[static_cast<std::size_t>(number)];
      asked[static_cast<std::size_t>(number)] = true;
    }
    CHECK(once);
    const pid_t first = number_to_ask(self, 0);
    CHECK((first == self + 1 || first == 2));
  }
}

TEST_CASE("the search finds children that are alive and such that are dead, and nobody else") {
  ChildSearch search;
  const pid_t alive_one = fork();
  if (alive_one == 0) {
    execlp("sleep", "sleep", "1000", nullptr);
    _exit(127);
  }
  const pid_t dead_one = fork();
  if (dead_one == 0) {
    _exit(0);
  }
  std::vector<pid_t> found;
  for (int i = 0; i < 500 && found.size() < 2; ++i) {
    found = search.look();
  }
  std::ranges::sort(found);
  CHECK(found == std::vector<pid_t>{std::min(alive_one, dead_one), std::max(alive_one, dead_one)});
  kill(alive_one, SIGKILL);
  for (const pid_t child : {alive_one, dead_one}) {
    siginfo_t info{};
    CHECK(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED) == 0);
  }
  CHECK(search.look().empty());
}

TEST_CASE("children from before the supervisor are none of its business") {
  const pid_t stranger = fork();
  if (stranger == 0) {
    execlp("sleep", "sleep", "1000", nullptr);
    _exit(127);
  }
  {
    Bench bench;
    const LaunchTemplate made = prepared(program({"sleep", "1000"}));
    CHECK_FALSE(bench.launch({.life = life(), .program = &made}));
    CHECK_FALSE(bench.processes.alone());
    CHECK(bench.until([&] {
      bench.processes.sweep_all();
      return bench.processes.alone();
    }));
    CHECK(alive(stranger));
  }
  kill(stranger, SIGKILL);
  waitpid(stranger, nullptr, 0);
}

TEST_CASE("no worker outlives a supervisor that is killed") {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  const pid_t supervisor = fork();
  if (supervisor == 0) {
    auto processes = Processes::open(setup(), {fresh_identity(), core::Containment::subreaper, false, false});
    const LaunchTemplate made = std::move(*LaunchTemplate::prepare(shell("echo $$; exec sleep 1000"), 1, environ));
    const auto pid = processes->launch({.life = life(), .program = &made, .stdout_fd = ends[1]});
    close(ends[1]);
    pause();
    _exit(pid ? 0 : 1);
  }
  close(ends[1]);
  char text[32] = {};
  REQUIRE(read(ends[0], text, sizeof text - 1) > 0);
  kill(supervisor, SIGKILL);
  waitpid(supervisor, nullptr, 0);
  CHECK(read(ends[0], text, 1) == 0);  // The worker held the other end of the pipe until it died.
  close(ends[0]);
  while (waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}
