#include "supervisor/shell/tasks/progress.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/units.hpp"

namespace corral::shell {
namespace {

std::string rate(const ProgressFacts& facts) {
  const double a_second = static_cast<double>(facts.counts.recorded()) / std::max(in_seconds(facts.elapsed), 1e-3);
  return a_second >= 10 ? fmt::format("{:.0f}", a_second) : fmt::format("{:.2g}", a_second);
}

/// Of all tasks, those that have ended.
std::optional<double> share_done(const ProgressFacts& facts) {
  if (!facts.taken || facts.counts.accepted == 0) {
    return std::nullopt;
  }
  return *facts.taken * static_cast<double>(facts.counts.recorded()) / static_cast<double>(facts.counts.accepted);
}

/// "60# 3- 1.": more workers than columns.
std::string counted(const std::string& cells) {
  std::string text;
  for (const char kind : std::string_view("#-.")) {
    if (const auto count = std::ranges::count(cells, kind); count > 0) {
      text += fmt::format("{}{}{}", text.empty() ? "" : " ", count, kind);
    }
  }
  return text;
}

std::string troubles(const core::TaskCounts& counts) {
  std::string text;
  const auto add = [&](std::uint64_t count, std::string_view what) {
    if (count > 0) {
      text += fmt::format(", {} {}", count, what);
    }
  };
  add(counts.failed, "failed");
  add(counts.quarantined, "quarantined");
  add(counts.retries, "retried");
  return text;
}

/// Reading what is known already may take a while of its own, with nothing done.
std::string known(const ProgressFacts& facts) {
  if (facts.known == 0) {
    return {};
  }
  const bool reading = facts.counts.accepted == 0 && facts.taken;
  return fmt::format(", {} were recorded before{}", facts.known,
                     reading ? fmt::format(" ({:.0f} % of the input read)", *facts.taken * 100) : std::string());
}

}  // namespace

std::optional<Duration> time_left(const ProgressFacts& facts) {
  constexpr double too_little = 0.001;
  const auto done = share_done(facts);
  if (!done || *done < too_little) {
    return std::nullopt;
  }
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(in_seconds(facts.elapsed) * (1 - *done) / *done));
}

std::string progress_sentence(const ProgressFacts& facts) {
  std::string text =
      fmt::format("{} tasks done{}{}, {} a second", facts.counts.done, troubles(facts.counts), known(facts), rate(facts));
  if (const auto left = time_left(facts)) {
    text += fmt::format(", about {} left", describe_duration(*left));
  }
  return text;
}

std::string progress_line(const ProgressFacts& facts, std::size_t width) {
  constexpr std::size_t bar = 20;
  std::string text;
  if (const auto done = share_done(facts)) {
    const auto full = std::min(bar, static_cast<std::size_t>(*done * bar));
    text += fmt::format("[{}{}] {:.0f}% ", std::string(full, '#'), std::string(bar - full, '.'), *done * 100);
  }
  text += fmt::format("{} done{}{}, {}/s", facts.counts.done, troubles(facts.counts), known(facts), rate(facts));
  if (const auto left = time_left(facts)) {
    text += ", " + describe_duration(*left) + " left";
  }
  const std::string cells = text.size() + facts.cells.size() + 3 <= width ? facts.cells : counted(facts.cells);
  if (text.size() + cells.size() + 3 <= width) {
    text += " |" + cells + "|";
  }
  return text.substr(0, width);
}

}  // namespace corral::shell
