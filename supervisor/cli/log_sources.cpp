#include "supervisor/cli/log_sources.hpp"

#include <fmt/format.h>
#include <fnmatch.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ranges>
#include <string_view>

#include "common/base/suggest.hpp"
#include "supervisor/cli/api_client.hpp"
#include "supervisor/cli/find_supervisor.hpp"
#include "supervisor/cli/status.hpp"
#include "supervisor/shell/logs/target.hpp"

namespace corral::cli {
namespace {

using core::ProgramSpec;

/// So many indices without a file end the search for workers that nobody counted.
constexpr std::uint32_t longest_gap = 64;

constexpr Duration supervisor_answers_within = std::chrono::seconds(5);

/// "crunch" stands for all its workers.
bool names(const std::string& pattern, const std::string& program, std::uint32_t index) {
  const std::string name = pattern.find('/') == std::string::npos ? program : fmt::format("{}/{}", program, index);
  return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

bool names_program(const std::string& pattern, const std::string& program) {
  return ::fnmatch(pattern.substr(0, pattern.find('/')).c_str(), program.c_str(), 0) == 0;
}

Error unknown(const std::string& pattern, const core::SupervisorSpec& spec) {
  std::vector<std::string_view> known;
  std::ranges::transform(spec.programs, std::back_inserter(known),
                         [](const ProgramSpec& one) -> std::string_view { return one.name; });
  const std::size_t slash = std::min(pattern.find('/'), pattern.size());
  const std::string_view near = nearest(pattern.substr(0, slash), known);
  return {fmt::format("there is no {} '{}'{}", slash == pattern.size() ? "program" : "worker", pattern,
                      near.empty() ? "" : fmt::format("; did you mean '{}{}'?", near, pattern.substr(slash))),
          0};
}

Error without_file(const ProgramSpec& program) {
  const bool nowhere = program.log.to == core::LogTo::nothing;
  return {fmt::format("'{}' has no log file: its output goes {}; \"log\": {{\"to\": \"file\"}} would give it one", program.name,
                      nowhere ? "nowhere" : "to corral's own stdout and stderr"),
          0};
}

/// A file that workers share says nothing of who there is: the configuration does. False where that has no such worker.
bool is_counted(const std::string& pattern, const core::SupervisorSpec& spec) {
  return std::ranges::any_of(spec.programs, [&](const ProgramSpec& program) {
    const auto* counted = std::get_if<std::uint32_t>(&program.launch.workers);
    if (counted == nullptr || program.log.to != core::LogTo::file || !logs::is_shared(program.log)) {
      return names_program(pattern, program.name);
    }
    const auto indices = std::views::iota(0U, *counted);
    return std::ranges::any_of(indices, [&](std::uint32_t index) { return names(pattern, program.name, index); });
  });
}

/// Whether the supervisor of that configuration has such a worker: `corral scale` may have made more.
bool runs(const std::string& pattern, const std::string& config) {
  const Result<process::Instance> supervisor = find_supervisor({config, {}, {}});
  const Result<top::Sample> sample =
      supervisor ? sample_in(ask(*supervisor, {.target = "/v1/status"}, supervisor_answers_within)) : failure("");
  return sample && std::ranges::any_of(sample->workers, [&](const top::WorkerSample& worker) {
           return ::fnmatch(pattern.c_str(), worker.name.c_str(), 0) == 0;
         });
}

Error uncounted(const std::string& pattern) {
  return {fmt::format("'{}' is no worker: its program has fewer in the configuration, and no supervisor runs one of that name",
                      pattern),
          0};
}

class Finder {
 public:
  explicit Finder(const std::vector<std::string>& patterns) : patterns_(patterns) {}

  void add(const ProgramSpec& program) {
    if (logs::is_shared(program.log)) {
      add_shared(program);
      return;
    }
    const auto* counted = std::get_if<std::uint32_t>(&program.launch.workers);
    const std::uint32_t least = counted != nullptr ? *counted : 1;
    std::uint32_t gap = 0;
    for (std::uint32_t index = 0; index < least || gap < longest_gap; ++index) {
      const bool exists = ::access(logs::path_for(program.log, program.name, index, false).c_str(), F_OK) == 0;
      gap = exists ? 0 : gap + 1;
      if ((exists || index < least) && is_wanted(program, index)) {
        add_worker(program, index);
      }
    }
  }

  std::vector<LogSource> take() { return std::move(found_); }

 private:
  [[nodiscard]] bool is_wanted(const ProgramSpec& program, std::uint32_t index) const {
    return patterns_.empty() ||
           std::ranges::any_of(patterns_, [&](const std::string& one) { return names(one, program.name, index); });
  }

  void add_worker(const ProgramSpec& program, std::uint32_t index) {
    const std::string label = fmt::format("{}/{}", program.name, index);
    found_.push_back({label, logs::path_for(program.log, program.name, index, false), found_.size(), is_json(program), {}});
    if (!program.log.merges()) {
      found_.push_back(
          {label + " stderr", logs::path_for(program.log, program.name, index, true), found_.size() - 1, is_json(program), {}});
    }
  }

  void add_shared(const ProgramSpec& program) {
    std::vector<std::string> wanted;
    for (const std::string& pattern : patterns_) {
      if (names_program(pattern, program.name)) {
        wanted.push_back(pattern.find('/') == std::string::npos ? pattern + "/*" : pattern);
      }
    }
    const auto* counted = std::get_if<std::uint32_t>(&program.launch.workers);
    const bool named = is_json(program) || counted == nullptr || *counted > 1;
    found_.push_back({program.name, logs::path_for(program.log, program.name, 0, false), found_.size(), named, wanted});
    if (!program.log.merges()) {
      found_.push_back(
          {program.name + " stderr", logs::path_for(program.log, program.name, 0, true), found_.size() - 1, named, wanted});
    }
  }

  [[nodiscard]] static bool is_json(const ProgramSpec& program) { return program.log.format == core::LineFormat::json; }

  const std::vector<std::string>& patterns_;
  std::vector<LogSource> found_;
};

}  // namespace

std::string_view worker_in(std::string_view line) {
  constexpr std::string_view key = R"(,"worker":")";
  if (line.starts_with('{')) {
    const std::size_t at = line.find(key);
    return at == std::string_view::npos ? "" : line.substr(at + key.size(), line.find('"', at + key.size()) - at - key.size());
  }
  const std::size_t blank = line.find(' ');
  const std::string_view mark = blank == std::string_view::npos ? "" : line.substr(blank, 3);
  return mark == " | " || mark == " > " ? line.substr(0, blank) : "";
}

Result<std::vector<LogSource>> find_logs(const core::SupervisorSpec& spec, const std::vector<std::string>& workers,
                                         const std::string& config) {
  for (const std::string& pattern : workers) {
    if (std::ranges::none_of(spec.programs, [&](const ProgramSpec& one) { return names_program(pattern, one.name); })) {
      return std::unexpected(unknown(pattern, spec));
    }
    if (!is_counted(pattern, spec) && !runs(pattern, config)) {
      return std::unexpected(uncounted(pattern));
    }
  }
  Finder finder(workers);
  const ProgramSpec* fileless = nullptr;
  for (const ProgramSpec& program : spec.programs) {
    const bool named =
        workers.empty() || std::ranges::any_of(workers, [&](const std::string& one) { return names_program(one, program.name); });
    if (named && program.log.to == core::LogTo::file) {
      finder.add(program);
    } else if (named) {
      fileless = &program;
    }
  }
  std::vector<LogSource> found = finder.take();
  if (found.empty()) {
    return fileless != nullptr ? std::unexpected(without_file(*fileless))
                               : std::unexpected(Error{fmt::format("no worker is named by '{}'", fmt::join(workers, "', '")), 0});
  }
  return found;
}

}  // namespace corral::cli
