#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/unit/process/bench_of_processes.hpp"

using namespace corral;
using namespace corral::process;
using namespace corral::process::testing;
using corral::core::LaunchStep;

namespace {

std::string temporary(const char* name) { return "/tmp/corral-test-" + std::to_string(getpid()) + "-" + name; }

void write_file(const std::string& path, const std::string& text, mode_t mode) {
  std::ofstream(path) << text;
  chmod(path.c_str(), mode);
}

core::LaunchFailure failure_of(const core::ProgramSpec& spec, const core::CpuSet* placement = nullptr) {
  Bench bench;
  const LaunchTemplate made = prepared(spec);
  LaunchRequest request{.life = life(), .program = &made, .placement = placement};
  const auto failure = bench.launch(request);
  REQUIRE(failure.has_value());
  REQUIRE(bench.until([&] { return bench.processes.alone(); }));
  CHECK(bench.deaths.leaders.empty());  // A failed launch is reported once, as such.
  return *failure;
}

std::string field(const std::string& status, const std::string& name) {
  const std::size_t at = status.find(name + ":\t");
  return at == std::string::npos ? "" : status.substr(at + name.size() + 2, status.find('\n', at) - at - name.size() - 2);
}

}  // namespace

TEST_CASE("a worker that exits is reported once, with its status and usage") {
  Bench bench;
  const LaunchTemplate made = prepared(shell("exit 3"));
  CHECK_FALSE(bench.launch({.life = life(), .program = &made}));
  const Death death = bench.death_of(life());
  CHECK(death.pid == bench.last_pid);
  CHECK(death.status == ExitStatus(ExitedWith{3}));
  CHECK(death.usage.max_rss_bytes > 0);
  CHECK_FALSE(death.failure);
  CHECK_FALSE(death.group_remains);
  CHECK(bench.processes.alone());
  CHECK(bench.deaths.leaders.size() == 1);
}

TEST_CASE("no such command") {
  const auto by_path = failure_of(program({"/nonexistent/x"}));
  CHECK(by_path == core::LaunchFailure{LaunchStep::exec, ENOENT, "/nonexistent/x"});
  const auto by_name = failure_of(program({"corral-no-such-command"}));
  CHECK(by_name == core::LaunchFailure{LaunchStep::exec, ENOENT, "corral-no-such-command"});
}

TEST_CASE("a command that comes to be there is found by the next launch") {
  const std::string directory = temporary("bin");
  mkdir(directory.c_str(), 0755);
  auto spec = program({"latecomer"});
  spec.launch.environment = {{"PATH", directory}};
  const LaunchTemplate made = prepared(spec);
  Bench bench;
  CHECK(bench.launch({.life = life(), .program = &made})->error_number == ENOENT);
  write_file(directory + "/latecomer", "#!/bin/sh\nexit 5\n", 0644);
  CHECK(bench.launch({.life = life(), .program = &made})->error_number == EACCES);
  chmod((directory + "/latecomer").c_str(), 0755);
  CHECK_FALSE(bench.launch({.life = life(), .program = &made}));
  CHECK(bench.death_of(life()).status == ExitStatus(ExitedWith{5}));
  unlink((directory + "/latecomer").c_str());
  rmdir(directory.c_str());
}

TEST_CASE("a missing interpreter is named") {
  const std::string script = temporary("script");
  write_file(script, "#!/nowhere/python -u\n", 0755);
  const auto failure = failure_of(program({script}));
  CHECK(failure.error_number == ENOENT);
  CHECK(core::describe(failure).find("'/nowhere/python'") != std::string::npos);
  unlink(script.c_str());
}

TEST_CASE("why a launch cannot be prepared is said, where there is no number for it") {
  CHECK(core::describe({LaunchStep::prepare, 0, "the task is left"}) == "cannot prepare the launch: the task is left");
  CHECK(core::describe({LaunchStep::prepare, 0, {}}) == "cannot prepare the launch");
}

