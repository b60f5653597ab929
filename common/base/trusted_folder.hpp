// A folder opened so that nobody but root and we ourselves decide which one it is.
//
// Whoever may write to a folder can put a symbolic link in the place of one below it. Who follows that writes, renames and
// removes wherever the other wants, with rights that the other has not. So the path is gone down one component at a time, and a
// link is followed only where root or we own it and nobody else can change the folder that holds it: neither others nor a group
// that is not root's or our own (a sticky folder is good enough: there nobody changes what is somebody else's).
// Everything below is then done with the descriptor, which no renaming turns elsewhere.
#pragma once

#include <string>

#include "common/base/file_descriptor.hpp"
#include "common/base/result.hpp"

namespace corral {

/// For openat and its kin alone (O_PATH). `make`: it and those above it are made where they are missing (0750, less the umask).
[[nodiscard]] Result<FileDescriptor> open_trusted_folder(const std::string& folder, bool make);

}  // namespace corral
