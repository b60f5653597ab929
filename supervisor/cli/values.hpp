// What people write behind an option, as values. A text that means nothing throws CLI::ValidationError with a sentence for
// people: CLI11 adds the option's name, and cli.cpp prints it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/instant.hpp"
#include "common/base/result.hpp"
#include "supervisor/core/spec.hpp"

namespace corral::cli {

[[noreturn]] void refuse(const std::string& message);

template <class T>
T accept(Result<T> result) {
  if (!result) {
    refuse(result.error().message);
  }
  return *result;
}

[[nodiscard]] std::uint32_t parse_count(const std::string& text, std::uint32_t lowest, std::uint32_t highest,
                                        std::string_view or_else = {});
[[nodiscard]] Duration parse_wait(const std::string& text);
[[nodiscard]] int parse_signal_or_refuse(const std::string& text);
[[nodiscard]] core::WorkerCount parse_workers(const std::string& text);
[[nodiscard]] core::CoresPolicy parse_cores(const std::string& text);
[[nodiscard]] core::RestartWhen parse_when(const std::string& text);
/// "10/60s": restarts within a time; "none".
[[nodiscard]] std::optional<core::RestartLimit> parse_limit(const std::string& text);
/// "HUP=QUIT"; "TERM=0" passes nothing on.
[[nodiscard]] std::pair<int, int> parse_map(const std::string& text);
/// "NAME=VALUE".
[[nodiscard]] std::pair<std::string, std::string> parse_variable(const std::string& text);

}  // namespace corral::cli
