// What is known of memory that ran out. Files of the kernel's own: reading them waits for no disk.
#include <charconv>
#include <initializer_list>

#include "supervisor/shell/process/processes_state.hpp"
#include "supervisor/shell/process/small_file.hpp"

namespace corral::process {
namespace {

/// The number in the first of `names` that is there; nothing for "max" and its like.
std::optional<std::uint64_t> number_in(const std::string& folder, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const auto text = read_small_file((folder + name).c_str())) {
      std::uint64_t number = 0;
      const auto parsed = std::from_chars(text->data(), text->data() + text->size(), number);
      return parsed.ec == std::errc{} ? std::optional(number) : std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace

Processes::OomEvidence Processes::oom_evidence() const {
  const OomCounter& counter = state_->oom;
  OomEvidence evidence{counter.source(), counter.total(), {}, {}};
  if (counter.source().find("memory.") == std::string::npos) {
    return evidence;  // The whole machine's.
  }
  const std::string folder = counter.source().substr(0, counter.source().rfind('/') + 1);
  evidence.limit_bytes = number_in(folder, {"memory.max", "memory.limit_in_bytes"});
  evidence.peak_bytes = number_in(folder, {"memory.peak", "memory.max_usage_in_bytes"});
  return evidence;
}

}  // namespace corral::process
