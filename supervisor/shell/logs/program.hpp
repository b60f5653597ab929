// The logs of one program: which of its workers' streams share a file. For LogFiles alone.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "supervisor/shell/logs/log_files.hpp"
#include "supervisor/shell/logs/queue.hpp"

namespace corral::logs {

/// A worker's index (0 where all share a file), and whether it is the file of stderr alone.
using LogKey = std::pair<std::uint32_t, bool>;

struct LogFiles::Program {
  std::string name;
  core::LogSpec spec;
  std::uint32_t workers = 0;
  std::map<LogKey, SharedLog> logs;
  std::vector<SharedLog> past;  ///< For their counts.

  [[nodiscard]] LogKey key_of(std::uint32_t index, bool err) const {
    return {is_shared(spec) ? 0 : index, err && !spec.merges()};
  }

  [[nodiscard]] bool has(LogKey key) const {
    return spec.to == core::LogTo::file && key.first < (is_shared(spec) ? 1 : workers) && !(key.second && spec.merges());
  }

  [[nodiscard]] SharedTarget target_of(LogKey key) const {
    const bool together = is_shared(spec) && workers > 1;
    Target target;
    target.path = path_for(spec, name, key.first, key.second);
    target.program = name;
    target.whose = is_shared(spec) ? name : name + "/" + std::to_string(key.first);
    target.shape = spec.format == core::LineFormat::json ? Shape::json : together ? Shape::named : Shape::bytes;
    target.when_full = spec.when_full;
    target.rotate = spec.rotate;
    return std::make_shared<const Target>(std::move(target));
  }

  template <class Sink>
  void each(const Sink& sink) const {
    for (const auto& [key, log] : logs) {
      sink(*log);
    }
    for (const SharedLog& log : past) {
      sink(*log);
    }
  }
};

}  // namespace corral::logs
