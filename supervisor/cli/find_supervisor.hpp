// Which running supervisor a command is meant for.
#pragma once

#include <string>

#include "common/base/result.hpp"
#include "supervisor/shell/process/instances.hpp"

namespace corral::cli {

/// At most one of them is given.
struct Whose {
  std::string config;  ///< Its configuration file.
  std::string name;    ///< The name of that file, without folder and ending, or of its socket.
  std::string socket;  ///< Where it listens.
};

/// By what was said; otherwise that of ./corral.json or /etc/corral/corral.json; where neither is there, the only one that runs.
/// The error says which ones there are. With `socket` nothing but that is known.
[[nodiscard]] Result<process::Instance> find_supervisor(const Whose& whose);

/// The configuration file that is meant, as above, and first of all one that was named or is the usual one: nobody has to run for
/// it.
[[nodiscard]] Result<std::string> find_configuration_of(const Whose& whose);

/// By which it is listed, and found with `--name`: "crunch" of "/run/corral/crunch.sock".
[[nodiscard]] std::string shown_name(const process::Instance& instance);

}  // namespace corral::cli
