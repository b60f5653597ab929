#include <fcntl.h>
#include <sys/mman.h>

#include "tests/unit/worker/fake_supervisor.hpp"

using namespace corral;
using namespace corral::worker;
using namespace corral::worker::testing;

namespace {

void send_tasks(FakeSupervisor& supervisor, std::uint64_t count, std::string_view payload = {}) {
  for (std::uint64_t id = 0; id < count; ++id) {
    supervisor.frame(FrameType::task, id, payload);
  }
  supervisor.flush();
}

}  // namespace

TEST_CASE("answers of tasks that came together leave together") {
  FakeSupervisor supervisor([](Task&) { return "x"; }, {}, SOCK_SEQPACKET);
  supervisor.greet();
  send_tasks(supervisor, 100);
  // The pulse may divide them where the machine is slow.
  std::size_t writes = 0;
  for (std::size_t frames = 0; frames < 100; ++writes) {
    frames += supervisor.frames_of_one_write();
  }
  CHECK(writes < 20);
}

TEST_CASE("without batches each answer is written before the next task begins") {
  FakeSupervisor supervisor([](Task&) { return "x"; }, {.batch = false}, SOCK_SEQPACKET);
  supervisor.greet();
  send_tasks(supervisor, 10);
  for (int i = 0; i < 10; ++i) {
    CHECK(supervisor.frames_of_one_write() == 1);
  }
}

TEST_CASE("a program that has SIGURG for itself keeps it, and gets no batches") {
  Gate heard;
  static const Gate* gate = nullptr;
  gate = &heard;
  struct sigaction before{};
  struct sigaction action{};
  action.sa_handler = [](int) { gate->go(); };
  sigaction(SIGURG, &action, &before);
  FakeSupervisor supervisor([](Task&) { return "x"; }, {}, SOCK_SEQPACKET);
  sigaction(SIGURG, &before, nullptr);
  supervisor.greet();
  send_tasks(supervisor, 10);
  for (int i = 0; i < 10; ++i) {
    CHECK(supervisor.frames_of_one_write() == 1);
  }
  supervisor.signal(SIGURG);
  CHECK(heard.wait());
}

TEST_CASE("more than 64 KiB of answers do not wait for the last task") {
  Gate gate;
  FakeSupervisor supervisor([&](Task& task) {
    // Blocks SIGURG: what comes out before the last one ends is not the pulse's doing.
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGURG);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    if (task.id() == 99) {
      static_cast<void>(gate.wait());
    }
    return std::string(1000, 'x');
  });
  supervisor.greet();
  send_tasks(supervisor, 100);
  for (std::uint64_t id = 0; id < 64; ++id) {
    REQUIRE(supervisor.next().task == id);
  }
  gate.go();
  for (std::uint64_t id = 64; id < 100; ++id) {
    REQUIRE(supervisor.next().task == id);
  }
}

TEST_CASE("a long task does not hold back the answers before it") {
  Gate gate;
  FakeSupervisor supervisor([&](Task& task) {
    if (task.id() == 2) {
      static_cast<void>(gate.wait());
    }
    return "x";
  });
  supervisor.greet();
  send_tasks(supervisor, 4);
  CHECK(supervisor.next(2) == std::vector{result(0, "x"), result(1, "x")});
  gate.go();
  CHECK(supervisor.next(2) == std::vector{result(2, "x"), result(3, "x")});
}

TEST_CASE("a slow supervisor loses nothing") {
  FakeSupervisor supervisor([](Task&) { return std::string(3000, 'x'); });
  supervisor.greet();
  send_tasks(supervisor, 2000);
  for (std::uint64_t id = 0; id < 2000; ++id) {
    REQUIRE(supervisor.next() == result(id, std::string(3000, 'x')));
  }
}

TEST_CASE("a crash says first what was done before it") {
  for (const int how : {0, SIGSEGV, SIGABRT, SIGFPE, SIGBUS, SIGILL}) {
    FakeSupervisor supervisor([&](Task& task) {
      if (task.id() == 2) {
        how == 0 ? std::abort() : static_cast<void>(raise(how));
      }
      return "x";
    });
    supervisor.greet();
    send_tasks(supervisor, 4);
    CHECK(supervisor.next(2) == std::vector{result(0, "x"), result(1, "x")});
    CHECK(supervisor.at_end());
    CHECK(supervisor.status() == 128 + (how == 0 ? SIGABRT : how));
  }
}

TEST_CASE("a real fault of memory is one signal, not a loop") {
  FakeSupervisor supervisor([](Task& task) {
    const auto* const page = static_cast<volatile char*>(mmap(nullptr, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    return task.id() == 1 ? std::string(1, *page) : "x";
  });
  supervisor.greet();
  send_tasks(supervisor, 3);
  CHECK(supervisor.next() == result(0, "x"));
  CHECK(supervisor.at_end());
  CHECK(supervisor.status() == 128 + SIGSEGV);
}

TEST_CASE("the mark says which task was in work when its worker died, and none while it waits") {
  const int memory = memfd_create("mark", MFD_CLOEXEC);
  const auto marked = [memory] {
    std::uint64_t task = 0;
    REQUIRE(pread(memory, &task, sizeof task, 0) == sizeof task);
    return task;
  };
  REQUIRE(ftruncate(memory, sizeof(std::uint64_t)) == 0);
  setenv("CORRAL_MARK_FD", std::to_string(memory).c_str(), 1);
  FakeSupervisor supervisor([memory](Task& task) {
    if (task.payload() == "die") {
      ::kill(getpid(), SIGKILL);
    }
    return std::string(std::getenv("CORRAL_MARK_FD") == nullptr && fcntl(memory, F_GETFD) < 0 ? "taken" : "left");
  });
  unsetenv("CORRAL_MARK_FD");
  supervisor.greet();
  supervisor.frame(FrameType::task, 77).flush();
  CHECK(supervisor.next() == Answer{FrameType::result, 77, "taken"});
  CHECK_MESSAGE(marked() == UINT64_MAX, "it waits");
  send_tasks(supervisor, 5);
  supervisor.frame(FrameType::task, 5, "die").frame(FrameType::task, 6).flush();
  while (supervisor.next().type == FrameType::result) {
  }
  CHECK(supervisor.status() != 0);
  CHECK(marked() == 5);
  close(memory);
}

TEST_CASE("a mark that is none is not written to") {
  const int file = memfd_create("no mark", MFD_CLOEXEC);
  REQUIRE(write(file, "123456789", 9) == 9);
  for (const std::string& number : {std::to_string(file), std::string("999"), std::string("x"), std::string("1")}) {
    setenv("CORRAL_MARK_FD", number.c_str(), 1);
    FakeSupervisor supervisor([](Task&) { return "x"; });
    unsetenv("CORRAL_MARK_FD");
    supervisor.greet();
    supervisor.frame(FrameType::task, 1).flush();
    CHECK(supervisor.next() == Answer{FrameType::result, 1, "x"});
  }
  char text[10]{};
  CHECK(pread(file, text, 9, 0) == 9);
  CHECK(std::string_view(text) == "123456789");
  close(file);
}
