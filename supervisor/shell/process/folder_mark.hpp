// Whether there may be another supervisor of a configuration, whatever its runtime folder: asked of the kernel with one call.
//
// Each supervisor marks the folder of its configuration with a shared lock (F_OFD_SETLK) on one byte, whose place is the
// identity. Such a lock needs no file, outlives a removed one, is seen through every mount of the folder, and goes with its
// owner. A shared one, since an exclusive lock asks for a descriptor that can write, which a folder has not: so a mark says that
// there is somebody, and not who. To look for that through all of /proc at each start costs more than everything else a start
// does. It says too much where containers share the folder: who is meant is seen in /proc, or is in another PID namespace and no
// rival.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/file_descriptor.hpp"

namespace corral::process {

class FolderMark {
 public:
  FolderMark() = default;
  /// Opens the folder, and waits a moment for its turn: those who mark the same folder do so one after the other, so that of two
  /// that begin at once the second sees the first. `identity`: sixteen hexadecimal digits.
  FolderMark(const std::string& config_path, std::string_view identity);

  enum class Others : std::uint8_t {
    none,
    some,     ///< Somebody else has left the same mark.
    unknown,  ///< The folder could not be opened or marked.
  };
  /// Leaves the mark, for as long as this lasts.
  [[nodiscard]] Others set();
  /// The next one may look.
  void end_turn();

 private:
  FileDescriptor folder_;
  off_t place_ = 0;
};

}  // namespace corral::process
