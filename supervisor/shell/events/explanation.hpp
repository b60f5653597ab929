// An explanation for those who asked: as sentences, and as JSON.
#pragma once

#include <string>
#include <vector>

#include "supervisor/core/explain.hpp"
#include "supervisor/shell/events/crash_record.hpp"

namespace corral::shell {

[[nodiscard]] std::vector<std::string> sentences(const core::Explanation& explanation);

/// {"worker":…,"state":…,"next":{"what":…,"in_seconds":…}|null,"sentences":[…],"reasons":[{"sentence":…,"keys":["/programs/crunch/restart/delay"]}],
/// "events":[…],"crash":{…}|null}. `events`: the latest of this worker, each as JSON.
[[nodiscard]] std::string to_json(const core::Explanation& explanation, const std::vector<std::string>& events,
                                  const CrashRecord* crash);

}  // namespace corral::shell
