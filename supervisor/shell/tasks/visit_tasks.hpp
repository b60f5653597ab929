// All tasks of an input, one after another, with nobody at work on them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "supervisor/shell/tasks/task_source.hpp"

namespace corral::shell {

/// `seed`: in a random order. Until the end, or until `visit` says false. The number of the error that ended it; 0: none.
[[nodiscard]] int visit_tasks(int fd, std::size_t longest, std::optional<std::uint64_t> seed,
                              const std::function<bool(const InputLine&)>& visit);

}  // namespace corral::shell
