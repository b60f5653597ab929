// A configuration file from its path to something that can be started, or to everything that is wrong with it.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "supervisor/config/config.hpp"
#include "supervisor/shell/preparation.hpp"

namespace corral::cli {

struct Configuration {
  core::SupervisorSpec spec;
  shell::Preparation preparation;
  std::uint64_t fingerprint = 0;  ///< Of the text.
};

/// A variable of ours, for ${VAR}.
[[nodiscard]] std::optional<std::string> own_environment(std::string_view name);

/// "corral.json" of this directory, then /etc/corral/corral.json; the error names both.
[[nodiscard]] Result<std::string> find_configuration(const std::string& given);

/// Something that is done to what the file says before a plan is made of it.
using Adjust = std::function<void(core::SupervisorSpec&)>;

/// Log files, the socket, the token's file and the crash records of `spec` from the folder of the configuration `path` on,
/// wherever corral runs.
void place_files(core::SupervisorSpec& spec, const std::string& path);

/// Reads, checks and prepares. `running` and `least`: see shell::prepare.
[[nodiscard]] std::expected<Configuration, std::vector<config::Diagnostic>> load_configuration(
    const std::string& path, const core::Plan* running = nullptr, core::MachineNeed least = core::MachineNeed::nothing,
    const Adjust& adjust = {});

}  // namespace corral::cli
