#include "supervisor/cli/server_sent.hpp"

#include <utility>

namespace corral::cli {

std::vector<std::string> ServerSent::read(std::string_view bytes) {
  std::vector<std::string> events;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    line_ += bytes.substr(0, end);
    if (end == std::string_view::npos) {
      break;
    }
    bytes.remove_prefix(end + 1);
    const std::string line = std::exchange(line_, {});
    if (line.empty() && std::exchange(has_data_, false)) {
      events.push_back(std::exchange(data_, {}));
    } else if (line.starts_with("data:")) {
      data_ += has_data_ ? "\n" : "";
      data_ += std::string_view(line).substr(line.starts_with("data: ") ? 6 : 5);
      has_data_ = true;
    }
  }
  return events;
}

}  // namespace corral::cli
