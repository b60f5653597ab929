#include "supervisor/cli/task_programs.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/signals.hpp"
#include "common/base/units.hpp"
#include "supervisor/shell/tasks/shared_counts.hpp"

namespace corral::cli {
namespace {

/// What the map itself needs beyond the grace of its workers: the last answers, and its own end.
constexpr Duration to_end = std::chrono::seconds(5);

/// The map fills the placeholders in, for its own workers: for its launch they are literal.
std::string literal(std::string word) {
  static constexpr std::array<std::string_view, 4> names{"{index}", "{workers}", "{program}", "{cores}"};
  for (const std::string_view name : names) {
    for (std::size_t at = word.find(name); at != std::string::npos; at = word.find(name, at + name.size() + 2)) {
      word.insert(at + name.size(), "}").insert(at, "{");
    }
  }
  return word;
}

struct Options {
  std::vector<std::string> all;

  /// In one word: a value that begins with a dash is no option.
  void add(std::string_view name, const std::string& value) { all.push_back(std::string(name) + "=" + value); }
  void add(std::string_view name, bool wanted) {
    if (wanted) {
      all.emplace_back(name);
    }
  }
  template <class Number>
  void add_number(std::string_view name, const std::optional<Number>& value, std::string_view unit = "") {
    if (value) {
      add(name, std::to_string(*value).append(unit));
    }
  }
  void add_text(std::string_view name, const std::string& value) {
    if (!value.empty()) {
      add(name, value);
    }
  }
};

std::string words_for(const std::variant<Duration, core::PercentOfMedian>& timeout) {
  const auto* share = std::get_if<core::PercentOfMedian>(&timeout);
  return share != nullptr ? std::to_string(share->percent) + "%" : format_duration(std::get<Duration>(timeout));
}

std::string words_for(const core::CoresPolicy& cores, bool several) {
  if (const auto* list = std::get_if<core::ListedCores>(&cores)) {
    return list->cpus.to_string();
  }
  const bool shared =
      std::holds_alternative<core::SharedCores>(cores) || (std::holds_alternative<core::DefaultCores>(cores) && !several);
  return shared ? "shared" : "separate";
}

std::vector<std::string> map_command(const core::ProgramSpec& program, const std::optional<core::CrashFiles>& crashes,
                                     const std::string& self) {
  const core::TasksSpec& tasks = *program.tasks;
  const core::LaunchSpec& launch = program.launch;
  const auto* count = std::get_if<std::uint32_t>(&launch.workers);
  Options words{{self, "map"}};
  words.add("--output", tasks.to);
  words.add("--workers", count != nullptr ? std::to_string(*count) : "auto");
  words.add("--cores", words_for(launch.cores, count == nullptr || *count > 1));
  words.add("--lines", tasks.lines);
  words.add("--raw", tasks.raw);
  words.add("--ordered", tasks.ordered);
  words.add_number("--retries", tasks.retries);
  words.add_number("--retry-errors", tasks.retry_errors);
  words.add_number("--limit", tasks.limit);
  words.add_number("--max-tasks", tasks.max_tasks);
  words.add("--tag", tasks.tag);
  words.add("--shuf", tasks.shuffle);
  words.add_number("--max-payload", tasks.max_payload, "B");
  words.add_number("--max-memory", tasks.max_memory, "B");
  if (tasks.max_age) {
    words.add("--max-age", format_duration(*tasks.max_age));
  }
  if (tasks.timeout) {
    words.add("--timeout", words_for(*tasks.timeout));
  }
  words.add_text("--halt", tasks.halt);
  words.add_text("--state", tasks.state);
  words.add_text("--quarantine", tasks.quarantine);
  words.add_text("--timeline", tasks.timeline);
  words.add_text("--trace", tasks.trace);
  if (crashes) {
    words.add("--crashes", crashes->folder);
    words.add("--keep-crashes", std::to_string(crashes->keep));
  }
  words.add("--stop-signal", signal_name(program.stop.signal));
  words.add("--grace", format_duration(program.stop.grace));
  words.add("--no-drain", true);
  if (!launch.directory.empty()) {
    words.add("--directory", launch.directory);
  }
  for (const auto& [name, value] : launch.environment) {
    words.add("--env", name + "=" + value);
  }
  words.all.push_back((tasks.from.starts_with('-') ? "./" : "") + tasks.from);  // It is a file, and neither an option nor stdin.
  words.all.emplace_back("--");
  words.all.insert(words.all.end(), launch.command.begin(), launch.command.end());
  std::ranges::transform(words.all, words.all.begin(), literal);
  return words.all;
}

}  // namespace

bool any_tasks(const core::SupervisorSpec& spec) {
  return std::ranges::any_of(spec.programs, [](const core::ProgramSpec& program) { return program.tasks.has_value(); });
}

core::SupervisorSpec with_maps(core::SupervisorSpec spec, const std::string& self) {
  for (core::ProgramSpec& program : spec.programs) {
    if (!program.tasks) {
      continue;
    }
    program.launch.command = map_command(program, spec.crashes, self);
    program.launch.workers = 1U;
    program.launch.cores = core::SharedCores{};
    program.launch.directory.clear();
    program.launch.environment = {{shell::counts_variable, "3"}};
    program.restart = {};
    program.restart.when = core::RestartWhen::never;
    program.stop.signal = SIGTERM;
    program.stop.grace = program.stop.grace + to_end;
  }
  return spec;
}

std::string own_path() {
  std::string path(4096, '\0');
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  path.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return path.empty() ? "corral" : path;
}

}  // namespace corral::cli
