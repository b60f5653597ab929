// Signals by name. Numbers are those of this machine's Linux.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace corral {

struct SignalName {
  int number;
  std::string_view name;         ///< Without "SIG": "TERM".
  std::string_view description;  ///< As strsignal(3) has it in English: "Terminated".
};

/// Every standard signal, by number. Real-time signals are not in it.
[[nodiscard]] std::span<const SignalName> standard_signals();

/// "TERM", "SIGTERM", "term", "15", "RTMIN+3", "RTMAX-1": the number, 1 to SIGRTMAX. Nothing for anything else.
[[nodiscard]] std::optional<int> parse_signal(std::string_view text);

/// "TERM" for 15, "RTMIN+3" for 37; the number itself where it has no name.
[[nodiscard]] std::string signal_name(int number);

/// "Segmentation fault" for 11.
[[nodiscard]] std::string signal_description(int number);

}  // namespace corral
