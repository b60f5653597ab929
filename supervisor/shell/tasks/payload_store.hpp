// The bytes of the tasks that are accepted and not yet recorded, by slot.
#pragma once

#include <cstddef>
#include <vector>

#include "common/base/check.hpp"
#include "supervisor/core/tasks/task.hpp"
#include "supervisor/shell/tasks/task_source.hpp"

namespace corral::shell {

class PayloadStore {
 public:
  [[nodiscard]] core::TaskSlot put(InputLine line) {
    bytes_ += line.bytes.size();
    if (free_.empty()) {
      lines_.push_back(std::move(line));
      return core::TaskSlot{static_cast<std::uint32_t>(lines_.size() - 1)};
    }
    const core::TaskSlot slot = free_.back();
    free_.pop_back();
    lines_[number(slot)] = std::move(line);
    return slot;
  }
  [[nodiscard]] const InputLine& at(core::TaskSlot slot) const { return lines_[number(slot)]; }
  void drop(core::TaskSlot slot) {
    InputLine& line = lines_[number(slot)];
    CORRAL_CHECK(bytes_ >= line.bytes.size());
    bytes_ -= line.bytes.size();
    line = {};
    free_.push_back(slot);
  }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::vector<InputLine> lines_;
  std::vector<core::TaskSlot> free_;
  std::size_t bytes_ = 0;
};

}  // namespace corral::shell
