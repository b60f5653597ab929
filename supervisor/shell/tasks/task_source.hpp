// Where tasks come from. Called from the loop alone, and never waits.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace corral::shell {

struct InputLine {
  std::shared_ptr<const std::string> owner;  ///< Keeps the bytes.
  std::string_view bytes;                    ///< Without the line break.
  std::uint64_t number = 0;                  ///< Of the line, from 0; or what a client calls the task.
  bool too_long = false;                     ///< Longer than the bound; nothing of it is kept.
};

class TaskSource {
 public:
  TaskSource() = default;
  TaskSource(const TaskSource&) = delete;
  TaskSource& operator=(const TaskSource&) = delete;
  virtual ~TaskSource() = default;

  /// The next task; nothing while none is there, or at the end. Where it has said that there is nothing yet, whoever owns it is
  /// told when there is something, or the end has come.
  [[nodiscard]] virtual std::optional<InputLine> next() = 0;
  /// The share of the input that next() has handed out, 0 to 1; nothing where its size is not known.
  [[nodiscard]] virtual std::optional<double> taken() const = 0;
  /// There will be no more.
  [[nodiscard]] virtual bool ended() const = 0;
  /// Why it ended before its time; 0: it did not.
  [[nodiscard]] virtual int read_error() const = 0;
};

}  // namespace corral::shell
