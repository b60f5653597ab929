#include <fcntl.h>

#include "tests/unit/worker/fake_supervisor.hpp"

using namespace corral;
using namespace corral::worker;
using namespace corral::worker::testing;

namespace {

std::string echo(Task& task) { return "<" + std::string(task.payload()) + ">"; }
std::string_view same(std::string_view payload) { return payload; }

}  // namespace

TEST_CASE("HELLO, tasks and their results in order, DRAIN, status 0") {
  FakeSupervisor supervisor(echo, {.name = "tester"});
  const Answer hello = supervisor.next();
  CHECK(hello.type == FrameType::hello);
  CHECK(hello.task == 0);
  const auto said = wire::decode_hello(hello.payload);
  REQUIRE(said);
  CHECK(said->version == 1);
  CHECK(said->name == "tester");
  supervisor.hello().flush();
  supervisor.frame(FrameType::task, 7, "a")
      .frame(FrameType::task, 3, "")
      .frame(FrameType::task, ~0ULL, std::string("b\0c", 3))
      .flush();
  CHECK(supervisor.next(3) == std::vector{result(7, "<a>"), result(3, "<>"), result(~0ULL, std::string("<b\0c>", 5))});
  supervisor.frame(FrameType::task, 8, "d").frame(FrameType::drain).flush();
  supervisor.shut();
  CHECK(supervisor.next() == result(8, "<d>"));
  CHECK(supervisor.at_end());
  CHECK(supervisor.status() == 0);
}

TEST_CASE("every kind of handler: function, lambda, of the payload alone, one with a state of its own") {
  const auto answers = [](auto handler) {
    FakeSupervisor supervisor(handler);
    supervisor.greet();
    supervisor.frame(FrameType::task, 1, "x").frame(FrameType::task, 2, "y").frame(FrameType::drain).flush();
    const std::string first = supervisor.next().payload;
    return first + supervisor.next().payload;
  };
  CHECK(answers(same) == "xy");
  CHECK(answers(&echo) == "<x><y>");
  CHECK(answers([](std::string_view) { return "text"; }) == "texttext");
  CHECK(answers([count = 0](Task&) mutable { return std::to_string(++count); }) == "12");
  CHECK(answers(std::function<std::string(Task&)>(echo)) == "<x><y>");
}

TEST_CASE("the end of the stream is as good as DRAIN; half a frame at the end is a fault, after what was whole") {
  for (const std::size_t cut : {0U, 1U, 15U, 16U, 20U}) {
    FakeSupervisor supervisor(echo);
    supervisor.greet();
    std::string half;
    wire::append_frame(half, FrameType::task, 2, "not whole");
    supervisor.frame(FrameType::task, 1, "a").bytes(half.substr(0, cut)).flush();
    supervisor.shut();
    CHECK(supervisor.next() == result(1, "<a>"));
    CHECK(supervisor.at_end());
    CHECK(supervisor.status() == (cut == 0 ? 0 : 1));
  }
}

TEST_CASE("a supervisor that is not one: nothing at all, no HELLO, another version, garbage, a RESULT") {
  const auto status = [](const std::string& bytes) {
    FakeSupervisor supervisor(echo);
    REQUIRE(supervisor.next().type == FrameType::hello);
    supervisor.bytes(bytes).flush();
    supervisor.shut();
    CHECK(supervisor.at_end());
    return supervisor.status();
  };
  const auto frame = [](FrameType type, std::string_view payload) {
    std::string bytes;
    wire::append_frame(bytes, type, 0, payload);
    return bytes;
  };
  const std::string hello = frame(FrameType::hello, wire::encode(wire::Hello{}));
  CHECK(status("") == 0);
  CHECK(status(frame(FrameType::drain, "")) == 0);
  CHECK(status(frame(FrameType::task, "x")) == 1);
  CHECK(status(frame(FrameType::hello, "short")) == 1);
  CHECK(status(frame(FrameType::hello, wire::encode(wire::Hello{2, 100, ""}))) == 1);
  CHECK(status("HTTP/1.1 400 Bad Request\r\n\r\n") == 1);
  CHECK(status(hello + frame(FrameType::result, "x")) == 1);
  CHECK(status(hello + std::string(16, '\0')) == 1);
}

TEST_CASE("a process that the handler forks off and that comes back from it answers nothing, and takes no task away") {
  FakeSupervisor supervisor([](Task& task) {
    if (task.id() == 1 && fork() > 0) {
      static_cast<void>(wait(nullptr));
    }
    return "x";
  });
  supervisor.greet();
  supervisor.frame(FrameType::task, 1).frame(FrameType::task, 2).frame(FrameType::drain, 0).flush();
  CHECK(supervisor.next(2) == std::vector{result(1, "x"), result(2, "x")});
  CHECK(supervisor.at_end());
  CHECK(supervisor.status() == 0);
}

