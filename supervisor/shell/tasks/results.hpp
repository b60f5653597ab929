// The results of tasks, as lines: to stdout or a file, in the order in which they come or in that of the input.
//
// A line is written whole. What nobody has read yet is held here; whoever feeds tasks looks at congested() and stops.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>

#include "supervisor/core/tasks/task_action.hpp"
#include "supervisor/shell/io/writer.hpp"

namespace corral::shell {

struct ResultOptions {
  int fd = 1;        ///< The caller's, open as long as this lives.
  bool raw = false;  ///< The payload alone; tasks that were not done have no line.
  bool ordered = false;
  bool as_text = false;    ///< Payloads are text and no JSON: written as a JSON string.
  bool as_output = false;  ///< They are the whole output of a process: raw, they are written as they are, failed ones too.
};

class Results {
 public:
  /// `drained`: congested() may have become false.
  Results(boost::asio::io_context& loop, ResultOptions options, std::function<void()> drained);

  /// `line`: the number of the task's line in the input. `payload`: what its worker answered, or a sentence of ours for a task
  /// that no worker has answered.
  void add(const core::RecordTask& record, std::uint64_t line, std::string_view payload);
  /// A task that will have no result: those behind it need not wait.
  void skip(core::TaskId task);

  void flush() { writer_.flush(); }
  /// So much is unwritten that no task should be given out, and no answer read.
  [[nodiscard]] bool congested() const;
  [[nodiscard]] std::size_t pending() const { return writer_.pending(); }
  /// In order: bytes that wait for the turn of an older task.
  [[nodiscard]] std::size_t held() const { return held_; }
  [[nodiscard]] int error_number() const { return writer_.error_number(); }
  /// Waits for the reader at most that long, and may be called again. True when nothing is left.
  bool wait(Duration patience) { return writer_.wait(patience); }

 private:
  void append(core::TaskId task, std::string line);
  void release();
  [[nodiscard]] std::string to_line(const core::RecordTask& record, std::uint64_t line, std::string_view payload) const;

  ResultOptions options_;
  Writer writer_;
  std::uint64_t next_ = 0;  ///< In order: whose turn it is.
  std::map<std::uint64_t, std::string> waiting_;
  std::size_t held_ = 0;
};

}  // namespace corral::shell
