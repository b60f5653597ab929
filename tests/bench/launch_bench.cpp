// What a launch, a restart and a stop cost, beside a bare loop of vfork, exec and wait, interleaved in one run.
// Not a test: build target launch_bench, run it by hand. Usage: launch_bench [workers] [rounds]
#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "supervisor/shell/process/processes.hpp"

using namespace corral;
using namespace corral::process;
using Clock = std::chrono::steady_clock;

namespace {

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

struct Measured {
  std::vector<double> start, stop, restart;
};

double median(std::vector<double> all) {
  std::ranges::sort(all);
  return all.empty() ? 0 : all[all.size() / 2];
}

Life life(std::uint32_t index, std::uint32_t incarnation = 1) { return {{ProgramId{0}, index}, Incarnation{incarnation}}; }

pid_t bare_launch(const char* const* command) {
  const pid_t pid = vfork();
  if (pid == 0) {
    execve(command[0], const_cast<char* const*>(command), environ);
    _exit(127);
  }
  return pid;
}

void bare_round(const char* const* pause_command, const char* const* true_command, std::uint32_t workers, Measured& out) {
  std::vector<pid_t> pids(workers);
  auto start = Clock::now();
  for (pid_t& pid : pids) {
    pid = bare_launch(pause_command);
  }
  out.start.push_back(microseconds_since(start) / workers);
  start = Clock::now();
  for (const pid_t pid : pids) {
    kill(pid, SIGTERM);
  }
  for (const pid_t pid : pids) {
    waitpid(pid, nullptr, 0);
  }
  out.stop.push_back(microseconds_since(start) / workers);
  start = Clock::now();
  for (int i = 0; i < 500; ++i) {
    waitpid(bare_launch(true_command), nullptr, 0);
  }
  out.restart.push_back(microseconds_since(start) / 500);
}

void corral_round(const ProcessSetup& setup, core::Containment containment, const LaunchTemplate& pauses,
                  const LaunchTemplate& ends, std::uint32_t workers, int signals, Measured& out) {
  auto processes = std::move(*Processes::open(setup, {fresh_identity(), containment, false, false}));
  processes.catch_up();
  std::vector<LaunchOutcome> outcomes;
  std::vector<Life> gone;
  Deaths deaths;
  auto last_full = Clock::now();
  const auto wait = [&] {
    pollfd waiting{signals, POLLIN, 0};
    const bool quiet = poll(&waiting, 1, 1) == 0;
    signalfd_siginfo info{};
    while (read(signals, &info, sizeof info) > 0) {
      processes.reap(static_cast<pid_t>(info.ssi_pid), info.ssi_code == CLD_EXITED, deaths);
    }
    if (quiet || microseconds_since(last_full) > 1000) {
      static_cast<void>(processes.reap(deaths));
      last_full = Clock::now();
    }
    processes.settle(outcomes);
  };
  auto start = Clock::now();
  for (std::uint32_t i = 0; i < workers; ++i) {
    static_cast<void>(processes.launch({.life = life(i), .program = &pauses}));
  }
  while (processes.outstanding() > 0) {
    processes.settle(outcomes);
  }
  out.start.push_back(microseconds_since(start) / workers);
  start = Clock::now();
  for (std::uint32_t i = 0; i < workers; ++i) {
    processes.signal(life(i), SIGTERM);
  }
  while (!processes.alone()) {
    wait();
  }
  out.stop.push_back(microseconds_since(start) / workers);
  start = Clock::now();
  for (std::uint32_t i = 1; i <= 500; ++i) {
    deaths.leaders.clear();
    static_cast<void>(processes.launch({.life = life(0, i), .program = &ends}));
    processes.settle(outcomes);
    while (deaths.leaders.empty()) {
      wait();
    }
    processes.sweep(life(0, i));
    processes.finish_sweeps(gone);
  }
  out.restart.push_back(microseconds_since(start) / 500);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "pause") {
    return pause();
  }
  const auto workers = static_cast<std::uint32_t>(argc > 1 ? std::atoi(argv[1]) : 1000);
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 5;
  const char* worker = argc > 3 ? argv[3] : argv[0];
  const char* pause_command[] = {worker, "pause", nullptr};
  const char* true_command[] = {"/bin/true", nullptr};
  const auto setup = std::move(*ProcessSetup::begin());
  const int signals = signalfd(-1, &setup.blocked(), SFD_CLOEXEC | SFD_NONBLOCK);
  core::ProgramSpec spec;
  spec.name = "crunch";
  spec.launch.command = {worker, "pause"};
  auto pauses = std::move(*LaunchTemplate::prepare(spec, workers, environ));
  spec.launch.command = {"/bin/true"};
  auto ends = std::move(*LaunchTemplate::prepare(spec, workers, environ));
  Measured bare, subreaper, cgroup;
  // The bare workers must not start with everything blocked.
  sigset_t none;
  sigemptyset(&none);
  for (int i = 0; i < rounds; ++i) {
    sigprocmask(SIG_SETMASK, &none, nullptr);
    bare_round(pause_command, true_command, workers, bare);
    sigprocmask(SIG_SETMASK, &setup.blocked(), nullptr);
    corral_round(setup, core::Containment::subreaper, pauses, ends, workers, signals, subreaper);
    corral_round(setup, core::Containment::automatic, pauses, ends, workers, signals, cgroup);
  }
  std::printf("%-10s %12s %12s %12s   (median of %d, us each; %u workers)\n", "", "start", "stop", "restart", rounds, workers);
  const auto print = [&](const char* name, const Measured& m) {
    std::printf("%-10s %7.1f %4.2f %7.1f %4.2f %7.1f %4.2f\n", name, median(m.start), median(m.start) / median(bare.start),
                median(m.stop), median(m.stop) / median(bare.stop), median(m.restart), median(m.restart) / median(bare.restart));
  };
  print("bare", bare);
  print("subreaper", subreaper);
  print("automatic", cgroup);
  close(signals);
  return 0;
}
