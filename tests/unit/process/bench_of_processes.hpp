// A supervisor in miniature for tests: launches, reaps and waits under a ceiling, never by sleeping a fixed time.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <dirent.h>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "supervisor/shell/process/processes.hpp"

namespace corral::process::testing {

using namespace std::chrono_literals;

inline const ProcessSetup& setup() {
  static const ProcessSetup begun = ProcessSetup::begin().value();
  return begun;
}

inline core::ProgramSpec program(std::vector<std::string> command) {
  core::ProgramSpec spec;
  spec.name = "crunch";
  spec.launch.command = std::move(command);
  return spec;
}

inline core::ProgramSpec shell(const std::string& script) { return program({"/bin/sh", "-c", script}); }

inline LaunchTemplate prepared(const core::ProgramSpec& spec, std::uint32_t workers = 1) {
  auto made = LaunchTemplate::prepare(spec, workers, const_cast<const char* const*>(environ));
  REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().message));
  return std::move(*made);
}

inline Life life(std::uint32_t index = 0, std::uint32_t incarnation = 1) {
  return {{ProgramId{7}, index}, Incarnation{incarnation}};
}

inline std::size_t open_descriptors() {
  std::size_t count = 0;
  DIR* directory = opendir("/proc/self/fd");
  while (readdir(directory) != nullptr) {
    ++count;
  }
  closedir(directory);
  return count;
}

class Bench {
 public:
  /// `expected`: so many are about to be launched, and catch_up() is left to the test.
  explicit Bench(core::Containment containment = core::Containment::subreaper, bool plain = false, std::size_t expected = 0)
      : processes(open(containment, plain)), signals_(signalfd(-1, &setup().blocked(), SFD_CLOEXEC | SFD_NONBLOCK)) {
    if (expected > 0) {
      processes.expect(expected);
    } else {
      processes.catch_up();
    }
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;
  ~Bench() {
    until([&] {
      processes.sweep_all();
      return processes.alone();
    });
    close(signals_);
  }

  /// Turns the loop until `done`; false when 20 s were not enough.
  bool until(const std::function<bool()>& done) {
    const auto limit = std::chrono::steady_clock::now() + 20s;
    while (!done()) {
      if (std::chrono::steady_clock::now() > limit) {
        return false;
      }
      turn();
    }
    return true;
  }

  void turn() {
    pollfd waiting{signals_, POLLIN, 0};
    poll(&waiting, 1, 2);
    signalfd_siginfo info{};
    while (read(signals_, &info, sizeof info) > 0) {
      if (info.ssi_signo == SIGCHLD) {
        processes.reap(static_cast<pid_t>(info.ssi_pid), info.ssi_code == CLD_EXITED, deaths);
      }
    }
    while (processes.reap(deaths, 3)) {
      // Some at a time, as a loop that has other things to do as well.
    }
    processes.settle(outcomes);
    processes.finish_sweeps(gone);
    processes.let_go_of_output();
  }

  std::optional<core::LaunchFailure> launch(const LaunchRequest& request) {
    const auto pid = processes.launch(request);
    if (!pid) {
      return pid.error();
    }
    last_pid = *pid;
    const std::size_t before = outcomes.size();
    REQUIRE(until([&] { return outcomes.size() > before; }));
    return outcomes.back().failure;
  }

  const Death& death_of(Life who) {
    const Death* found = nullptr;
    REQUIRE(until([&] {
      for (const Death& death : deaths.leaders) {
        found = death.life == who ? &death : found;
      }
      return found != nullptr;
    }));
    return *found;
  }

  /// Launches, and returns all that it wrote to stdout and stderr until every holder of the pipe was gone.
  std::string output_of(const core::ProgramSpec& spec, LaunchRequest request = {}, std::uint32_t workers = 1) {
    const LaunchTemplate made = prepared(spec, workers);
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    request.life = life(request.life.worker.index, ++incarnation_);
    request.program = &made;
    request.stdout_fd = request.stderr_fd = ends[1];
    const auto failure = launch(request);
    close(ends[1]);
    CHECK_MESSAGE(!failure, (failure ? core::describe(*failure) : ""));
    std::string text;
    char buffer[4096];
    for (ssize_t size = 0; (size = read(ends[0], buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<std::size_t>(size));
    }
    close(ends[0]);
    if (!failure) {
      death_of(request.life);
    }
    return text;
  }

  Processes processes;
  Deaths deaths;
  std::vector<LaunchOutcome> outcomes;
  std::vector<Life> gone;
  pid_t last_pid = 0;

 private:
  std::uint32_t incarnation_ = 0;
  static Processes open(core::Containment containment, bool plain) {
    auto opened = Processes::open(setup(), {fresh_identity(), containment, plain, false});
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message));
    return std::move(*opened);
  }
  int signals_;
};

}  // namespace corral::process::testing
