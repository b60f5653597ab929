#include "supervisor/shell/tasks/visit_tasks.hpp"

#include <memory>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "supervisor/shell/tasks/shuffled_input.hpp"
#include "supervisor/shell/tasks/task_input.hpp"

namespace corral::shell {

int visit_tasks(int fd, std::size_t longest, std::optional<std::uint64_t> seed,
                const std::function<bool(const InputLine&)>& visit) {
  boost::asio::io_context loop;
  const auto until_it_is_over = boost::asio::make_work_guard(loop);
  std::unique_ptr<TaskSource> input;
  if (seed) {
    input = std::make_unique<ShuffledInput>(loop, fd, longest, *seed, [] {});
  } else {
    input = std::make_unique<TaskInput>(loop, fd, longest, [] {});
  }
  while (true) {
    const std::optional<InputLine> line = input->next();
    if (line && !visit(*line)) {
      return 0;
    }
    if (!line && input->ended()) {
      return input->read_error();
    }
    if (!line) {
      loop.run_one();
    }
  }
}

}  // namespace corral::shell
