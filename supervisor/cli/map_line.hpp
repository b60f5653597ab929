// `corral map [OPTIONS] [TASKS] -- COMMAND…`: from words to MapOptions.
#pragma once

#include <string>
#include <vector>

#include "supervisor/cli/commands.hpp"

namespace CLI {
class App;
}

namespace corral::cli {

/// What is only known when all of the line was read.
struct MapExtras {
  std::vector<std::string> variables;
};

void add_map_options(CLI::App& app, MapOptions& options, MapExtras& extras);
/// Runs it. Throws CLI::ValidationError for what does not go together.
[[nodiscard]] int map_with(MapOptions& options, const MapExtras& extras);

}  // namespace corral::cli
