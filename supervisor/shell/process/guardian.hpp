// A process that does nothing but wait for the supervisor's end: where that was a SIGKILL it kills what is left of the workers.
//
// The parent-death signal takes along the processes that the supervisor itself has launched, and none of those that these have
// started. See docs/decisions/0017-guardian.md.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "common/base/file_descriptor.hpp"
#include "common/base/result.hpp"

namespace corral::process {

class Guardian {
 public:
  /// Starts it. `lock`: see InstanceLock::file(); held until its work is done, so that no successor begins before that.
  [[nodiscard]] static Result<Guardian> post(const std::string& identity, int lock);
  /// Nobody is left to be killed: it ends, and is waited for.
  void dismiss();
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  Guardian(pid_t pid, FileDescriptor word) : pid_(pid), word_(std::move(word)) {}
  pid_t pid_;
  FileDescriptor word_;  ///< Its end without a word is that of a supervisor that was killed.
};

/// Where this program was started as a guardian: stands guard, and returns the exit status.
[[nodiscard]] std::optional<int> stand_guard(int argc, char** argv);

}  // namespace corral::process