TEST_CASE("a file that cannot be executed") {
  const std::string file = temporary("plain");
  write_file(file, "data", 0644);
  CHECK(failure_of(program({file})) == core::LaunchFailure{LaunchStep::exec, EACCES, file});
  chmod(file.c_str(), 0755);
  CHECK(failure_of(program({file})) == core::LaunchFailure{LaunchStep::exec, ENOEXEC, file});
  const int writing = open(file.c_str(), O_WRONLY | O_CLOEXEC);
  CHECK(failure_of(program({file})) == core::LaunchFailure{LaunchStep::exec, ETXTBSY, file});
  close(writing);
  unlink(file.c_str());
}

TEST_CASE("an argument that is too long") {
  CHECK(failure_of(program({"/bin/true", std::string(131072, 'x')})).error_number == E2BIG);
}

TEST_CASE("a directory that is gone is named, with its placeholders filled in") {
  auto spec = shell("exit 0");
  spec.launch.directory = "/nonexistent/{index}";
  CHECK(failure_of(spec) == core::LaunchFailure{LaunchStep::directory, ENOENT, "/nonexistent/0"});
}

TEST_CASE("cores that this machine does not have") {
  const core::CpuSet cores{8000, 8001};
  CHECK(failure_of(shell("exit 0"), &cores) == core::LaunchFailure{LaunchStep::affinity, EINVAL, "8000-8001"});
}

TEST_CASE("limits that cannot be set are named") {
  auto spec = shell("exit 0");
  spec.launch.limits = {{RLIMIT_NOFILE, 10, 5}};
  CHECK(failure_of(spec) == core::LaunchFailure{LaunchStep::limits, EINVAL, "nofile"});
}

TEST_CASE("without memory for a process there is no half process") {
  // RLIMIT_NPROC does not bind root, so the failure is the kernel's for a stack that the slot cannot have.
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  Bench bench;
  const LaunchTemplate made = prepared(shell("exit 0"));
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  LaunchRequest request{.life = life(), .program = &made, .stdout_fd = 9999};
  const auto pid = bench.processes.launch(request);
  REQUIRE_FALSE(pid.has_value());
  CHECK(pid.error() == core::LaunchFailure{LaunchStep::prepare, EBADF, ""});
  CHECK(bench.processes.alone());
  CHECK(bench.processes.outstanding() == 0);
  close(ends[0]);
  close(ends[1]);
}

TEST_CASE("a worker learns who it is") {
  Bench bench;
  auto spec = shell(
      "echo $0 $CORRAL_PROGRAM $CORRAL_WORKER $CORRAL_WORKERS $CORRAL_CORES $CORRAL_INCARNATION "
      "$OMP_NUM_THREADS $MKL_NUM_THREADS $SHARD [$GONE]");
  spec.launch.command.emplace_back("{index}/{workers}-{{index}}-{program}-{cores}-{x}");
  spec.launch.environment = {{"SHARD", "s{index}"}, {"MKL_NUM_THREADS", "9"}, {"CORRAL_WORKER", "no"}};
  spec.launch.inherit_environment = std::vector<std::string>{"PATH"};
  setenv("GONE", "still here", 1);
  const core::CpuSet placement{0};
  const std::string said = bench.output_of(spec, {.life = life(3), .placement = &placement, .cores = 2}, 4);
  CHECK(said == "3/4-{index}-crunch-0-{x} crunch 3 4 0 1 2 9 s3 []\n");
  unsetenv("GONE");
}

TEST_CASE("signals, group, affinity and privileges of a worker") {
  Bench bench;
  const core::CpuSet placement{1};
  const std::string status = bench.output_of(program({"cat", "/proc/self/status"}), {.placement = &placement});
  CHECK(field(status, "SigBlk") == "0000000000000000");
  CHECK(field(status, "SigIgn") == "0000000000000000");
  CHECK(field(status, "SigCgt") == "0000000000000000");
  CHECK(field(status, "NoNewPrivs") == "1");
  CHECK(field(status, "Cpus_allowed_list") == "1");
  const std::string pid = std::to_string(bench.last_pid);
  CHECK(field(status, "NSpgid") == pid);
}

