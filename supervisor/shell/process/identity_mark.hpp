// Whether there may be another supervisor of the same identity, whatever its runtime folder: asked of the kernel with one call.
//
// Each supervisor marks the root folder with a shared lock (F_OFD_SETLK) on one byte, whose place is the identity. Such a lock
// needs no file and no right but to read, outlives a lock file that somebody removes and a folder that somebody replaces, and
// goes with its owner. A shared one, since an exclusive lock asks for a descriptor that can write, which a folder has not: so a
// mark says that there is somebody, and not who. To look for that through all of /proc costs some microseconds for each process
// of the machine. Whoever has another root folder, as a container has, is in a world of his own.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>

#include "common/base/file_descriptor.hpp"

namespace corral::process {

class IdentityMark {
 public:
  IdentityMark() = default;
  /// Leaves the mark, for as long as this lasts. `identity`: sixteen hexadecimal digits.
  explicit IdentityMark(std::string_view identity);

  enum class Others : std::uint8_t {
    none,
    some,     ///< Somebody else has left the same mark.
    unknown,  ///< Nothing can be marked here.
  };
  /// As it is now.
  [[nodiscard]] Others others() const;

 private:
  FileDescriptor root_;
  off_t place_ = 0;
};

}  // namespace corral::process
