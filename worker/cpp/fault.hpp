// An exception in words, for whoever reads why a task has failed.
#pragma once

#include <cstddef>
#include <string>

namespace corral::worker {

struct Fault {
  std::string type;     ///< As the source has it: "std::out_of_range".
  std::string message;  ///< As the exception has it: bytes of any kind.
};

/// What is being caught. Must be called while something is; lets a thread's cancellation pass through.
[[nodiscard]] Fault current_fault();

/// The payload of an ERROR frame, at most `longest` bytes where that is possible: the message is cut.
[[nodiscard]] std::string to_json(const Fault& fault, std::size_t longest);

}  // namespace corral::worker
