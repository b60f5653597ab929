// What the supervisor answers to GET /v1/status and GET /v1/events, as far as `corral top` shows it.
//
// Text from elsewhere: whatever is missing or of another kind is left empty, and nothing in here may drive a terminal (the
// painter sees to that).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace corral::cli::top {

struct WorkerSample {
  std::string name;
  std::string program;
  std::uint64_t index = 0;
  std::string state;
  bool wanted_up = false;
  std::optional<std::uint64_t> pid;
  std::uint64_t incarnation = 0;
  std::string cores;  ///< Empty: bound to none.
  std::optional<double> uptime_seconds;
  std::uint64_t restarts = 0;
  std::optional<double> cpu_seconds;
  std::optional<std::uint64_t> memory_bytes;
  std::optional<double> next_start_seconds;
  std::optional<std::uint64_t> tasks_done;  ///< Where it is fed.
};

struct Sample {
  std::string version;
  std::string config;
  std::string phase;
  std::uint64_t pid = 0;
  double uptime_seconds = 0;
  std::uint64_t programs = 0;
  std::vector<WorkerSample> workers;
};

[[nodiscard]] Result<Sample> read_status(std::string_view json);
[[nodiscard]] Error not_json();  ///< What is said of an answer that is none.

/// The latest event of each worker, in words; the worker's own name at their beginning is left out.
using LastEvents = std::map<std::string, std::string, std::less<>>;
[[nodiscard]] Result<LastEvents> read_events(std::string_view json);

/// The sentence of an error reply, or what can be said without one.
[[nodiscard]] std::string read_error(std::string_view json, int status);

}  // namespace corral::cli::top