TEST_CASE("frames that come byte by byte, and a thousand at once") {
  FakeSupervisor supervisor(echo);
  supervisor.greet();
  std::string bytes;
  wire::append_frame(bytes, FrameType::task, 1, "slow");
  wire::append_frame(bytes, FrameType::task, 2, "");
  for (const char byte : bytes) {
    supervisor.bytes({&byte, 1}).flush();
  }
  CHECK(supervisor.next(2) == std::vector{result(1, "<slow>"), result(2, "<>")});
  for (std::uint64_t id = 0; id < 1000; ++id) {
    supervisor.frame(FrameType::task, id, std::string(id, 'x'));
  }
  supervisor.flush();
  for (std::uint64_t id = 0; id < 1000; ++id) {
    REQUIRE(supervisor.next() == result(id, "<" + std::string(id, 'x') + ">"));
  }
}

TEST_CASE("payloads of 8 MiB and more, there and back, between small ones") {
  FakeSupervisor supervisor([](Task& task) { return std::string(task.payload()); });
  supervisor.greet();
  std::uint64_t id = 0;
  for (const std::size_t size : {std::size_t{8} << 20U, std::size_t{10}, std::size_t{16} << 10U, (std::size_t{16} << 10U) + 1,
                                 (std::size_t{64} << 10U) - 16, std::size_t{20} << 20U, std::size_t{0}}) {
    std::string payload(size, 'x');
    for (std::size_t at = 0; at < size; at += 997) {
      payload[at] = static_cast<char>(at);
    }
    supervisor.frame(FrameType::task, ++id, payload).flush();
    REQUIRE(supervisor.next() == result(id, payload));
  }
}

TEST_CASE("a result that the supervisor does not take is an ERROR, and so is a long complaint, cut") {
  FakeSupervisor supervisor([](Task& task) -> std::string {
    if (task.payload() == "throw") {
      throw Failure("Long", std::string(10000, '\x01'));
    }
    return std::string(task.id(), 'x');
  });
  supervisor.greet(1000);
  supervisor.frame(FrameType::task, 1000, "").frame(FrameType::task, 1001, "").frame(FrameType::task, 1, "throw").flush();
  CHECK(supervisor.next() == result(1000, std::string(1000, 'x')));
  CHECK(
      supervisor.next() ==
      Answer{
          FrameType::error, 1001,
          R"({"type":"corral::worker::TooLong","message":"the result has 1001 bytes, and a frame at most 1000","traceback":""})"});
  const Answer cut = supervisor.next();
  CHECK(cut.type == FrameType::error);
  CHECK(cut.payload.size() <= 1000);
  CHECK(cut.payload.ends_with(R"( [cut]","traceback":""})"));
}

TEST_CASE("the channel is closed on exec and its variable is gone; one that is none is refused") {
  FakeSupervisor supervisor([](Task&) {
    int channels = 0;
    for (int fd = 3; fd < 1000; ++fd) {
      const int flags = fcntl(fd, F_GETFD);
      int type = 0;
      socklen_t size = sizeof type;
      if (flags >= 0 && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0) {
        channels += (flags & FD_CLOEXEC) != 0 ? 1 : 1000;
      }
    }
    return std::to_string(channels) + (std::getenv("CORRAL_TASK_FD") == nullptr ? " gone" : " there");
  });
  supervisor.greet();
  supervisor.frame(FrameType::task, 1).flush();
  CHECK(supervisor.next() == result(1, "1 gone"));
  for (const char* const bad : {"", "x", "-1", "3x", "999", "0 "}) {
    const pid_t pid = fork();
    if (pid == 0) {
      close(STDERR_FILENO);
      setenv("CORRAL_TASK_FD", bad, 1);
      _exit(serve(echo));
    }
    int status = 0;
    waitpid(pid, &status, 0);
    CHECK(WEXITSTATUS(status) == 1);
  }
}

TEST_CASE("a supervisor that is gone: status 1, and a handler that asks is told") {
  Gate begun;
  Gate gone;
  FakeSupervisor supervisor([&](Task& task) {
    begun.go();
    if (!gone.wait()) {
      return "nobody";
    }
    while (!task.cancelled()) {
      task.progress();
    }
    return "late";
  });
  supervisor.greet();
  supervisor.frame(FrameType::task, 1).flush();
  REQUIRE(begun.wait());
  supervisor.hang_up();
  gone.go();
  CHECK(supervisor.status() == 1);
}
