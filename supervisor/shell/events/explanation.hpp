// An explanation for those who asked: as sentences, and as JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "supervisor/core/explain.hpp"
#include "supervisor/shell/events/crash_record.hpp"

namespace corral::shell {

[[nodiscard]] std::vector<std::string> sentences(const core::Explanation& explanation);

/// {"worker":…,"state":…,"next":{"what":…,"in_seconds":…}|null,"sentences":[…],"reasons":[{"sentence":…,"keys":["/programs/crunch/restart/delay"]}],
/// "events":[…],"crash":{…}|null,"configuration":"…"|null}. `events`: the latest of this worker, each as JSON. `fingerprint`: of
/// the text of the configuration that decides.
[[nodiscard]] std::string to_json(const core::Explanation& explanation, const std::vector<std::string>& events,
                                  const CrashRecord* crash, std::optional<std::uint64_t> fingerprint);

}  // namespace corral::shell
