#include "tests/unit/worker/fake_supervisor.hpp"

using namespace corral;
using namespace corral::worker;
using namespace corral::worker::testing;

namespace {

const Answer cancelled_2{FrameType::cancel, 2, ""};

}  // namespace

TEST_CASE("CANCEL overtakes a task that came with it") {
  FakeSupervisor supervisor([](Task& task) { return std::to_string(task.id()); });
  supervisor.greet();
  supervisor.frame(FrameType::task, 1).frame(FrameType::task, 2).frame(FrameType::task, 3).frame(FrameType::cancel, 2).flush();
  CHECK(supervisor.next(3) == std::vector{result(1, "1"), cancelled_2, result(3, "3")});
  // Once given back it may come again; what is not there is not answered.
  supervisor.frame(FrameType::cancel, 2).frame(FrameType::cancel, 9).frame(FrameType::task, 2).flush();
  CHECK(supervisor.next() == result(2, "2"));
}

TEST_CASE("CANCEL that comes while another task is in work") {
  Gate begun;
  Gate sent;
  FakeSupervisor supervisor([&](Task& task) {
    begun.go();
    // Longer than the pulse needs, whether or not it interrupts.
    return sent.wait() && poll(nullptr, 0, 5) >= -1 && poll(nullptr, 0, 5) >= -1 ? std::to_string(task.id()) : "nobody";
  });
  supervisor.greet();
  supervisor.frame(FrameType::task, 1).frame(FrameType::task, 2).frame(FrameType::task, 3).flush();
  REQUIRE(begun.wait());
  supervisor.frame(FrameType::cancel, 2).frame(FrameType::cancel, 1).flush();
  sent.go();
  sent.go();
  CHECK(supervisor.next(3) == std::vector{result(1, "1"), cancelled_2, result(3, "3")});
}

TEST_CASE("a handler that asks learns that its task was cancelled, and what it has is answered as usual") {
  FakeSupervisor supervisor([](Task& task) {
    task.progress("begun");
    while (!task.cancelled()) {
    }
    if (task.payload() == "throw") {
      throw Failure("Cancelled", "stopped");
    }
    return "half";
  });
  supervisor.greet();
  supervisor.frame(FrameType::task, 1).flush();
  CHECK(supervisor.next() == Answer{FrameType::progress, 1, "begun"});
  supervisor.frame(FrameType::cancel, 1).flush();
  CHECK(supervisor.next() == result(1, "half"));
  supervisor.frame(FrameType::task, 2, "throw").flush();
  CHECK(supervisor.next() == Answer{FrameType::progress, 2, "begun"});
  supervisor.frame(FrameType::cancel, 2).flush();
  CHECK(supervisor.next() == Answer{FrameType::error, 2, R"({"type":"Cancelled","message":"stopped","traceback":""})"});
}

TEST_CASE("the payload stays where it is while a handler looks for its CANCEL and megabytes come in") {
  FakeSupervisor supervisor([](Task& task) -> std::string {
    if (task.id() != 1) {
      return std::to_string(task.payload().size());
    }
    const char* const at = task.payload().data();
    task.progress();
    while (!task.cancelled()) {
    }
    return std::string(task.payload().data() == at ? "same " : "moved ") + std::string(task.payload());
  });
  supervisor.greet();
  supervisor.frame(FrameType::task, 1, "payload").flush();
  CHECK(supervisor.next().type == FrameType::progress);
  for (std::uint64_t id = 2; id < 60; ++id) {
    supervisor.frame(FrameType::task, id, std::string(id * 1000, 'x'));
  }
  supervisor.frame(FrameType::task, 60, std::string(std::size_t{3} << 20U, 'x'));
  supervisor.frame(FrameType::cancel, 1).frame(FrameType::drain).flush();
  CHECK(supervisor.next() == result(1, "same payload"));
  for (std::uint64_t id = 2; id < 60; ++id) {
    CHECK(supervisor.next() == result(id, std::to_string(id * 1000)));
  }
  CHECK(supervisor.next() == result(60, std::to_string(std::size_t{3} << 20U)));
  CHECK(supervisor.status() == 0);
}

TEST_CASE("PROGRESS leaves at once, behind the answers before it") {
  Gate gate;
  FakeSupervisor supervisor([&](Task& task) {
    if (task.id() == 2) {
      task.progress();
      task.progress("half");
      static_cast<void>(gate.wait());
    }
    return "x";
  });
  supervisor.greet();
  supervisor.frame(FrameType::task, 1).frame(FrameType::task, 2).flush();
  CHECK(supervisor.next(3) ==
        std::vector{result(1, "x"), Answer{FrameType::progress, 2, ""}, Answer{FrameType::progress, 2, "half"}});
  gate.go();
  CHECK(supervisor.next() == result(2, "x"));
}
