#include "supervisor/shell/process/launch_slot.hpp"

#include <sys/mman.h>
#include <unistd.h>

namespace corral::process {

LaunchSlot::LaunchSlot() {
  void* memory = mmap(nullptr, guard_size + stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (memory != MAP_FAILED) {
    stack_ = static_cast<char*>(memory);
    mprotect(stack_, guard_size, PROT_NONE);
  }
}

LaunchSlot::~LaunchSlot() {
  // What the supervisor holds of pipes must not outlive the launch.
  for (const int fd : reserved) {
    if (fd >= 0) {
      close(fd);
    }
  }
  // A process that hangs in exec still stands on this stack: better to leave it than to pull it away.
  if (stack_ != nullptr && released()) {
    munmap(stack_, guard_size + stack_size);
  }
}

}  // namespace corral::process
