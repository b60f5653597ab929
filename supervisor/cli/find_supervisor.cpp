#include "supervisor/cli/find_supervisor.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <vector>

#include "supervisor/cli/api_client.hpp"
#include "supervisor/cli/configuration.hpp"
#include "supervisor/cli/status.hpp"
#include "supervisor/shell/process/setup.hpp"

namespace corral::cli {
namespace {

/// "crunch" of "/etc/corral/crunch.json".
std::string stem_of(std::string_view path) {
  path.remove_prefix(path.rfind('/') + 1);
  return std::string(path.substr(0, path.rfind('.') == 0 ? path.size() : path.rfind('.')));
}

using process::Instance;

constexpr Duration answers_within = std::chrono::seconds(5);

Result<Instance> listening(Instance instance) {
  if (instance.socket.empty()) {
    return failure(fmt::format("the supervisor of '{}' (pid {}) has no control socket", instance.config, instance.pid));
  }
  return instance;
}

Result<Instance> by_config(const std::string& path) {
  const Result<std::string> identity = process::identity_of(path);
  if (!identity) {
    return std::unexpected(identity.error());
  }
  auto instance = process::running_instance(*identity);
  // One that has just begun has its lock before it listens.
  for (int tries = 0; instance && instance->socket.empty() && tries < 25; ++tries) {
    ::usleep(20'000);
    instance = process::running_instance(*identity);
  }
  if (instance) {
    return listening(std::move(*instance));
  }
  struct stat info{};
  if (::stat(path.c_str(), &info) == 0 && info.st_uid != ::geteuid()) {
    return failure(
        fmt::format("no supervisor of yours runs for '{}'; start it with: corral run {}; one of user {}, whose file it is, "
                    "is reached by --socket",
                    path, path, info.st_uid));
  }
  return failure(fmt::format("no supervisor runs for '{}'; start it with: corral run {}", path, path));
}

std::string listed(const std::vector<Instance>& instances) {
  std::string text;
  for (const Instance& instance : instances) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", instance.config);
  }
  return text;
}

Result<Instance> by_name(const std::string& name) {
  std::vector<Instance> found = process::running_instances();
  std::erase_if(found, [&](const Instance& one) { return stem_of(one.config) != name && stem_of(one.socket) != name; });
  // Sockets of corral's own choice tell two files of one name apart. Those of people's choice need not.
  const auto is_exactly = [&](const Instance& one) { return stem_of(one.socket) == name; };
  if (std::ranges::any_of(found, is_exactly)) {
    std::erase_if(found, std::not_fn(is_exactly));
  }
  if (found.size() > 1) {
    return failure(fmt::format("several supervisors have the name '{}': {}; name one by --config", name, listed(found)));
  }
  if (found.empty()) {
    return failure(fmt::format("no supervisor with the name '{}' runs; corral status --all lists those that do", name));
  }
  return listening(std::move(found.front()));
}

}  // namespace

std::string shown_name(const Instance& instance) { return stem_of(instance.socket.empty() ? instance.config : instance.socket); }

Result<Instance> find_supervisor(const Whose& whose) {
  if (!whose.socket.empty()) {
    return Instance{0, whose.socket, {}};
  }
  if (!whose.config.empty()) {
    return by_config(whose.config);
  }
  if (!whose.name.empty()) {
    return by_name(whose.name);
  }
  std::vector<Instance> running = process::running_instances();
  if (const Result<std::string> usual = find_configuration({})) {
    auto instance = by_config(*usual);
    std::erase_if(running, [](const Instance& one) { return one.socket.empty(); });  // Nor can they be told anything.
    if (!instance && !running.empty()) {  // Who stands beside a file means that one: another is not taken for it.
      instance.error().message += fmt::format("; name another one by --config: {}", listed(running));
    }
    return instance;
  }
  if (running.empty()) {
    return failure("no supervisor of yours runs; start one with: corral run CONFIG");
  }
  if (running.size() > 1) {
    return failure(fmt::format("several supervisors run, for {}; name one by --config or --name", listed(running)));
  }
  return listening(std::move(running.front()));
}

Result<std::string> find_configuration_of(const Whose& whose) {
  const bool anybody = whose.name.empty() && whose.socket.empty();
  Result<std::string> usual = anybody ? find_configuration(whose.config) : failure("");
  if (usual) {
    return usual;
  }
  const std::vector<Instance> running = anybody ? process::running_instances() : std::vector<Instance>{};
  if (running.size() == 1) {
    return running.front().config;
  }
  if (anybody && running.empty()) {
    return usual;
  }
  const Result<Instance> one = find_supervisor(whose);
  if (!one) {
    return std::unexpected(one.error());
  }
  if (!one->config.empty()) {
    return one->config;
  }
  const Result<top::Sample> sample = sample_in(ask(*one, {.target = "/v1/status"}, answers_within));
  return sample ? Result<std::string>(sample->config) : std::unexpected(sample.error());
}

}  // namespace corral::cli
