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

}  // namespace

Reloader::Reloader(std::string path, core::SupervisorSpec spec, core::Plan in_force)
    : path_(std::move(path)), now_{std::move(spec), {}, {}}, in_force_(std::move(in_force)) {
  now_.written = launches_of(now_.spec);
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
  auto configuration = load_configuration(path_, &in_force_, core::MachineNeed::nothing, [&](core::SupervisorSpec& spec) {
    version.written = launches_of(spec);
    version.spec = std::move(spec);
    apply(now_.scaled, version);
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

Result<shell::Prepared> Reloader::reload() {
  Version version;
  auto configuration = read(version);
  if (!configuration) {
    return std::unexpected(std::move(configuration.error()));
  }
  if (configuration->spec.control != now_.spec.control) {
    configuration->preparation.prepared.notes.emplace_back(
        "`control` has changed in the configuration; a reload changes nothing about it, the next start does");
  }
  version.spec = std::move(configuration->spec);
  before_ = std::make_shared<const Version>(std::exchange(now_, std::move(version)));
  in_force_ = configuration->preparation.prepared.plan;
  return std::move(configuration->preparation.prepared);
}

Result<std::vector<core::WorkerChange>> Reloader::preview() {
  Version version;
  auto configuration = read(version);
  if (!configuration) {
    return std::unexpected(std::move(configuration.error()));
  }
  return core::changes(in_force_, configuration->preparation.prepared.plan);
}

Result<shell::Prepared> Reloader::scale(const shell::ScaleWish& wish) {
  core::SupervisorSpec spec = now_.spec;
  const auto program = std::ranges::find(spec.programs, wish.program, &core::ProgramSpec::name);
  if (program == spec.programs.end()) {
    std::vector<std::string_view> names;
    for (const core::ProgramSpec& known : spec.programs) {
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
  auto preparation = shell::prepare(spec, &in_force_);
  if (!preparation) {
    return failure(preparation.error().front().message);
  }
  now_.scaled.insert_or_assign(wish.program, Scaled{now_.written.at(wish.program), wish.workers});
  now_.spec = std::move(spec);
  in_force_ = preparation->prepared.plan;
  return std::move(preparation->prepared);
}

Result<shell::Prepared> Reloader::restore() {
  Version version = *remembered_;
  apply(now_.scaled, version);
  auto preparation = shell::prepare(version.spec, &in_force_);
  if (!preparation) {
    return failure(preparation.error().front().message);
  }
  now_ = std::move(version);
  in_force_ = preparation->prepared.plan;
  return std::move(preparation->prepared);
}

}  // namespace corral::cli