TEST_CASE("limits, nice and umask of a worker") {
  Bench bench;
  auto spec = shell("ulimit -n; nice; umask; pwd; cat /proc/self/oom_score_adj");
  spec.launch.nice = 5;
  spec.launch.umask = 027;
  spec.launch.directory = "/usr";
  CHECK(bench.output_of(spec).starts_with(std::to_string(setup().inherited_open_files().rlim_cur) + "\n5\n0027\n/usr\n"));
  spec.launch.limits = {{RLIMIT_NOFILE, 64, 100}};
  CHECK(bench.output_of(spec).starts_with("64\n"));
}

TEST_CASE("a worker has 0 to 2 and nothing else, whatever the supervisor has open") {
  Bench bench;
  const int leak = open("/dev/zero", O_RDONLY);  // Without O_CLOEXEC, as a library would.
  const int high = fcntl(leak, F_DUPFD, 700);
  // The directory itself is the 3.
  CHECK(bench.output_of(program({"ls", "/proc/self/fd"})) == "0\n1\n2\n3\n");
  CHECK(bench.output_of(shell("readlink /proc/self/fd/0")) == "/dev/null\n");
  close(leak);
  close(high);
}

TEST_CASE("sources among 0 to 2 may be swapped") {
  Bench bench;
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  const int saved = fcntl(1, F_DUPFD_CLOEXEC, 10);
  const int saved_error = fcntl(2, F_DUPFD_CLOEXEC, 10);
  dup2(ends[1], 1);
  const LaunchTemplate made = prepared(shell("echo to-error >&2"));
  const auto failure = bench.launch({.life = life(), .program = &made, .stdout_fd = 2, .stderr_fd = 1});
  dup2(saved, 1);
  close(saved);
  close(saved_error);
  close(ends[1]);
  CHECK_FALSE(failure);
  char text[32] = {};
  CHECK(read(ends[0], text, sizeof text) == 9);
  CHECK(std::string(text) == "to-error\n");
  close(ends[0]);
  bench.death_of(life());
}

TEST_CASE("users: nobody, an unknown one, and one that only looks like a number") {
  Bench bench;
  auto spec = shell("id -u; id -g; id -G");
  spec.launch.user = "nobody";
  if (geteuid() == 0) {
    CHECK(bench.output_of(spec) == "65534\n65534\n65534\n");
    spec.launch.group = "daemon";
    CHECK(bench.output_of(spec) == "65534\n1\n1\n");
    spec.launch.user = "4711";
    CHECK(bench.output_of(spec) == "4711\n1\n1\n");
  }
  const auto error = [&](const char* user, const char* group) {
    spec.launch.user = user;
    spec.launch.group = group;
    const auto made = LaunchTemplate::prepare(spec, 1, nullptr);
    return made ? std::string() : made.error().message;
  };
  CHECK(error("corral-nobody", "") == "cannot use user 'corral-nobody': there is no such user in /etc/passwd");
  CHECK(error("0day", "").starts_with("cannot use user '0day': it begins with a digit"));
  CHECK(error("4294967295", "").starts_with("cannot use user '4294967295'"));
  CHECK(error("4711", "").find("give \"group\" too") != std::string::npos);
  CHECK(error("", "corral-group") == "cannot use group 'corral-group': there is no such group in /etc/group");
}

