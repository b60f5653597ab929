#include "common/base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace corral {

void check_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "corral: internal error: %s does not hold (%s:%d); please report this\n", condition, file, line);
  std::abort();
}

}  // namespace corral
