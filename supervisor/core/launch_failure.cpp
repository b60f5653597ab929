#include "supervisor/core/launch_failure.hpp"

#include "common/base/result.hpp"
#include "common/base/signals.hpp"

namespace corral::core {

std::string_view name(LaunchStep step) {
  switch (step) {
    case LaunchStep::prepare: return "prepare";
    case LaunchStep::fork: return "fork";
    case LaunchStep::parent_died: return "parent_died";
    case LaunchStep::session: return "session";
    case LaunchStep::terminal: return "terminal";
    case LaunchStep::limits: return "limits";
    case LaunchStep::affinity: return "affinity";
    case LaunchStep::descriptors: return "descriptors";
    case LaunchStep::directory: return "directory";
    case LaunchStep::groups: return "groups";
    case LaunchStep::group: return "group";
    case LaunchStep::user: return "user";
    case LaunchStep::privileges: return "privileges";
    case LaunchStep::exec: return "exec";
    case LaunchStep::killed: return "killed";
    case LaunchStep::timeout: return "timeout";
  }
  return "unknown";
}

namespace {

/// What the step was trying to do, for "cannot …".
std::string attempt(const LaunchFailure& failure) {
  const std::string quoted = failure.subject.empty() ? std::string() : " '" + failure.subject + "'";
  switch (failure.step) {
    case LaunchStep::prepare: return "prepare the launch";
    case LaunchStep::fork: return "create a process";
    case LaunchStep::parent_died: return "outlive the supervisor";
    case LaunchStep::session: return "start a session";
    case LaunchStep::terminal: return "hand over the terminal";
    case LaunchStep::limits: return "set the resource limit" + quoted;
    case LaunchStep::affinity: return "bind to CPUs" + quoted;
    case LaunchStep::descriptors: return "set up stdin, stdout and stderr";
    case LaunchStep::directory: return "change to directory" + quoted;
    case LaunchStep::groups: return "set the supplementary groups of" + quoted;
    case LaunchStep::group: return "switch to group" + quoted;
    case LaunchStep::user: return "switch to user" + quoted;
    case LaunchStep::privileges: return "give up new privileges";
    case LaunchStep::exec:
    case LaunchStep::killed:
    case LaunchStep::timeout: return "execute" + quoted;
  }
  return "start";
}

}  // namespace

std::string describe(const LaunchFailure& failure) {
  const std::string what = "cannot " + attempt(failure);
  if (failure.step == LaunchStep::killed) {
    return what + ": killed by signal " + std::to_string(failure.error_number) + " (" + signal_description(failure.error_number) +
           ") before it had started";
  }
  if (failure.step == LaunchStep::timeout) {
    return what + ": it had not started within start_timeout";
  }
  if (failure.step == LaunchStep::prepare && failure.error_number == 0 && !failure.subject.empty()) {
    return what + ": " + failure.subject;
  }
  return failure.error_number == 0 ? what : system_error(what, failure.error_number).message;
}

}  // namespace corral::core
