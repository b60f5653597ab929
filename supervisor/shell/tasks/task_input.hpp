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

namespace corral::shell {

struct InputLine {
  std::shared_ptr<const std::string> owner;  ///< Keeps the bytes.
  std::string_view bytes;                    ///< Without the line break.
  std::uint64_t number = 0;                  ///< From 0.
  bool too_long = false;                     ///< Longer than the bound; nothing of it is kept.
};

class TaskInput {
 public:
  /// `fd` is the caller's and stays open as long as this lives. `arrived` is called in the loop when next() has said that there
  /// is nothing yet, and now there is, or the end has come. `longest`: of a line, in bytes.
  TaskInput(boost::asio::io_context& loop, int fd, std::size_t longest, std::function<void()> arrived);
  TaskInput(const TaskInput&) = delete;
  TaskInput& operator=(const TaskInput&) = delete;
  ~TaskInput();

  /// The next line; nothing while none is there, or at the end.
  [[nodiscard]] std::optional<InputLine> next();
  /// The share of the file that next() has handed out, 0 to 1; nothing where there is no file with a size.
  [[nodiscard]] std::optional<double> taken() const;
  /// There will be no more.
  [[nodiscard]] bool ended() const { return ended_; }
  /// Why it ended before its time; 0: it did not.
  [[nodiscard]] int error_number() const { return error_; }

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
