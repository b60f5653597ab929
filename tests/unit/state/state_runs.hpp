// Runs over a state file, for tests of it.
#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "supervisor/shell/state/recorder_work.hpp"
#include "supervisor/shell/state/state_file.hpp"

namespace corral::state {

using Words = std::vector<std::string>;

inline const Identity identity{{"./worker", "--fast"}, "frames", false};
inline const std::atomic<bool> never_stop = false;

inline RecorderOptions options_of(std::shared_ptr<StateFile> file, bool retry_failed = false) {
  RecorderOptions options;
  options.file = std::move(file);
  options.run = {"'in'", "stdout"};
  options.retry_failed = retry_failed;
  return options;
}

/// One run over `input`: what it did not know, and ends as `outcome` says.
inline std::vector<std::string> run_over(const std::string& path, const std::vector<std::string>& input,
                                         core::Outcome outcome = core::Outcome::done, bool retry_failed = false) {
  auto file = StateFile::open(path, identity, false);
  REQUIRE(file);
  RecorderWork work(options_of(std::move(*file), retry_failed), never_stop);
  REQUIRE(work.begin());
  Lines lines;
  for (const std::string& line : input) {
    lines.lines.push_back({line, false});
  }
  const auto found = work.look_up(lines);
  REQUIRE(found);
  std::vector<std::string> run;
  std::vector<TaskRow> rows;
  for (std::size_t at = 0; at < input.size(); ++at) {
    if (!(*found)[at].known) {
      run.push_back(input[at]);
      rows.push_back({(*found)[at].key, at, outcome, "{}\n", {}, input[at]});
    }
  }
  REQUIRE(work.record(rows, {}));
  REQUIRE(work.end(0));
  return run;
}

}  // namespace corral::state
