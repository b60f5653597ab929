#include <fmt/format.h>
#include <unistd.h>

#include <iterator>
#include <nlohmann/json.hpp>

#include "common/base/signals.hpp"
#include "common/base/units.hpp"
#include "supervisor/cli/commands.hpp"
#include "supervisor/cli/complaint.hpp"
#include "supervisor/cli/configuration.hpp"
#include "supervisor/cli/print.hpp"
#include "supervisor/shell/process/processes.hpp"

namespace corral::cli {
namespace {

using nlohmann::ordered_json;

std::string restart_in_words(const core::RestartPolicy& policy) {
  const char* when = policy.when == core::RestartWhen::always       ? "always"
                     : policy.when == core::RestartWhen::on_failure ? "on-failure"
                                                                    : "never";
  if (policy.when == core::RestartWhen::never) {
    return when;
  }
  std::string text = fmt::format("{}, after {} × {} up to {}", when, describe_duration(policy.delay), policy.factor,
                                 describe_duration(policy.max_delay));
  if (policy.limit) {
    text += fmt::format(", at most {} in {}", policy.limit->restarts, describe_duration(policy.limit->within));
  }
  return text;
}

std::string command_in_words(const std::vector<std::string>& command) {
  std::string text;
  for (const std::string& word : command) {
    const bool plain = !word.empty() && word.find_first_of(" \t\n'\"\\$`*?;&|<>()") == std::string::npos;
    text += (text.empty() ? "" : " ") + (plain ? word : "'" + word + "'");
  }
  return text;
}

/// Empty where it goes to corral's own stdout and stderr.
std::string log_in_words(const core::LogSpec& log) {
  if (log.to != core::LogTo::file) {
    return log.to == core::LogTo::nothing ? "nowhere" : "";
  }
  const std::string most = log.rotate.size == 0 ? "" : fmt::format(", {} each", describe_size(log.rotate.size));
  return fmt::format("{}{}, {} older kept", log.file, most, log.rotate.keep);
}

/// "0: 0  1: 1  2: 2  …", at most a few: the rest is in --json.
std::string placements_in_words(const std::vector<core::CpuSet>& workers) {
  constexpr std::size_t most = 16;
  std::string text;
  for (std::size_t i = 0; i < std::min(workers.size(), most); ++i) {
    text += fmt::format("{}{} on {}", i == 0 ? "" : ", ", i, workers[i].empty() ? "any" : workers[i].to_string());
  }
  return workers.size() > most ? text + fmt::format(", and {} more (see --json)", workers.size() - most) : text;
}

std::string plan_in_words(const std::string& path, const Configuration& configuration, const std::string& containment) {
  std::string text;
  const auto out = std::back_inserter(text);
  const auto& planned = configuration.preparation.prepared.plan.programs;
  fmt::format_to(out, "{} is valid. It starts, in this order:\n", path);
  for (std::size_t i = 0; i < planned.size(); ++i) {
    const core::ProgramSpec& spec = planned[i].spec;
    const core::ProgramPlacement& placement = configuration.preparation.placement.programs[i];
    fmt::format_to(out, "\n{}. {}: {}\n", i + 1, spec.name, command_in_words(spec.launch.command));
    fmt::format_to(out, "   workers  {}\n", planned[i].workers());
    fmt::format_to(out, "   cores    {}\n", placement.sentence);
    if (core::is_pinned(placement.reason)) {
      fmt::format_to(out, "            {}\n", placements_in_words(placement.workers));
    }
    fmt::format_to(out, "   restart  {}\n", restart_in_words(spec.restart));
    fmt::format_to(out, "   stop     SIG{}, SIGKILL after {}\n", signal_name(spec.stop.signal),
                   describe_duration(spec.stop.grace));
    if (const std::string log = log_in_words(spec.log); !log.empty()) {
      fmt::format_to(out, "   log      {}\n", log);
    }
  }
  fmt::format_to(out, "\nstop guarantee: {}\n", containment);
  return text;
}

std::string plan_as_json(const std::string& path, const Configuration& configuration, const std::string& containment) {
  const auto& planned = configuration.preparation.prepared.plan.programs;
  ordered_json plan{{"valid", true}, {"file", path}, {"containment", containment}};
  ordered_json& programs = plan["programs"] = ordered_json::array();
  for (std::size_t i = 0; i < planned.size(); ++i) {
    const core::ProgramSpec& spec = planned[i].spec;
    const core::ProgramPlacement& placement = configuration.preparation.placement.programs[i];
    ordered_json workers = ordered_json::array();
    for (std::size_t index = 0; index < placement.workers.size(); ++index) {
      const core::CpuSet& cpus = placement.workers[index];
      ordered_json numbers = ordered_json::array();
      for (const std::uint16_t cpu : cpus) {
        numbers.push_back(cpu);
      }
      workers.push_back({{"worker", fmt::format("{}/{}", spec.name, index)}, {"cores", std::move(numbers)}});
    }
    programs.push_back({{"name", spec.name},
                        {"order", i + 1},
                        {"command", spec.launch.command},
                        {"pinned", core::is_pinned(placement.reason)},
                        {"placement", placement.sentence},
                        {"restart", restart_in_words(spec.restart)},
                        {"stop", {{"signal", signal_name(spec.stop.signal)}, {"grace", format_duration(spec.stop.grace)}}},
                        {"log", log_in_words(spec.log)},
                        {"workers", std::move(workers)}});
  }
  // Command words are bytes and need not be UTF-8.
  return plan.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

/// Opens no cgroup for good: what would be in force is asked, and let go of again.
Result<std::string> containment_in_force(core::Containment wanted) {
  const auto setup = process::ProcessSetup::begin();
  if (!setup) {
    return std::unexpected(setup.error());
  }
  const auto processes = process::Processes::open(*setup, {process::fresh_identity(), wanted, false, false});
  if (!processes) {
    return std::unexpected(processes.error());
  }
  return processes->containment();
}

int report(const std::vector<config::Diagnostic>& diagnostics, const CheckOptions& options) {
  if (options.json) {
    return deliver(fmt::format("{{\"valid\": false, \"errors\": {}}}\n", config::to_json(diagnostics)), 2);
  }
  tell(config::render(diagnostics, wants_colour(options.colour, STDERR_FILENO)));
  return 2;
}

}  // namespace

int check(const CheckOptions& options) {
  const Result<std::string> path = find_configuration(options.config);
  if (!path) {
    return complain(path.error());
  }
  const auto configuration = load_configuration(*path, nullptr, core::MachineNeed::cpus);  // The quota is worth a word.
  if (!configuration) {
    return report(configuration.error(), options);
  }
  const Result<std::string> containment = containment_in_force(configuration->spec.containment);
  if (!containment) {
    config::Diagnostic diagnostic;
    diagnostic.file = *path;
    if (configuration->spec.containment == core::Containment::cgroup) {
      diagnostic.pointer = "/containment";
    }
    diagnostic.message = containment.error().message;
    diagnostic.suggestion = way_out(containment.error().error_number);
    return report({diagnostic}, options);
  }
  return deliver(
      options.json ? plan_as_json(*path, *configuration, *containment) : plan_in_words(*path, *configuration, *containment), 0);
}

int schema(bool reference) { return deliver(reference ? config::reference_page() : config::json_schema(), 0); }

}  // namespace corral::cli
