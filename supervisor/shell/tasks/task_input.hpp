// The input of `corral map`: a file, a pipe or a terminal, line by line, read no further than somebody takes lines.
//
// A thread of its own reads, since a disk may block in the kernel. It holds at most a few blocks that nobody has taken;
// then it waits, and with it whoever writes into the pipe. A line costs no copy unless two blocks share it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>

#include "supervisor/shell/tasks/task_source.hpp"

namespace corral::shell {

class TaskInput : public TaskSource {
 public:
  /// `fd` is the caller's and stays open as long as this lives. `arrived` is called in the loop when next() has said that there
  /// is nothing yet, and now there is, or the end has come. `longest`: of a line, in bytes.
  TaskInput(boost::asio::io_context& loop, int fd, std::size_t longest, std::function<void()> arrived);
  ~TaskInput() override;

  [[nodiscard]] std::optional<InputLine> next() override;
  [[nodiscard]] std::optional<double> taken() const override;
  [[nodiscard]] bool ended() const override { return ended_; }
  [[nodiscard]] int read_error() const override { return error_; }

 private:
  struct Shared;
  static void read_all(const std::shared_ptr<Shared>& shared);
  [[nodiscard]] bool take_block();
  void keep_part(std::string_view part);
  [[nodiscard]] InputLine finish_part();

  std::shared_ptr<Shared> shared_;
  std::size_t longest_;
  std::uint64_t size_ = 0;         ///< Of a file; 0: of none.
  std::uint64_t blocks_size_ = 0;  ///< Of the blocks that were taken.
  std::shared_ptr<const std::string> block_;
  std::size_t at_ = 0;
  std::string part_;  ///< The beginning of a line whose end is in the next block.
  bool has_part_ = false;
  bool part_too_long_ = false;
  std::uint64_t lines_ = 0;
  bool last_block_taken_ = false;
  bool ended_ = false;
  int error_ = 0;
};

}  // namespace corral::shell
