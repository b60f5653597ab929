// What a `corral map` has counted, where the supervisor that started it can see it: a few words of memory that both have.
//
// The one writes whenever it has counted something and is never kept waiting; the other looks when somebody asks.
#pragma once

#include <optional>

#include "common/base/file_descriptor.hpp"
#include "common/base/result.hpp"
#include "supervisor/core/tasks/task.hpp"

namespace corral::shell {

/// The variable that names the descriptor, in the environment of the one that writes.
inline constexpr const char* counts_variable = "CORRAL_COUNTS_FD";

/// The side that looks.
class SharedCounts {
 public:
  [[nodiscard]] static Result<SharedCounts> make();
  /// To be inherited by the one that counts.
  [[nodiscard]] int descriptor() const { return memory_.get(); }
  /// Nothing before the first word was written, or where it is written just now.
  [[nodiscard]] std::optional<core::TaskCounts> read() const;

 private:
  FileDescriptor memory_;
};

/// The side that counts.
class CountsWriter {
 public:
  /// By what the environment names, which is taken out of it: nothing where that is no such memory.
  [[nodiscard]] static std::optional<CountsWriter> from_environment();
  CountsWriter(CountsWriter&& other) noexcept;
  CountsWriter& operator=(CountsWriter&& other) noexcept;
  ~CountsWriter();
  void write(const core::TaskCounts& counts);

 private:
  explicit CountsWriter(void* memory) : memory_(memory) {}
  void* memory_;
};

}  // namespace corral::shell
