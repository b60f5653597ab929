#include "supervisor/shell/state/task_row.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace corral::state {

LineHash hash_line(std::string_view bytes, bool too_long) {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(bytes.data(), bytes.size(), too_long ? 1 : 0);
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  LineHash result{};
  for (std::size_t at = 0; at < result.size(); ++at) {
    result[at] = static_cast<char>(canonical.digest[at]);
  }
  return result;
}

}  // namespace corral::state
