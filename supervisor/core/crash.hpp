// Which ends of a life are worth a record of their own. Pure.
#pragma once

#include "supervisor/core/action.hpp"

namespace corral::core {

/// Neither a success nor asked for. Who was asked to end and died of a fault, or for lack of memory, is recorded all the same.
[[nodiscard]] bool is_abnormal(const Ended& end);

/// A signal that a process brings upon itself by a mistake: SIGSEGV, SIGABRT and their like.
[[nodiscard]] bool is_fault(int signal);

}  // namespace corral::core
