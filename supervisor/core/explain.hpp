// Why a worker is in its state, what comes next and when, and which keys of its program decide: as sentences. Pure.
//
// A key is a JSON pointer within the program's object, "/restart/delay". Whoever has the file tells its line.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "supervisor/core/action.hpp"
#include "supervisor/core/snapshot.hpp"

namespace corral::core {

struct PastNotice {
  Instant at{};
  const Notice* notice = nullptr;
};

struct Reason {
  std::string sentence;
  std::vector<std::string> keys{};
};

/// What comes next by itself; nothing is due where it is empty.
struct NextStep {
  std::string_view what{};  ///< "start", "kill", "give_up", "fail_launch", "look_again".
  std::optional<Duration> in{};
};

struct Explanation {
  std::string worker;
  StateKind state = StateKind::stopped;
  NextStep next;
  std::vector<Reason> reasons;  ///< In the order in which they are told: what is, how it came to it, what follows.
};

/// `past`: notices of this worker, of its program and of all, oldest first; as far as they are still known.
[[nodiscard]] Explanation explain(std::string_view worker, const WorkerView& view, const std::vector<PastNotice>& past);

}  // namespace corral::core
