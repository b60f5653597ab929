#include "supervisor/shell/tasks/task_mark.hpp"

#include <unistd.h>

#include <array>

#include "common/wire/frame.hpp"
#include "common/wire/mark.hpp"
#include "supervisor/shell/tasks/sealed_memory.hpp"

namespace corral::shell {

TaskMark TaskMark::make() {
  TaskMark mark;
  mark.memory_ = make_sealed_memory("corral-mark", wire::mark_size);
  std::array<char, wire::mark_size> at_none{};
  wire::store(at_none.data(), wire::no_task);
  if (mark.memory_ && ::pwrite(mark.memory_.get(), at_none.data(), at_none.size(), 0) != wire::mark_size) {
    mark.memory_.reset();
  }
  return mark;
}

std::optional<core::TaskId> TaskMark::read() const {
  std::array<char, wire::mark_size> word{};
  if (!memory_ || ::pread(memory_.get(), word.data(), word.size(), 0) != wire::mark_size) {
    return std::nullopt;
  }
  const auto task = wire::load<std::uint64_t>(word.data());
  return task == wire::no_task ? std::nullopt : std::optional(core::TaskId{task});
}

}  // namespace corral::shell
