// The older files of a log: NAME.1 is the youngest, NAME.2.gz may be compressed.
//
// Whoever renames holds names_in_motion(): the disk thread rotates while the compressor replaces a file by its compressed one.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "common/base/result.hpp"

namespace corral::logs {

[[nodiscard]] std::mutex& names_in_motion();

/// NAME.3, or NAME.3.gz.
[[nodiscard]] std::string older_name(const std::string& name, std::uint32_t number, bool compressed);

/// Puts NAME aside: each older file moves on by one, what is beyond `keep` goes. A NAME that is not there is no failure.
[[nodiscard]] Result<void> put_aside(int folder, const std::string& name, std::uint32_t keep);

}  // namespace corral::logs
