// What a log file is to be: the wish of the configuration for one file. Immutable; each batch of lines carries its own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "supervisor/core/log_spec.hpp"

namespace corral::logs {

/// What a line looks like: as it was written, behind its worker's name, or an object.
enum class Shape : std::uint8_t { bytes, named, json };

struct Target {
  std::string path;
  std::string program;
  std::string whose;  ///< "crunch/0", or "crunch" where its workers share the file. For people.
  Shape shape = Shape::bytes;
  core::WhenFull when_full = core::WhenFull::drop;
  core::RotatePolicy rotate;
};

using SharedTarget = std::shared_ptr<const Target>;

/// The file of a worker, placeholders filled in; `err`: the one of its stderr alone.
[[nodiscard]] std::string path_for(const core::LogSpec& spec, std::string_view program, std::uint32_t index, bool err);

/// Whether the workers of a program write one file together.
[[nodiscard]] bool is_shared(const core::LogSpec& spec);

/// "folder" and "name" of a path; "." where it names none.
struct SplitPath {
  std::string folder;
  std::string name;
};
[[nodiscard]] SplitPath split_path(std::string_view path);

}  // namespace corral::logs
