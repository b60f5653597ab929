#include "worker/cpp/worker.hpp"

#include <cstdlib>

#include "common/base/text.hpp"
#include "worker/cpp/channel.hpp"
#include "worker/cpp/filter.hpp"
#include "worker/cpp/forks.hpp"

namespace corral::worker {

Failure::Failure(std::string type, std::string message)
    : text_(std::make_shared<const std::pair<std::string, std::string>>(std::move(type), std::move(message))) {}

std::string json_string(std::string_view text) {
  std::string quoted;
  quoted.reserve(text.size() + 2);
  append_json_string(quoted, text);
  return quoted;
}

namespace detail {

int serve(Call call, void* handler, const Options& options) {
  begin_watching_forks();
  const char* const named = std::getenv("CORRAL_TASK_FD");
  if (named == nullptr) {
    return Filter(call, handler).run();
  }
  const int fd = take_channel(named);
  return fd < 0 ? 1 : Channel(fd, call, handler, options).run();
}

}  // namespace detail
}  // namespace corral::worker
