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
  Reloader(std::string path, core::SupervisorSpec spec, core::Plan in_force, std::uint64_t fingerprint);

  [[nodiscard]] Result<shell::Prepared> reload() override;
  [[nodiscard]] Result<std::vector<core::WorkerChange>> preview() override;
  [[nodiscard]] Result<shell::Prepared> scale(const shell::ScaleWish& wish) override;
  [[nodiscard]] Result<shell::Prepared> restore() override;
  void remember_what_is_in_force() override { remembered_ = in_force_; }
  void take_over() override { in_force_ = std::move(next_); }
  [[nodiscard]] std::uint64_t fingerprint() const override { return in_force_->fingerprint; }

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
    core::Plan plan;
    std::uint64_t fingerprint = 0;
  };

  [[nodiscard]] Result<Configuration> read(Version& version) const;
  static void apply(const std::map<std::string, Scaled>& scaled, Version& version);
  /// It may still be refused: nothing is in force before it is taken over.
  [[nodiscard]] shell::Prepared offer(Version version, shell::Prepared prepared);

  std::string path_;
  std::shared_ptr<const Version> in_force_;
  std::shared_ptr<const Version> next_;
  std::shared_ptr<const Version> remembered_;
};

}  // namespace corral::cli
