#include "supervisor/cli/reloader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/base/suggest.hpp"
#include "supervisor/cli/configuration.hpp"

namespace corral::cli {

namespace {

std::map<std::string, core::LaunchSpec> launches_of(const core::SupervisorSpec& spec) {
  std::map<std::string, core::LaunchSpec> launches;
  for (const core::ProgramSpec& program : spec.programs) {
    launches.emplace(program.name, program.launch);
  }
  return launches;
}

std::string in_words(const shell::Complaint& complaint, const core::SupervisorSpec& spec) {
  const std::string whose = complaint.program < spec.programs.size() ? spec.programs[complaint.program].name + ": " : "";
  return whose + complaint.message + (complaint.suggestion.empty() ? "" : "; " + complaint.suggestion);
}

}  // namespace

Reloader::Reloader(std::string path, core::SupervisorSpec spec, core::Plan in_force, std::uint64_t fingerprint)
    : path_(std::move(path)) {
  Launches written = launches_of(spec);
  in_force_ = std::make_shared<const Version>(std::move(spec), std::move(written), std::map<std::string, Scaled>{},
                                              std::move(in_force), fingerprint);
}

/// Whose definition in the file is what it was when it was scaled has the number of workers that was wished for; for the others
/// that is over.
void Reloader::apply(const std::map<std::string, Scaled>& scaled, Version& version) {
  for (core::ProgramSpec& program : version.spec.programs) {
    const auto wished = scaled.find(program.name);
    if (wished != scaled.end() && wished->second.as_written == version.written.at(program.name)) {
      program.launch.workers = wished->second.workers;
      version.scaled.insert_or_assign(program.name, wished->second);
    }
  }
}

Result<Configuration> Reloader::read(Version& version) const {
  auto configuration = load_configuration(path_, &in_force_->plan, core::MachineNeed::nothing, [&](core::SupervisorSpec& spec) {
    version.written = launches_of(spec);
    version.spec = std::move(spec);
    apply(in_force_->scaled, version);
    spec = version.spec;
  });
  if (configuration) {
    return std::move(*configuration);
  }
  std::string text;
  for (const config::Diagnostic& diagnostic : configuration.error()) {
    text += (text.empty() ? "" : "; ") + config::in_one_line(diagnostic);
  }
  return failure(std::move(text));
}

shell::Prepared Reloader::offer(Version version, shell::Prepared prepared) {
  version.plan = prepared.plan;
  next_ = std::make_shared<const Version>(std::move(version));
  return prepared;
}

Result<shell::Prepared> Reloader::reload() {
  Version version;
  auto configuration = read(version);
  if (!configuration) {
    return std::unexpected(std::move(configuration.error()));
  }
  if (configuration->spec.control != in_force_->spec.control) {
    configuration->preparation.prepared.notes.emplace_back(
        "`control` has changed in the configuration; a reload changes nothing about it, the next start does");
  }
  version.spec = std::move(configuration->spec);
  version.fingerprint = configuration->fingerprint;
  return offer(std::move(version), std::move(configuration->preparation.prepared));
}

Result<std::vector<core::WorkerChange>> Reloader::preview() {
  Version version;
  auto configuration = read(version);
  if (!configuration) {
    return std::unexpected(std::move(configuration.error()));
  }
  return core::changes(in_force_->plan, configuration->preparation.prepared.plan);
}

Result<shell::Prepared> Reloader::scale(const shell::ScaleWish& wish) {
  Version version = *in_force_;
  std::vector<core::ProgramSpec>& programs = version.spec.programs;
  const auto program = std::ranges::find(programs, wish.program, &core::ProgramSpec::name);
  if (program == programs.end()) {
    std::vector<std::string_view> names;
    names.reserve(programs.size());
    for (const core::ProgramSpec& known : programs) {
      names.emplace_back(known.name);
    }
    const std::string_view near = nearest(wish.program, names);
    return std::unexpected(Error{
        fmt::format("there is no program '{}'{}", wish.program, near.empty() ? "" : fmt::format("; did you mean '{}'?", near)),
        ENOENT});
  }
  if (program->tasks) {
    return failure(fmt::format("{} is fed with tasks: how many workers it has is said in the configuration", wish.program));
  }
  program->launch.workers = wish.workers;
  version.scaled.insert_or_assign(wish.program, Scaled{version.written.at(wish.program), wish.workers});
  auto preparation = shell::prepare_scaled(version.spec, in_force_->plan, static_cast<std::size_t>(program - programs.begin()));
  if (!preparation) {
    return failure(in_words(preparation.error().front(), version.spec));
  }
  return offer(std::move(version), std::move(preparation->prepared));
}

Result<shell::Prepared> Reloader::restore() {
  Version version = *remembered_;
  apply(in_force_->scaled, version);
  auto preparation = shell::prepare(version.spec, &in_force_->plan);
  if (!preparation) {
    return failure(in_words(preparation.error().front(), version.spec));
  }
  return offer(std::move(version), std::move(preparation->prepared));
}

}  // namespace corral::cli
