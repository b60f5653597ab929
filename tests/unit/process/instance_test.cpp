#include <doctest/doctest.h>
#include <sys/wait.h>

#include <csignal>

#include "supervisor/shell/process/cgroup.hpp"
#include "supervisor/shell/process/pattern.hpp"
#include "tests/unit/process/bench_of_processes.hpp"

using namespace corral;
using namespace corral::process;
using namespace corral::process::testing;

TEST_CASE("the second supervisor of a configuration is refused and told the pid of the first") {
  const std::string identity = fresh_identity();
  auto first = InstanceLock::acquire(identity, "/etc/corral.json");
  REQUIRE(first.has_value());
  REQUIRE(first->notice() == "");
  CHECK_FALSE(first->unclean());
  const auto second = InstanceLock::acquire(identity, "/etc/corral.json");
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().message == "already running as pid " + std::to_string(getpid()) + " for '/etc/corral.json'");
  first->release();
  auto third = InstanceLock::acquire(identity, "/etc/corral.json");
  REQUIRE(third.has_value());
  CHECK_FALSE(third->unclean());
  third->release();
}

TEST_CASE("what a killed supervisor left is found and killed before anything starts") {
  for (const auto containment : {core::Containment::subreaper, core::Containment::automatic}) {
    setup();
    const std::string identity = fresh_identity();
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    const pid_t supervisor = fork();
    if (supervisor == 0) {
      const auto lock = InstanceLock::acquire(identity, "x");
      auto processes = Processes::open(setup(), {identity, containment, false, false});
      const LaunchTemplate made =
          std::move(*LaunchTemplate::prepare(shell("setsid sh -c 'echo $$; exec sleep 1000' & wait"), 1, environ));
      const auto pid = processes->launch({.life = life(), .program = &made, .stdout_fd = ends[1]});
      close(ends[1]);
      pause();
      _exit(pid && lock ? 0 : 1);
    }
    close(ends[1]);
    char text[32] = {};
    REQUIRE(read(ends[0], text, sizeof text - 1) > 0);
    kill(supervisor, SIGKILL);
    waitpid(supervisor, nullptr, 0);
    auto lock = InstanceLock::acquire(identity, "x");
    REQUIRE(lock.has_value());
    CHECK(lock->unclean());
    const auto left = lock->clear_leftovers(10s);
    CHECK(left.gone);
    CHECK_FALSE(WorkersCgroup::find(identity));
    CHECK(left.killed >= 1);
    int status = 0;
    CHECK(waitpid(std::stoi(text), &status, 0) == std::stoi(text));  // We are the subreaper of the test.
    CHECK(WTERMSIG(status) == SIGKILL);
    CHECK(read(ends[0], text, 1) == 0);
    close(ends[0]);
    lock->release();
    while (waitpid(-1, nullptr, 0) > 0) {
    }
  }
}

TEST_CASE("an identity is that of the file, by whatever path") {
  CHECK(identity_of("/etc/passwd") == identity_of("/etc/../etc/passwd"));
  CHECK(identity_of("/etc/passwd") != identity_of("/etc/group"));
  CHECK(identity_of("/nonexistent").error().message == "cannot find '/nonexistent': No such file or directory");
}

TEST_CASE("placeholders") {
  const PlaceholderValues values{"3", "8", "crunch", "0-1"};
  const auto filled = [&](std::string_view text) {
    const Pattern pattern(text);
    std::string out;
    pattern.append_to(out, values);
    CHECK(out.size() == pattern.rendered_size(values));
    return out;
  };
  CHECK(filled("") == "");
  CHECK(filled("{index}/{workers}") == "3/8");
  CHECK(filled("{program}:{cores}{cores}") == "crunch:0-10-1");
  CHECK(filled("{{index}}") == "{index}");
  CHECK(filled("{{{index}}}") == "{{index}}");
  CHECK(filled("{{index}") == "{3");
  CHECK(filled("awk '{print $1}' {} {{}} {Index} {") == "awk '{print $1}' {} {{}} {Index} {");
}
