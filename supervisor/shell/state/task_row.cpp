#include "supervisor/shell/state/task_row.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

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

std::int64_t sum_of(const RowContent& row) {
  XXH3_state_t state;
  XXH3_INITSTATE(&state);
  XXH3_64bits_reset(&state);
  const auto add_number = [&](std::uint64_t number) { XXH3_64bits_update(&state, &number, sizeof number); };
  const auto add_text = [&](std::string_view text) {
    add_number(text.size());
    XXH3_64bits_update(&state, text.data(), text.size());
  };
  add_text(row.hash);
  add_number(row.occurrence);
  add_number(row.line);
  add_text(row.result);
  for (const auto& part : {row.output, row.task}) {
    add_number(part ? 1 : 0);
    add_text(part.value_or(std::string_view()));
  }
  return static_cast<std::int64_t>(XXH3_64bits_digest(&state));
}

}  // namespace corral::state
