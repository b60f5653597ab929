// What the configuration asks for, checked and in the words of docs/reference. Plain data.
//
// config makes it from JSON and `corral exec` from flags; nothing here knows of either. Names, directories and
// environment values may still hold the placeholders {index} {workers} {program} {cores}: they differ from worker to
// worker and are filled in at launch. ${VAR} is already replaced.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/instant.hpp"
#include "supervisor/core/cpu_set.hpp"
#include "supervisor/core/log_spec.hpp"

namespace corral::core {

enum class RestartWhen { always, on_failure, never };

/// What follows when a program has failed: only it stops, or everything does (exit status 1).
enum class ThenDo { fail, shutdown };

/// More than `restarts` unhealthy exits of all workers of a program within `within` make the program fail.
struct RestartLimit {
  std::uint32_t restarts = 10;
  Duration within = std::chrono::minutes(5);
  friend bool operator==(const RestartLimit&, const RestartLimit&) = default;
};

/// The n-th unhealthy exit in a row (n from 1) waits delay × factorⁿ⁻¹, at most max_delay, ± jitter. An exit is
/// unhealthy when the life before it was shorter than healthy_after, whatever its status.
struct RestartPolicy {
  RestartWhen when = RestartWhen::on_failure;
  std::vector<int> success_codes{0};  ///< Sorted, 0 to 255.
  Duration delay = std::chrono::milliseconds(100);
  double factor = 2;  ///< 1 to 1000.
  Duration max_delay = std::chrono::seconds(30);
  double jitter = 0.1;  ///< 0 to 1: the share of the delay by which it may be longer or shorter.
  Duration healthy_after = std::chrono::seconds(10);
  std::optional<RestartLimit> limit = RestartLimit{};
  ThenDo then = ThenDo::fail;
  friend bool operator==(const RestartPolicy&, const RestartPolicy&) = default;
};

struct StopPolicy {
  int signal = 15;  ///< SIGTERM. 1 to SIGRTMAX.
  Duration grace = std::chrono::seconds(10);
  friend bool operator==(const StopPolicy&, const StopPolicy&) = default;
};

/// Nothing was said: separate cores when there are more workers than one, no pinning otherwise.
struct DefaultCores {
  friend bool operator==(const DefaultCores&, const DefaultCores&) = default;
};
/// Each worker its own `per_worker` CPUs ("separate" is 1).
struct SeparateCores {
  std::uint32_t per_worker = 1;
  friend bool operator==(const SeparateCores&, const SeparateCores&) = default;
};
/// No pinning: the kernel places.
struct SharedCores {
  friend bool operator==(const SharedCores&, const SharedCores&) = default;
};
/// Like separate with one CPU a worker, but from exactly this list. A single worker gets the whole list, as with taskset.
struct ListedCores {
  CpuSet cpus;
  friend bool operator==(const ListedCores&, const ListedCores&) = default;
};
using CoresPolicy = std::variant<DefaultCores, SeparateCores, SharedCores, ListedCores>;

/// "auto": one worker for every core (or every per_worker cores) that this process may really use.
struct AutoWorkers {
  friend bool operator==(const AutoWorkers&, const AutoWorkers&) = default;
};
using WorkerCount = std::variant<AutoWorkers, std::uint32_t>;

/// As setrlimit(2) has it; nothing stands for "unlimited".
struct ResourceLimit {
  int resource = 0;  ///< RLIMIT_*
  std::optional<std::uint64_t> soft;
  std::optional<std::uint64_t> hard;
  friend bool operator==(const ResourceLimit&, const ResourceLimit&) = default;
};

/// Which of the supervisor's own environment a worker inherits: all of it, or only these names.
struct InheritAll {
  friend bool operator==(const InheritAll&, const InheritAll&) = default;
};
using InheritedEnvironment = std::variant<InheritAll, std::vector<std::string>>;

/// Everything that a running process was made from: where any of it changes, the process must be replaced.
struct LaunchSpec {
  std::vector<std::string> command;  ///< At least the program; never empty, no NUL.
  WorkerCount workers = 1U;          ///< 1 to 100,000. A worker is told it, so a change replaces every worker.
  CoresPolicy cores;
  std::vector<std::pair<std::string, std::string>> environment;  ///< In the order of the file.
  InheritedEnvironment inherit_environment;
  std::string directory;  ///< Empty: the supervisor's own.
  std::string user;       ///< Name or number; empty: the supervisor's own.
  std::string group;      ///< Name or number; empty: the user's own.
  std::vector<ResourceLimit> limits;
  std::optional<int> nice;           ///< -20 to 19.
  std::optional<int> umask;          ///< 0 to 0777.
  std::optional<int> oom_score_adj;  ///< -1000 to 1000.
  bool no_new_privileges = true;
  bool task_arguments = false;  ///< Each launch is for one task: {} {#} {worker} in the command stand for it.
  friend bool operator==(const LaunchSpec&, const LaunchSpec&) = default;
};

/// The lowest bound for tasks and results, in bytes: a HELLO has room in it, and a short story of an error.
inline constexpr std::uint32_t least_payload = 1024;

/// Of what tasks have taken so far: 100 to 1,000,000.
struct PercentOfMedian {
  std::uint32_t percent = 100;
  friend bool operator==(PercentOfMedian, PercentOfMedian) = default;
};

/// What the workers of a program are fed with, in the terms of `corral map`.
struct TasksSpec {
  std::string from;  ///< A file with a task on each line. Never empty.
  std::string to;    ///< Where the results go. Never empty.
  bool lines = false;
  bool raw = false;
  bool ordered = false;
  std::optional<std::uint32_t> retries;       ///< 0 to 1000.
  std::optional<std::uint32_t> retry_errors;  ///< Likewise.
  bool tag = false;                           ///< With raw alone, and without a state.
  bool shuffle = false;                       ///< Without ordered.
  std::optional<std::variant<Duration, PercentOfMedian>> timeout;
  std::string halt;                          ///< "soon,fail=3"; empty: never.
  std::string state;                         ///< A file; empty: nothing is recorded.
  std::string quarantine;                    ///< Likewise, for tasks that are given up.
  std::string timeline;                      ///< Likewise, for the page that shows who did what when.
  std::string trace;                         ///< Likewise, for trace events.
  std::optional<std::uint64_t> limit;        ///< At least 1.
  std::optional<std::uint64_t> max_tasks;    ///< Likewise.
  std::optional<std::uint64_t> max_payload;  ///< least_payload to 2^32-1, in bytes.
  std::optional<std::uint64_t> max_memory;   ///< At least 1, in bytes.
  std::optional<Duration> max_age;           ///< Longer than 0.
  friend bool operator==(const TasksSpec&, const TasksSpec&) = default;
};

struct ProgramSpec {
  std::string name;  ///< 1 to 64 of A-Z a-z 0-9 _ . -, not starting with a dot or a dash.
  LaunchSpec launch;
  RestartPolicy restart;
  StopPolicy stop;
  LogSpec log;
  std::optional<TasksSpec> tasks;                     ///< Its workers are fed.
  Duration start_timeout = std::chrono::seconds(60);  ///< From the fork until exec has succeeded.
  friend bool operator==(const ProgramSpec&, const ProgramSpec&) = default;
};

/// A TCP port that only this machine reaches.
struct LoopbackAddress {
  std::string host;        ///< 127.0.0.0/8 in four numbers, or "::1".
  std::uint16_t port = 0;  ///< 1 to 65535.
  [[nodiscard]] bool is_v6() const { return host.contains(':'); }
  [[nodiscard]] std::string in_brackets() const { return is_v6() ? "[" + host + "]" : host; }
  /// "127.0.0.1:8080", "[::1]:8080"
  [[nodiscard]] std::string to_string() const { return in_brackets() + ":" + std::to_string(port); }
  friend bool operator==(const LoopbackAddress&, const LoopbackAddress&) = default;
};

/// Where the supervisor can be asked and told.
struct ControlSpec {
  bool enabled = true;
  std::string socket;                     ///< A path; empty: the default place.
  std::optional<LoopbackAddress> listen;  ///< TCP too, with a token.
  std::string token_file;                 ///< A path; never empty with `listen`.
  friend bool operator==(const ControlSpec&, const ControlSpec&) = default;
};

/// A command that is told of what happens.
struct EventHook {
  std::vector<std::string> command;  ///< Never empty.
  std::vector<std::string> events;   ///< By name, see event_names.hpp; empty: all.
  Duration timeout = std::chrono::seconds(10);
  friend bool operator==(const EventHook&, const EventHook&) = default;
};

/// Where the records of abnormal ends go.
struct CrashFiles {
  std::string folder;        ///< Never empty.
  std::uint32_t keep = 100;  ///< 1 to 100,000; the oldest go first.
  friend bool operator==(const CrashFiles&, const CrashFiles&) = default;
};

/// What a reload is held to.
struct ReloadPolicy {
  bool rollback = false;  ///< Unless every worker that it touches becomes healthy, the configuration before comes back.
  friend bool operator==(const ReloadPolicy&, const ReloadPolicy&) = default;
};

enum class Containment { automatic, cgroup, subreaper };

struct SupervisorSpec {
  std::vector<ProgramSpec> programs;  ///< In the order of the file: it is the order of start.
  bool stay = false;                  ///< Keep running when every program has finished.
  Containment containment = Containment::automatic;
  ControlSpec control;  ///< As it was at the start: a reload changes nothing about it.
  ReloadPolicy reload;  ///< How this configuration takes the place of another.
  std::optional<EventHook> on_event;
  std::optional<CrashFiles> crashes;
  friend bool operator==(const SupervisorSpec&, const SupervisorSpec&) = default;
};

}  // namespace corral::core
