#include "common/base/signals.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <csignal>

namespace corral {
namespace {

constexpr std::array<SignalName, 31> signals_by_number{{
    {SIGHUP, "HUP", "Hangup"},
    {SIGINT, "INT", "Interrupt"},
    {SIGQUIT, "QUIT", "Quit"},
    {SIGILL, "ILL", "Illegal instruction"},
    {SIGTRAP, "TRAP", "Trace/breakpoint trap"},
    {SIGABRT, "ABRT", "Aborted"},
    {SIGBUS, "BUS", "Bus error"},
    {SIGFPE, "FPE", "Floating point exception"},
    {SIGKILL, "KILL", "Killed"},
    {SIGUSR1, "USR1", "User defined signal 1"},
    {SIGSEGV, "SEGV", "Segmentation fault"},
    {SIGUSR2, "USR2", "User defined signal 2"},
    {SIGPIPE, "PIPE", "Broken pipe"},
    {SIGALRM, "ALRM", "Alarm clock"},
    {SIGTERM, "TERM", "Terminated"},
    {SIGSTKFLT, "STKFLT", "Stack fault"},
    {SIGCHLD, "CHLD", "Child exited"},
    {SIGCONT, "CONT", "Continued"},
    {SIGSTOP, "STOP", "Stopped (signal)"},
    {SIGTSTP, "TSTP", "Stopped"},
    {SIGTTIN, "TTIN", "Stopped (tty input)"},
    {SIGTTOU, "TTOU", "Stopped (tty output)"},
    {SIGURG, "URG", "Urgent I/O condition"},
    {SIGXCPU, "XCPU", "CPU time limit exceeded"},
    {SIGXFSZ, "XFSZ", "File size limit exceeded"},
    {SIGVTALRM, "VTALRM", "Virtual timer expired"},
    {SIGPROF, "PROF", "Profiling timer expired"},
    {SIGWINCH, "WINCH", "Window changed"},
    {SIGIO, "IO", "I/O possible"},
    {SIGPWR, "PWR", "Power failure"},
    {SIGSYS, "SYS", "Bad system call"},
}};

std::optional<int> parse_number(std::string_view text) {
  int value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

bool is_signal(int number) { return number >= 1 && number <= SIGRTMAX; }

/// "RTMIN+3" and "RTMAX-1"; the C library keeps the first real-time signals for itself, so they count from SIGRTMIN.
std::optional<int> parse_real_time(std::string_view name) {
  const bool from_min = name.starts_with("RTMIN");
  if (!from_min && !name.starts_with("RTMAX")) {
    return std::nullopt;
  }
  const int base = from_min ? SIGRTMIN : SIGRTMAX;
  const std::string_view offset = name.substr(5);
  if (offset.empty()) {
    return base;
  }
  if (offset.front() != (from_min ? '+' : '-')) {
    return std::nullopt;
  }
  const std::optional<int> distance = parse_number(offset.substr(1));
  if (!distance || *distance < 0 || *distance > SIGRTMAX - SIGRTMIN) {
    return std::nullopt;
  }
  return from_min ? base + *distance : base - *distance;
}

const SignalName* find_signal(int number) {
  const auto* const found = std::ranges::find(signals_by_number, number, &SignalName::number);
  return found == signals_by_number.end() ? nullptr : found;
}

}  // namespace

std::span<const SignalName> standard_signals() { return signals_by_number; }

std::optional<int> parse_signal(std::string_view text) {
  std::string name(text);
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (name.starts_with("SIG")) {
    name.erase(0, 3);
  }
  if (const std::optional<int> value = parse_number(name)) {
    return is_signal(*value) && name.front() != '-' && text == name ? value : std::nullopt;
  }
  if (name == "POLL") {
    return SIGPOLL;
  }
  if (name == "IOT") {
    return SIGIOT;
  }
  if (const auto* const found = std::ranges::find(signals_by_number, std::string_view(name), &SignalName::name);
      found != signals_by_number.end()) {
    return found->number;
  }
  return parse_real_time(name);
}

std::string signal_name(int number) {
  if (const SignalName* known = find_signal(number)) {
    return std::string(known->name);
  }
  if (number >= SIGRTMIN && number <= SIGRTMAX) {
    return number == SIGRTMIN ? "RTMIN" : "RTMIN+" + std::to_string(number - SIGRTMIN);
  }
  return std::to_string(number);
}

std::string signal_description(int number) {
  if (const SignalName* known = find_signal(number)) {
    return std::string(known->description);
  }
  if (number >= SIGRTMIN && number <= SIGRTMAX) {
    return "Real-time signal " + std::to_string(number - SIGRTMIN);
  }
  return "Unknown signal " + std::to_string(number);
}

}  // namespace corral
