#include "supervisor/shell/process/launch_outcome.hpp"

#include <sys/resource.h>

#include <string>

#include "supervisor/shell/process/command_path.hpp"
#include "supervisor/shell/process/template_parts.hpp"

namespace corral::process {

using core::LaunchFailure;
using core::LaunchStep;

namespace {

std::string limit_name(int detail) {
  switch (detail) {
    case -1: return "nice";
    case RLIMIT_AS: return "as";
    case RLIMIT_CORE: return "core";
    case RLIMIT_CPU: return "cpu";
    case RLIMIT_DATA: return "data";
    case RLIMIT_FSIZE: return "fsize";
    case RLIMIT_MEMLOCK: return "memlock";
    case RLIMIT_NOFILE: return "nofile";
    case RLIMIT_NPROC: return "nproc";
    case RLIMIT_RTPRIO: return "rtprio";
    case RLIMIT_STACK: return "stack";
    default: return std::to_string(detail);
  }
}

}  // namespace

LaunchFailure failure_of(const LaunchSlot& slot) {
  const LaunchTemplate::Parts& parts = slot.program->parts();
  LaunchFailure failure{slot.plan.failed_step, slot.plan.error, {}};
  switch (failure.step) {
    case LaunchStep::exec:
      failure.subject = describe_executable(slot.path, failure.error_number);
      parts.resolved.clear();  // It may be elsewhere by the next time.
      break;
    case LaunchStep::directory: failure.subject = slot.directory; break;
    case LaunchStep::affinity: failure.subject = slot.placement; break;
    case LaunchStep::limits: failure.subject = limit_name(slot.plan.detail); break;
    case LaunchStep::user:
    case LaunchStep::groups: failure.subject = parts.user.empty() ? parts.group : parts.user; break;
    case LaunchStep::group: failure.subject = parts.group.empty() ? parts.user : parts.group; break;
    case LaunchStep::prepare:
    case LaunchStep::fork:
    case LaunchStep::parent_died:
    case LaunchStep::session:
    case LaunchStep::terminal:
    case LaunchStep::descriptors:
    case LaunchStep::privileges:
    case LaunchStep::killed:
    case LaunchStep::timeout: break;
  }
  return failure;
}

}  // namespace corral::process
