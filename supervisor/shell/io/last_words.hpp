// The last lines that each worker has written to its stderr, in its present or last life: for the story of its end.
//
// A line costs a copy of its bytes and, once in a while, room for more: this lies on the path of every line that is written.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/text.hpp"

namespace corral::shell {

class LastWords {
 public:
  struct Limits {
    std::size_t lines = 10;
    std::size_t bytes = 4096;  ///< Line breaks counted. Of one line at least so much is kept.
  };

  LastWords() = default;
  explicit LastWords(Limits limits) : limits_(limits) {}

  void hear(Life life, std::string_view line) {
    Worker& worker = of(life);
    worker.text += line.substr(0, limits_.bytes - 1);
    worker.text += '\n';
    shorten(worker);
  }

  /// Whole lines with their breaks, the last one perhaps without: as they were read, thousands at once perhaps.
  void hear_all(Life life, std::string_view lines) {
    Worker& worker = of(life);
    const std::size_t whole = lines.size() + (lines.ends_with('\n') ? 0 : 1);
    if (whole > limits_.bytes) {
      lines.remove_prefix(whole - limits_.bytes);
      const std::size_t end = lines.find('\n');
      lines.remove_prefix(end + 1 < lines.size() ? end + 1 : 0);  // One line that is too long: its end.
    }
    worker.text += lines;
    if (!worker.text.ends_with('\n')) {
      worker.text += '\n';
    }
    shorten(worker);
  }

  /// Oldest first.
  [[nodiscard]] std::vector<std::string_view> lines(Life life) const {
    std::vector<std::string_view> found;
    const auto worker = workers_.find(life.worker);
    if (worker == workers_.end() || worker->second.life != life) {
      return found;
    }
    std::string_view text = worker->second.text;
    text.remove_prefix(begin_of_last(text));
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      found.push_back(text.substr(0, end));
      text.remove_prefix(end + 1);
    }
    found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(std::min(found.size(), limits_.lines)));
    return found;
  }

  /// A member of a JSON object, with a comma in front: ,"stderr":["…"]
  [[nodiscard]] std::string member(Life life) const {
    std::string out = R"(,"stderr":[)";
    for (const std::string_view line : lines(life)) {
      out += out.back() == '[' ? "" : ",";
      append_json_string(out, line);
    }
    return out += ']';
  }

  /// From now on so much of each worker.
  void keep_bytes(std::size_t bytes) { limits_.bytes = bytes; }
  void forget(WorkerId worker) { workers_.erase(worker); }

 private:
  struct Worker {
    Life life;
    std::string text;  ///< Each line with its break; at most twice what is kept in the end.
  };

  Worker& of(Life life) {
    Worker& worker = workers_[life.worker];
    if (worker.life != life) {
      worker.life = life;
      worker.text.clear();
    }
    return worker;
  }

  void shorten(Worker& worker) const {
    if (worker.text.size() > 2 * limits_.bytes) {
      worker.text.erase(0, begin_of_last(worker.text));
    }
  }

  /// Where the whole lines begin that are at most so many bytes from the end.
  [[nodiscard]] std::size_t begin_of_last(std::string_view text) const {
    if (text.size() <= limits_.bytes) {
      return 0;
    }
    const std::size_t begin = text.size() - limits_.bytes;
    return text[begin - 1] == '\n' ? begin : text.find('\n', begin) + 1;
  }

  Limits limits_{};
  std::unordered_map<WorkerId, Worker> workers_;
};

}  // namespace corral::shell
