#include <stdexcept>

#include "tests/unit/worker/fake_supervisor.hpp"

using namespace corral;
using namespace corral::worker;
using namespace corral::worker::testing;

namespace {

struct Outcome {
  std::string out;
  std::string err;
  int status = 0;
};

std::string read_all(int fd) {
  std::string all;
  char buffer[4096];
  for (ssize_t size = 0; (size = read(fd, buffer, sizeof buffer)) > 0;) {
    all.append(buffer, static_cast<std::size_t>(size));
  }
  close(fd);
  return all;
}

/// What a filter with this handler makes of `input`, which a process of its own writes in pieces of `step`.
template <class Handler>
Outcome filter(Handler handler, const std::string& input, std::size_t step = 1 << 20) {
  int in[2];
  int out[2];
  REQUIRE(pipe(in) == 0);
  REQUIRE(pipe(out) == 0);
  FILE* const err = std::tmpfile();
  const pid_t writer = fork();
  if (writer == 0) {
    close(in[0]);
    for (std::size_t at = 0; at < input.size();) {
      const ssize_t size = write(in[1], input.data() + at, std::min(step, input.size() - at));
      at += size > 0 ? static_cast<std::size_t>(size) : input.size();
    }
    _exit(0);
  }
  close(in[1]);
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    dup2(fileno(err), STDERR_FILENO);
    unsetenv("CORRAL_TASK_FD");
    _exit(serve(handler));
  }
  close(in[0]);
  close(out[1]);
  Outcome outcome;
  outcome.out = read_all(out[0]);
  waitpid(writer, nullptr, 0);
  int status = 0;
  waitpid(pid, &status, 0);
  outcome.status = WEXITSTATUS(status);
  std::rewind(err);
  outcome.err = read_all(dup(fileno(err)));
  std::fclose(err);
  return outcome;
}

std::string describe(Task& task) {
  if (task.payload() == "bad") {
    throw std::invalid_argument("not\nthat");
  }
  task.progress("unheard");
  return std::to_string(task.id()) + (task.cancelled() || task.stop_requested() ? "!" : ":") + std::string(task.payload());
}

}  // namespace

TEST_CASE("without a supervisor: a line in, a line out") {
  for (const std::size_t step : {1U, 3U, 1000U}) {
    const Outcome outcome = filter(describe, "a\n\nb c\nlast", step);
    CHECK(outcome.out == "0:a\n1:\n2:b c\n3:last\n");
    CHECK(outcome.err.empty());
    CHECK(outcome.status == 0);
  }
  CHECK(filter(describe, "").out.empty());
  CHECK(filter([](Task&) { return "two\nlines"; }, "x\n").out == "two lines\n");
}

TEST_CASE("a failed line goes to stderr, the rest goes on, and the status says so") {
  const Outcome outcome = filter(describe, "a\nbad\nb\n");
  CHECK(outcome.out == "0:a\n2:b\n");
  CHECK(outcome.err == "task 1: std::invalid_argument: not\\x0athat\n");
  CHECK(outcome.status == 1);
}

TEST_CASE("a process that the handler forks off and that comes back from it answers nothing") {
  const auto forks = [](Task& task) {
    if (task.payload() == "fork" && fork() > 0) {
      static_cast<void>(wait(nullptr));
    }
    return std::string(task.payload());
  };
  const Outcome outcome = filter(forks, "a\nfork\nb\n");
  CHECK(outcome.out == "a\nfork\nb\n");
  CHECK(outcome.err.find("forked in the handler") != std::string::npos);
}

TEST_CASE("a line of megabytes, and many lines") {
  const std::string line(std::size_t{3} << 20U, 'x');
  CHECK(filter([](Task& task) { return std::string(task.payload()); }, line + "\n" + line + "\n").out ==
        line + "\n" + line + "\n");
  std::string lines;
  for (int i = 0; i < 20000; ++i) {
    lines += std::to_string(i) + "\n";
  }
  CHECK(filter([](std::string_view payload) { return payload; }, lines).out == lines);
}
