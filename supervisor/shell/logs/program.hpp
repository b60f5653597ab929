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
  std::vector<SharedLog> past;  ///< Those that have ended, as long as they are written to,
  Counts before;                ///< and what came of those before.

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

  static void add(Counts& counts, const Log& log) {
    counts.written_bytes += log.written;
    counts.dropped_lines += log.dropped_lines;
    counts.dropped_bytes += log.dropped_bytes;
    counts.rotations += log.rotations;
  }

  void let_go_of_past() {
    std::erase_if(past, [this](const SharedLog& log) {
      const bool written = log->pending == 0;
      if (written) {
        add(before, *log);
      }
      return written;
    });
  }

  [[nodiscard]] Counts counts() const {
    Counts all = before;
    for (const auto& [key, log] : logs) {
      add(all, *log);
    }
    for (const SharedLog& log : past) {
      add(all, *log);
    }
    return all;
  }
};

}  // namespace corral::logs
