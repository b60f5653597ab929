// What corral says when it cannot do what it was asked for (what, why, what next), and the exit status that goes with it.
//
// Exceptions end here: whatever a library throws when memory or descriptors run out becomes one sentence, made without asking
// for more of what has run out.
#pragma once

#include "common/base/result.hpp"

namespace corral::cli {

/// Usage, configuration, or a command that starts nothing.
inline constexpr int refused = 2;
/// No worker could be started.
inline constexpr int not_started = 125;

/// What can be done about an errno that stands for a limit; empty for others.
[[nodiscard]] const char* way_out(int error_number);

/// Says it on stderr. not_started where the machine gave out, refused otherwise.
int complain(const Error& error);
int complain(std::string message);

/// In a handler of exceptions: says "corral: WHAT: why" of the one that is being handled and returns `status`.
int complain_of_exception(const char* what, int status) noexcept;

/// From now on a lack of memory that cannot even be thrown, or that a thread of ours meets, ends with a sentence and `status`.
void expect_no_memory(const char* what, int status);

}  // namespace corral::cli
