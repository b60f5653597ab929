// What run, exec and map have in common: from their options to a running pump, and to its end.
#pragma once

#include <cstdint>

#include "supervisor/cli/commands.hpp"
#include "supervisor/shell/pump.hpp"

namespace corral::cli {

[[nodiscard]] shell::VoiceOptions voice_options(const Talk& talk);

/// Of the jitter: another one each time.
[[nodiscard]] std::uint64_t fresh_seed();

/// Only a containment that was asked for can be a mistake of whoever asked; anything else is what this machine lacks.
[[nodiscard]] int cannot_open(const Error& error, core::Containment asked);

/// Until it is over. `died`: the status when corral itself has to give up with workers that ran.
[[nodiscard]] int supervise(shell::Pump& pump, shell::Prepared prepared, int died);

}  // namespace corral::cli
