// A few words of memory that two processes have, inherited as a descriptor by one of them.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>

#include "common/base/file_descriptor.hpp"

namespace corral::shell {

inline constexpr int fixed_size = F_SEAL_SHRINK | F_SEAL_GROW;

/// Zeros, of a fixed size: neither side can take the ground from under the other's feet. No descriptor where the kernel has none
/// to give (see errno).
[[nodiscard]] inline FileDescriptor make_sealed_memory(const char* name, std::size_t size) {
  FileDescriptor memory(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (memory && (::ftruncate(memory.get(), static_cast<off_t>(size)) != 0 ||
                 ::fcntl(memory.get(), F_ADD_SEALS, fixed_size | F_SEAL_SEAL) != 0)) {
    memory.reset();
  }
  return memory;
}

}  // namespace corral::shell
