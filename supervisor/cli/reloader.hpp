// Makes plans of the configuration while it is in force: read again, scaled, or only looked at.
#pragma once

#include <map>
#include <memory>
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
  void remember_the_one_before() override { remembered_ = before_; }
  [[nodiscard]] Result<shell::Prepared> restore() override;

 private:
  struct Scaled {
    core::LaunchSpec as_written;
    core::WorkerCount workers;
  };

  using Launches = std::map<std::string, core::LaunchSpec>;
  struct Version {
    core::SupervisorSpec spec;  ///< Scales applied.
    Launches written;           ///< As the file has it.
    std::map<std::string, Scaled> scaled;
  };

  [[nodiscard]] Result<Configuration> read(Version& version) const;
  static void apply(const std::map<std::string, Scaled>& scaled, Version& version);

  std::string path_;
  Version now_;
  std::shared_ptr<const Version> before_;  ///< The last reload.
  std::shared_ptr<const Version> remembered_;
  core::Plan in_force_;
};

}  // namespace corral::cli
