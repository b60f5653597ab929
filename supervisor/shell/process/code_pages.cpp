#include "supervisor/shell/process/code_pages.hpp"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

// The linker's own marks: where the program's code begins and ends.
extern "C" const char __executable_start;  // NOLINT
extern "C" const char etext;               // NOLINT

namespace corral::process {

void release_code_pages() {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(&__executable_start) & ~(page - 1);  // NOLINT
  const auto end = reinterpret_cast<std::uintptr_t>(&etext) & ~(page - 1);                 // NOLINT
  ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);                   // NOLINT
  ::malloc_trim(0);
}

}  // namespace corral::process
