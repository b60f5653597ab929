// A file of tasks in a random order, each once.
//
// A thread of its own reads the file twice: first to learn where lines begin (12 bytes of memory a line), then line by line in
// the order that was drawn. It holds at most a few batches that nobody has taken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "supervisor/shell/tasks/task_source.hpp"

namespace corral::shell {

class ShuffledInput : public TaskSource {
 public:
  /// As of TaskInput; `fd` is a regular file. `seed`: of the order.
  ShuffledInput(boost::asio::io_context& loop, int fd, std::size_t longest, std::uint64_t seed, std::function<void()> arrived);
  ~ShuffledInput() override;

  [[nodiscard]] std::optional<InputLine> next() override;
  [[nodiscard]] std::optional<double> taken() const override;
  [[nodiscard]] bool ended() const override { return ended_; }
  [[nodiscard]] int read_error() const override { return error_; }

 private:
  struct Shared;
  static void read_all(const std::shared_ptr<Shared>& shared);
  static void hand_over(const std::shared_ptr<Shared>& shared, std::vector<InputLine> batch, bool over);
  [[nodiscard]] bool take_batch();

  std::shared_ptr<Shared> shared_;
  std::vector<InputLine> batch_;
  std::size_t at_ = 0;
  std::uint64_t handed_out_ = 0;
  std::uint64_t lines_ = 0;
  bool over_ = false;
  bool ended_ = false;
  int error_ = 0;
};

}  // namespace corral::shell
