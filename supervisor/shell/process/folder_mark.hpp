// Whether there may be another supervisor of a configuration, whatever its runtime folder: asked of the kernel with one call.
//
// Each supervisor marks the folder of its configuration with a shared lock (F_OFD_SETLK) on one byte, whose place is the
// identity. Such a lock needs no file, outlives a removed one, is seen through every mount of the folder, and goes with its
// owner. A shared one, since an exclusive lock asks for a descriptor that can write, which a folder has not: so a mark says that
// there is somebody, and not who. To look for that through all of /proc at each start costs more than everything else a start
// does. It says too much where containers share the folder: who is meant is seen in /proc, or is in another PID namespace and no
// rival.
#pragma once

#include <string>
#include <string_view>

#include "common/base/file_descriptor.hpp"

namespace corral::process {

class FolderMark {
 public:
  FolderMark() = default;
  /// `identity`: sixteen hexadecimal digits.
  FolderMark(const std::string& config_path, std::string_view identity);

  /// Whether somebody else has left the same mark. True too where the folder could be opened or marked by nobody: then it is not
  /// known.
  [[nodiscard]] bool is_shared() const { return shared_; }

 private:
  FileDescriptor folder_;  ///< The mark lasts as long as it is open.
  bool shared_ = true;
};

}  // namespace corral::process
