#include "supervisor/cli/values.hpp"

#include <fmt/format.h>
#include <CLI/Error.hpp>

#include <charconv>
#include <csignal>
#include <string_view>
#include <vector>

#include "common/base/signals.hpp"
#include "common/base/suggest.hpp"
#include "common/base/units.hpp"

namespace corral::cli {

void refuse(const std::string& message) { throw CLI::ValidationError(message); }

std::uint32_t parse_count(const std::string& text, std::uint32_t lowest, std::uint32_t highest, std::string_view or_else) {
  std::uint32_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size() || value < lowest || value > highest) {
    refuse(fmt::format("'{}' is not a whole number from {} to {}{}", text, lowest, highest, or_else));
  }
  return value;
}

Duration parse_wait(const std::string& text) {
  const Result<Duration> wait = parse_duration(text);
  if (!wait) {
    const std::string meant = meant_duration(text);
    refuse(wait.error().message + (meant.empty() ? "" : "; did you mean " + meant + "?"));
  }
  return *wait;
}

int parse_signal_or_refuse(const std::string& text) {
  const std::optional<int> number = parse_signal(text);
  if (!number) {
    std::vector<std::string_view> names;
    for (const SignalName& known : standard_signals()) {
      names.push_back(known.name);
    }
    const std::string_view near = nearest(text, names);
    refuse(fmt::format("there is no signal '{}'{}", text, near.empty() ? "" : fmt::format("; did you mean {}?", near)));
  }
  return *number;
}

core::WorkerCount parse_workers(const std::string& text) {
  if (text == "auto") {
    return core::AutoWorkers{};
  }
  constexpr std::uint32_t most = 100'000;
  return parse_count(text, 1, most, ", and not auto");
}

core::CoresPolicy parse_cores(const std::string& text) {
  if (text == "separate") {
    return core::SeparateCores{};
  }
  if (text == "shared") {
    return core::SharedCores{};
  }
  return core::ListedCores{accept(core::CpuSet::parse(text))};
}

core::RestartWhen parse_when(const std::string& text) {
  if (text == "always") {
    return core::RestartWhen::always;
  }
  if (text == "on-failure") {
    return core::RestartWhen::on_failure;
  }
  if (text == "never") {
    return core::RestartWhen::never;
  }
  refuse(fmt::format("'{}' is not always, on-failure or never", text));
}

/// "10/60s": restarts within a time; "none".
std::optional<core::RestartLimit> parse_limit(const std::string& text) {
  if (text == "none") {
    return std::nullopt;
  }
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) {
    refuse(fmt::format("'{}' is not a limit such as 10/60s (restarts within a time), or none", text));
  }
  constexpr std::uint32_t most = 1'000'000;
  const core::RestartLimit limit{parse_count(text.substr(0, slash), 0, most), parse_wait(text.substr(slash + 1))};
  if (limit.within == Duration::zero()) {
    refuse(fmt::format("'{}': within no time at all nothing can be too often", text));
  }
  return limit;
}

std::pair<int, int> parse_map(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) {
    refuse(fmt::format("'{}' does not say which signal becomes which, such as HUP=QUIT (TERM=0 passes nothing on)", text));
  }
  const int from = parse_signal_or_refuse(text.substr(0, equals));
  if (from == SIGKILL || from == SIGSTOP || from == SIGCHLD) {
    refuse(fmt::format("SIG{} cannot be passed on", signal_name(from)));
  }
  const std::string to = text.substr(equals + 1);
  return {from, to == "0" ? 0 : parse_signal_or_refuse(to)};
}

std::pair<std::string, std::string> parse_variable(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    refuse(fmt::format("'{}' is not NAME=VALUE", text));
  }
  if (text.starts_with("CORRAL_")) {
    refuse("names that start with CORRAL_ are corral's own");
  }
  return {text.substr(0, equals), text.substr(equals + 1)};
}

}  // namespace corral::cli
