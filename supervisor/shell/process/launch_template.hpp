// All that the launches of a program have in common, prepared once: what differs from worker to worker is filled in at launch.
//
// Immutable after prepare(), so that a worker can be restarted without reading a file or resolving a name again.
// Nothing here is kept for each worker.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/base/result.hpp"
#include "supervisor/core/spec.hpp"

namespace corral::process {

class LaunchTemplate {
 public:
  /// `environment`: the supervisor's own, as `environ` has it; it is not copied and must stay as it is.
  /// `workers`: the resolved count. Errors: no such user or group, a user that could only be guessed at. A command that is
  /// not there is no error here but of each launch, since it may come to be there.
  [[nodiscard]] static Result<LaunchTemplate> prepare(const core::ProgramSpec& spec, std::uint32_t workers,
                                                      const char* const* environment);
  LaunchTemplate(LaunchTemplate&&) noexcept;
  LaunchTemplate& operator=(LaunchTemplate&&) noexcept;
  ~LaunchTemplate();

  /// The file that will be executed, or the command as written where it is not found or differs from worker to worker.
  [[nodiscard]] std::string command_path() const;

  struct Parts;
  [[nodiscard]] const Parts& parts() const { return *parts_; }  ///< For the launcher of this room.

 private:
  explicit LaunchTemplate(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace corral::process
