#include "supervisor/shell/process/launch_template.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <unordered_set>
#include <utility>

#include "common/base/check.hpp"
#include "supervisor/shell/process/command_path.hpp"
#include "supervisor/shell/process/template_parts.hpp"

namespace corral::process {
namespace {

/// The launcher's own; whatever is inherited or configured under these names is replaced.
constexpr std::array<std::string_view, 6> own_variables{"CORRAL_PROGRAM", "CORRAL_WORKER",      "CORRAL_WORKERS",
                                                        "CORRAL_CORES",   "CORRAL_INCARNATION", "CORRAL_SUPERVISOR"};

std::string_view name_of(std::string_view entry) { return entry.substr(0, entry.find('=')); }

bool is_inherited(const core::InheritedEnvironment& which, std::string_view name) {
  const auto* names = std::get_if<std::vector<std::string>>(&which);
  return names == nullptr || std::ranges::find(*names, name) != names->end();
}

void prepare_environment(LaunchTemplate::Parts& parts, const core::LaunchSpec& spec, const char* const* environment) {
  std::unordered_set<std::string_view> set(own_variables.begin(), own_variables.end());
  parts.search_path = standard_search_path;
  for (std::size_t i = 0; i < spec.environment.size(); ++i) {
    const auto& [name, value] = spec.environment[i];
    const bool again = std::any_of(spec.environment.begin() + static_cast<std::ptrdiff_t>(i) + 1, spec.environment.end(),
                                   [&](const auto& later) { return later.first == name; });
    if (again || std::ranges::find(own_variables, name) != own_variables.end()) {
      continue;
    }
    set.insert(name);
    parts.environment.emplace_back(std::string(name).append("=").append(value));
  }
  for (const char* const* entry = environment; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view name = name_of(*entry);
    if (!set.contains(name) && is_inherited(spec.inherit_environment, name)) {
      parts.inherited.push_back(*entry);
      set.insert(name);
      if (name == "PATH") {
        parts.search_path = std::string_view(*entry).substr(5);
      }
    }
  }
  for (const auto& [name, value] : spec.environment) {
    if (name == "PATH") {
      parts.search_path = value;
    }
  }
  parts.environment.emplace_back("CORRAL_PROGRAM={program}");
  parts.environment.emplace_back("CORRAL_WORKERS={workers}");
  for (const std::string_view name : thread_variables) {
    if (!set.contains(name)) {
      parts.unset_thread_variables.push_back(name);
    }
  }
}

/// What does not differ from worker to worker is filled in now.
Pattern settled(const Pattern& pattern, const LaunchTemplate::Parts& parts) {
  const PlaceholderValues values{"{index}", parts.workers, parts.program, "{cores}", "{index}", "{index}"};
  std::string text;
  pattern.append_to(text, values);
  const Pattern again(text);
  return again.fixed() && again.text() == text ? again : pattern;
}

}  // namespace

LaunchTemplate::LaunchTemplate(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
LaunchTemplate::LaunchTemplate(LaunchTemplate&&) noexcept = default;
LaunchTemplate& LaunchTemplate::operator=(LaunchTemplate&&) noexcept = default;
LaunchTemplate::~LaunchTemplate() = default;

Result<LaunchTemplate> LaunchTemplate::prepare(const core::ProgramSpec& spec, std::uint32_t workers,
                                               const char* const* environment) {
  CORRAL_CHECK(!spec.launch.command.empty());
  static std::atomic<std::uint64_t> made = 0;
  auto parts = std::make_unique<Parts>();
  parts->number = ++made;
  auto account = resolve_account(spec.launch.user, spec.launch.group);
  if (!account) {
    return std::unexpected(std::move(account.error()));
  }
  parts->account = std::move(*account);
  parts->user = spec.launch.user;
  parts->group = spec.launch.group;
  parts->program = spec.name;
  parts->worker_count = std::max(workers, 1U);
  parts->workers = std::to_string(workers);
  for (const std::string& argument : spec.launch.command) {
    parts->arguments.push_back(settled(Pattern(argument, spec.launch.task_arguments), *parts));
  }
  parts->directory = settled(Pattern(spec.launch.directory), *parts);
  prepare_environment(*parts, spec.launch, environment);
  for (Pattern& variable : parts->environment) {
    variable = settled(variable, *parts);
  }
  for (const core::ResourceLimit& limit : spec.launch.limits) {
    parts->limits.push_back({limit.resource, {limit.soft.value_or(RLIM_INFINITY), limit.hard.value_or(RLIM_INFINITY)}});
  }
  parts->nice = spec.launch.nice;
  parts->umask = spec.launch.umask;
  parts->oom_score_adj = spec.launch.oom_score_adj;
  parts->no_new_privileges = spec.launch.no_new_privileges;
  if (parts->arguments.front().fixed()) {
    parts->resolved = find_command(parts->arguments.front().text(), parts->search_path);
  }
  return LaunchTemplate(std::move(parts));
}

std::string LaunchTemplate::command_path() const {
  if (!parts_->resolved.empty()) {
    return parts_->resolved;
  }
  std::string text;
  parts_->arguments.front().append_to(text, {"{index}", parts_->workers, parts_->program, "{cores}"});
  return text;
}

}  // namespace corral::process
