#include "supervisor/cli/configuration.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iterator>

#include "common/base/fingerprint.hpp"
#include "supervisor/cli/complaint.hpp"
#include "supervisor/cli/scripts.hpp"
#include "supervisor/cli/task_programs.hpp"
#include "supervisor/config/forms.hpp"
#include "supervisor/shell/disk/config_file.hpp"

namespace corral::cli {
namespace {

constexpr const char* local_configuration = "corral.json";
constexpr const char* system_configuration = "/etc/corral/corral.json";

/// "command/0" of the third program as "/programs/NAME/command/0".
std::string pointer_to(const core::SupervisorSpec& spec, const shell::Complaint& complaint) {
  if (complaint.program == shell::Complaint::no_program) {
    return "/" + complaint.key;
  }
  return config::pointer({"programs", spec.programs[complaint.program].name}) + "/" + complaint.key;
}

}  // namespace

std::optional<std::string> own_environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

void place_files(core::SupervisorSpec& spec, const std::string& path) {
  const std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
  const auto place = [&](std::string& file) { file = (folder / file).lexically_normal(); };
  for (core::ProgramSpec& program : spec.programs) {
    if (program.log.to == core::LogTo::file) {
      place(program.log.file);
    }
  }
  for (std::string* file : {&spec.control.socket, &spec.control.token_file}) {
    if (!file->empty()) {
      place(*file);
    }
  }
  if (spec.crashes) {
    place(spec.crashes->folder);
  }
}

Result<std::string> find_configuration(const std::string& given) {
  if (!given.empty()) {
    return given;
  }
  for (const char* place : {local_configuration, system_configuration}) {
    if (::access(place, F_OK) == 0) {
      return std::string(place);
    }
  }
  return failure(
      "no configuration: there is no corral.json in this directory and no /etc/corral/corral.json; name one, "
      "or write one (corral schema --reference explains every key)");
}

std::expected<Configuration, std::vector<config::Diagnostic>> load_configuration(const std::string& path,
                                                                                 const core::Plan* running,
                                                                                 core::MachineNeed least, const Adjust& adjust) {
  Result<std::string> text = disk::read_config_file(path);
  if (!text) {
    config::Diagnostic diagnostic;
    diagnostic.file = path;
    diagnostic.message = text.error().message;
    diagnostic.suggestion = way_out(text.error().error_number);
    return std::unexpected(std::vector{std::move(diagnostic)});
  }
  const std::uint64_t print = fingerprint(*text);
  auto loaded = config::parse({path, std::move(*text)}, own_environment);
  if (!loaded) {
    return std::unexpected(std::move(loaded.error()));
  }
  if (adjust) {
    adjust(loaded->spec);
  }
  place_files(loaded->spec, path);
  // As it stands in the file it was short enough.
  if (const std::string& socket = loaded->spec.control.socket; socket.size() > config::longest_socket_path) {
    return std::unexpected(std::vector{loaded->diagnose(
        "/control/socket",
        fmt::format("the path of a socket has at most {} bytes, this one has {} with the folder of the configuration: '{}'",
                    config::longest_socket_path, socket.size(), socket),
        "an absolute path such as /run/crunch.sock is shorter")});
  }
  auto preparation = shell::prepare(loaded->spec, running, least);
  std::vector<shell::Complaint> complaints = missing_scripts(loaded->spec);
  std::ranges::move(shared_files(loaded->spec), std::back_inserter(complaints));
  if (running == nullptr) {  // Of one that runs already they may have been taken away when they were done.
    std::ranges::move(missing_tasks(loaded->spec), std::back_inserter(complaints));
  }
  if (!preparation) {
    complaints.insert(complaints.begin(), preparation.error().begin(), preparation.error().end());
  }
  if (!complaints.empty()) {
    std::vector<config::Diagnostic> diagnostics;
    for (shell::Complaint& complaint : complaints) {
      diagnostics.push_back(
          loaded->diagnose(pointer_to(loaded->spec, complaint), std::move(complaint.message), std::move(complaint.suggestion)));
    }
    return std::unexpected(std::move(diagnostics));
  }
  if (any_tasks(loaded->spec)) {
    loaded->spec = with_maps(std::move(loaded->spec), own_path());
    preparation = shell::prepare(loaded->spec, running, least);
    if (!preparation) {
      config::Diagnostic diagnostic;
      diagnostic.file = path;
      diagnostic.message = preparation.error().front().message;
      return std::unexpected(std::vector{std::move(diagnostic)});
    }
  }
  return Configuration{std::move(loaded->spec), std::move(*preparation), print};
}

}  // namespace corral::cli
