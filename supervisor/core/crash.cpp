#include "supervisor/core/crash.hpp"

#include <algorithm>
#include <array>
#include <csignal>

namespace corral::core {

bool is_fault(int signal) {
  constexpr std::array faults{SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS, SIGXCPU, SIGXFSZ};
  return std::ranges::find(faults, signal) != faults.end();
}

bool is_abnormal(const Ended& end) {
  const KilledBy* killed = end.status.killed();
  const bool fault = end.out_of_memory || (killed != nullptr && (killed->core_dumped || is_fault(killed->signal)));
  switch (end.verdict.kind) {
    case Verdict::Kind::stopped:
    case Verdict::Kind::restarted:
    case Verdict::Kind::replaced: return fault;
    case Verdict::Kind::restart:
    case Verdict::Kind::finished:
    case Verdict::Kind::not_restarted:
    case Verdict::Kind::program_failed: return fault || !end.success;
    case Verdict::Kind::survivors: return true;
  }
  return true;
}

}  // namespace corral::core
