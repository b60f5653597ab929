// Makes plans of the configuration while it is in force: read again, scaled, or only looked at.
#pragma once

#include <map>
#include <string>

#include "supervisor/cli/configuration.hpp"
#include "supervisor/shell/prepared.hpp"

namespace corral::cli {

/// Knows what is in force, so that unchanged workers keep their places. A program that was scaled keeps its number of workers
/// until its definition in the file changes.
class Reloader : public shell::Loader {
 public:
  Reloader(std::string path, core::SupervisorSpec spec, core::Plan in_force);

  [[nodiscard]] Result<shell::Prepared> reload() override;
  [[nodiscard]] Result<std::vector<core::WorkerChange>> preview() override;
  [[nodiscard]] Result<shell::Prepared> scale(const shell::ScaleWish& wish) override;

 private:
  struct Scaled {
    core::LaunchSpec as_written;
    core::WorkerCount workers;
  };

  [[nodiscard]] Result<Configuration> read(std::map<std::string, core::LaunchSpec>& written) const;

  std::string path_;
  core::SupervisorSpec spec_;                        ///< Scales applied.
  std::map<std::string, core::LaunchSpec> written_;  ///< As the file has it.
  core::Plan in_force_;
  std::map<std::string, Scaled> scaled_;
};

}  // namespace corral::cli
