// Which supervisors of this user run now, by the locks that they hold.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace corral::process {

struct Instance {
  std::int32_t pid = 0;
  std::string socket;  ///< Empty: it listens nowhere, or not yet.
  std::string config;
};

/// All of them, by the name of their configuration. None where the folder of the locks belongs to somebody else who is not root,
/// or others can write to it.
[[nodiscard]] std::vector<Instance> running_instances();

/// The one with this CORRAL_SUPERVISOR; nothing where none runs, or the folder is not to be trusted.
[[nodiscard]] std::optional<Instance> running_instance(std::string_view identity);

}  // namespace corral::process
