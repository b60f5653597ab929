// The last lines that each worker has written to its stderr, in its present or last life: for the story of a task that has
// taken it down.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/text.hpp"

namespace corral::shell {

class LastWords {
 public:
  static constexpr std::size_t most_lines = 10;
  static constexpr std::size_t most_bytes = 4096;

  void hear(Life life, std::string_view line) {
    if (life.worker.index >= workers_.size()) {
      workers_.resize(life.worker.index + std::size_t{1});
    }
    Worker& worker = workers_[life.worker.index];
    if (worker.life != life) {
      worker = Worker{life, {}, 0};
    }
    worker.lines.emplace_back(line.substr(0, most_bytes));
    worker.bytes += worker.lines.back().size();
    while (worker.lines.size() > most_lines || worker.bytes > most_bytes) {
      worker.bytes -= worker.lines.front().size();
      worker.lines.pop_front();
    }
  }

  /// A member of a JSON object, with a comma in front: ,"stderr":["…"]
  [[nodiscard]] std::string member(Life life) const {
    std::string out = R"(,"stderr":[)";
    if (life.worker.index < workers_.size() && workers_[life.worker.index].life == life) {
      for (const std::string& line : workers_[life.worker.index].lines) {
        out += out.back() == '[' ? "" : ",";
        append_json_string(out, line);
      }
    }
    return out += ']';
  }

 private:
  struct Worker {
    Life life;
    std::deque<std::string> lines;
    std::size_t bytes = 0;
  };
  std::vector<Worker> workers_;
};

}  // namespace corral::shell
