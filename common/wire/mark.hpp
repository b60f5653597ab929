// The mark of the task in work, which a worker writes where its supervisor can read it when the worker has died.
//
// Source of the format: docs/protocol.md.
#pragma once

#include <cstddef>
#include <cstdint>

namespace corral::wire {

/// A task's number, little-endian. One aligned store on all machines that corral runs on.
inline constexpr std::size_t mark_size = 8;
/// None is in work.
inline constexpr std::uint64_t no_task = UINT64_MAX;

}  // namespace corral::wire
