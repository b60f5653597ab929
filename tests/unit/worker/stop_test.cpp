#include "tests/unit/worker/fake_supervisor.hpp"

using namespace corral;
using namespace corral::worker;
using namespace corral::worker::testing;

namespace {

/// Tells when it has begun, and waits until it is told to stop.
struct Obedient {
  const Gate& begun;
  std::string operator()(Task& task) const {
    begun.go();
    for (int i = 0; i < 10000 && !task.stop_requested(); ++i) {
      static_cast<void>(poll(nullptr, 0, 1));
    }
    return task.stop_requested() ? "stopped" : "never told";
  }
};

}  // namespace

TEST_CASE("SIGTERM while idle ends the worker at once, with status 0") {
  for (int round = 0; round < 20; ++round) {
    FakeSupervisor supervisor([](Task&) { return "x"; });
    supervisor.greet();
    supervisor.frame(FrameType::task, 1).flush();
    CHECK(supervisor.next() == result(1, "x"));
    supervisor.signal(SIGTERM);  // On its way to the wait, or in it.
    CHECK(supervisor.next().type == FrameType::drain);
    CHECK(supervisor.at_end());
    CHECK(supervisor.status() == 0);
  }
}

TEST_CASE("SIGTERM before the supervisor's HELLO ends the worker too") {
  FakeSupervisor supervisor([](Task&) { return "x"; });
  CHECK(supervisor.next().type == FrameType::hello);
  supervisor.signal(SIGTERM);
  CHECK(supervisor.status() == 0);
}

TEST_CASE("SIGTERM in a handler: it is told, its task is answered, what has not begun is given back") {
  Gate begun;
  FakeSupervisor supervisor(Obedient{begun});
  supervisor.greet();
  supervisor.frame(FrameType::task, 1).frame(FrameType::task, 2).frame(FrameType::task, 3).flush();
  REQUIRE(begun.wait());
  supervisor.frame(FrameType::task, 4).frame(FrameType::cancel, 3).flush();
  supervisor.signal(SIGTERM);
  CHECK(supervisor.next(4) == std::vector{result(1, "stopped"), Answer{FrameType::cancel, 2, ""},
                                          Answer{FrameType::cancel, 3, ""}, Answer{FrameType::cancel, 4, ""}});
  CHECK(supervisor.next().type == FrameType::drain);  // What crosses this was not begun.
  CHECK(supervisor.at_end());
  CHECK(supervisor.status() == 0);
}

TEST_CASE("whoever does not want SIGTERM handled dies of it") {
  Gate begun;
  FakeSupervisor supervisor(Obedient{begun}, {.handle_sigterm = false});
  supervisor.greet();
  supervisor.frame(FrameType::task, 1).flush();
  REQUIRE(begun.wait());
  supervisor.signal(SIGTERM);
  CHECK(supervisor.status() == 128 + SIGTERM);
}

TEST_CASE("signals are as they were once serve() has returned") {
  Gate heard;
  static const Gate* gate = nullptr;
  gate = &heard;
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  const pid_t pid = fork();
  if (pid == 0) {
    close(ends[0]);
    signal(SIGTERM, [](int) { gate->go(); });
    setenv("CORRAL_TASK_FD", std::to_string(ends[1]).c_str(), 1);
    const int status = serve([](Task&) { return "x"; });
    struct sigaction pulse{};
    sigaction(SIGURG, nullptr, &pulse);
    raise(SIGTERM);
    _exit(status == 0 && pulse.sa_handler == SIG_DFL && heard.wait() ? 0 : 1);
  }
  close(ends[1]);
  shutdown(ends[0], SHUT_WR);
  int status = 0;
  waitpid(pid, &status, 0);
  close(ends[0]);
  CHECK(status == 0);
}
