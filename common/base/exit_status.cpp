#include "common/base/exit_status.hpp"

#include "common/base/signals.hpp"

namespace corral {

std::string describe(const ExitStatus& status) {
  if (const ExitedWith* exited = status.exited()) {
    return "exited with status " + std::to_string(exited->code);
  }
  const KilledBy& killed = *status.killed();
  std::string text = "killed by signal " + std::to_string(killed.signal) + " (" + signal_description(killed.signal) + ")";
  if (killed.core_dumped) {
    text += ", core dumped";
  }
  return text;
}

}  // namespace corral