TEST_CASE("descriptors are the same after 1,000 launches and after failures") {
  Bench bench;
  const LaunchTemplate good = prepared(program({"/bin/true"}));
  const LaunchTemplate bad = prepared(program({"/nonexistent"}));
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  bench.launch({.life = life(), .program = &good});
  bench.death_of(life());
  const std::size_t before = open_descriptors();
  for (std::uint32_t i = 0; i < 1000; ++i) {
    REQUIRE(bench.processes.launch({.life = life(i), .program = i % 4 == 3 ? &bad : &good, .stdout_fd = ends[1]}));
  }
  bench.deaths.leaders.clear();
  CHECK(bench.until([&] { return bench.processes.outstanding() == 0 && bench.processes.alone(); }));
  CHECK(bench.deaths.leaders.size() == 750);
  CHECK(open_descriptors() == before);
  close(ends[1]);
  char byte = 0;
  CHECK(read(ends[0], &byte, 1) == 0);  // Nobody holds the other end any more.
  close(ends[0]);
}

TEST_CASE("side by side: 500 workers killed at once are each reaped once") {
  Bench bench;
  const LaunchTemplate made = prepared(program({"sleep", "1000"}));
  for (std::uint32_t i = 0; i < 500; ++i) {
    REQUIRE(bench.processes.launch({.life = life(i), .program = &made}));
  }
  REQUIRE(bench.until([&] { return bench.processes.outstanding() == 0; }));
  for (std::uint32_t i = 0; i < 500; ++i) {
    CHECK(bench.processes.signal(life(i), SIGTERM) == 0);
    CHECK(bench.processes.signal(life(i, 2), SIGTERM) == ESRCH);  // Another incarnation is nobody.
  }
  REQUIRE(bench.until([&] { return bench.processes.alone(); }));
  std::set<Life> lives;
  for (const Death& death : bench.deaths.leaders) {
    CHECK(death.status == ExitStatus(KilledBy{SIGTERM, false}));
    lives.insert(death.life);
  }
  CHECK(lives.size() == 500);
  CHECK(bench.deaths.leaders.size() == 500);
  CHECK(bench.processes.signal(life(0), SIGTERM) == ESRCH);
}

TEST_CASE("many that are launched at once inherit their oom score, and the supervisor has its own again") {
  const auto score_of = [](const std::string& process) {
    int score = 0;
    std::ifstream("/proc/" + process + "/oom_score_adj") >> score;
    return score;
  };
  const int own = score_of("self");
  Bench bench(core::Containment::subreaper, false, 1000);
  const auto spec = program({"sleep", "1000"});
  const LaunchTemplate made = prepared(spec);
  CHECK_FALSE(bench.launch({.life = life(), .program = &made}));
  CHECK(score_of(std::to_string(bench.last_pid)) == std::min(1000, own + 10));
  CHECK(bench.processes.scores_are_due());  // The supervisor's own is.
  bench.processes.set_some_scores();
  CHECK_FALSE(bench.processes.scores_are_due());
  CHECK(score_of("self") == own);
  CHECK(score_of(std::to_string(bench.last_pid)) == std::min(1000, own + 10));
  CHECK_FALSE(bench.launch({.life = life(1), .program = &made}));  // It comes later: it is told by itself.
  CHECK(bench.processes.scores_are_due());
}

TEST_CASE("the supervisor's own oom score stays, a worker's is higher") {
  std::string own;
  std::ifstream("/proc/self/oom_score_adj") >> own;
  Bench bench;
  auto spec = program({"sleep", "1000"});
  const LaunchTemplate made = prepared(spec);
  CHECK_FALSE(bench.launch({.life = life(), .program = &made}));
  const auto score = [&] {
    std::string text;
    std::ifstream("/proc/" + std::to_string(bench.last_pid) + "/oom_score_adj") >> text;
    return std::stoi(text);
  };
  CHECK(bench.processes.scores_are_due());
  bench.processes.set_some_scores();
  CHECK_FALSE(bench.processes.scores_are_due());
  CHECK(score() == std::min(1000, std::stoi(own) + 10));
  spec.launch.oom_score_adj = 321;
  const LaunchTemplate explicitly = prepared(spec);
  CHECK_FALSE(bench.launch({.life = life(1), .program = &explicitly}));
  CHECK(score() == 321);
  std::string after;
  std::ifstream("/proc/self/oom_score_adj") >> after;
  CHECK(after == own);
}
