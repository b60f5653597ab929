// How a process ended, as wait(2) tells it.
#pragma once

#include <string>
#include <variant>

namespace corral {

/// It called exit: 0 to 255.
struct ExitedWith {
  int code = 0;
  friend bool operator==(const ExitedWith&, const ExitedWith&) = default;
};

/// A signal ended it.
struct KilledBy {
  int signal = 0;
  bool core_dumped = false;
  friend bool operator==(const KilledBy&, const KilledBy&) = default;
};

class ExitStatus {
 public:
  constexpr ExitStatus(ExitedWith how) : how_(how) {}  // NOLINT(google-explicit-constructor)
  constexpr ExitStatus(KilledBy how) : how_(how) {}    // NOLINT(google-explicit-constructor)

  [[nodiscard]] constexpr const ExitedWith* exited() const { return std::get_if<ExitedWith>(&how_); }
  [[nodiscard]] constexpr const KilledBy* killed() const { return std::get_if<KilledBy>(&how_); }

  /// What a shell shows for it: the code, or 128 + the signal's number.
  [[nodiscard]] constexpr int shell_code() const {
    const ExitedWith* code = exited();
    return code != nullptr ? code->code : 128 + killed()->signal;
  }

  friend bool operator==(const ExitStatus&, const ExitStatus&) = default;

 private:
  std::variant<ExitedWith, KilledBy> how_;
};

/// "exited with status 3", or "killed by signal 11 (Segmentation fault), core dumped".
[[nodiscard]] std::string describe(const ExitStatus& status);

}  // namespace corral
