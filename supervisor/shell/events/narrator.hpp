// The core's notices in words: one event, one line, and always why.
//
// Written for the person at 3 a.m.: what happened, why, what comes next. Decides nothing and writes nowhere.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "supervisor/core/action.hpp"

namespace corral::shell {

enum class LogFormat : std::uint8_t { text, json };

/// How much of it somebody wants to know.
enum class Weight : std::uint8_t { routine, notable, trouble };

struct Story {
  Weight weight = Weight::notable;
  std::string_view event;  ///< For machines: "worker_ended". Of whom the story was made.
  std::string text;        ///< For people, without a line break.
  std::optional<Life> life;
  std::optional<ProgramId> program;
  std::string members{};  ///< For machines: more of the JSON object.
};

class Narrator {
 public:
  using Names = std::function<std::string_view(ProgramId)>;

  /// How many workers the program has, where some of them have two slots, else 0.
  using Workers = std::function<std::uint32_t(ProgramId)>;

  explicit Narrator(Names names, Workers workers = {}) : names_(std::move(names)), workers_(std::move(workers)) {}

  [[nodiscard]] Story tell(const core::Notice& notice) const;

  /// "crunch/0".
  [[nodiscard]] std::string worker(WorkerId id) const;
  [[nodiscard]] std::string_view program(ProgramId id) const { return names_(id); }

 private:
  [[nodiscard]] std::string with_pid(Life life, std::int32_t pid) const;
  [[nodiscard]] Story on(const core::Started& notice) const;
  [[nodiscard]] Story on(const core::Ended& notice) const;
  [[nodiscard]] Story on(const core::LaunchFailed& notice) const;
  [[nodiscard]] Story on(const core::StopSignalled& notice) const;
  [[nodiscard]] Story on(const core::KillSent& notice) const;
  [[nodiscard]] Story on(const core::SignalRefused& notice) const;
  [[nodiscard]] Story on(const core::Unkillable& notice) const;
  [[nodiscard]] Story on(const core::GoneAtLast& notice) const;
  [[nodiscard]] Story on(const core::OutputHeld& notice) const;
  [[nodiscard]] Story on(const core::ProgramFailed& notice) const;
  [[nodiscard]] Story on(const core::ShutdownBegun& notice) const;
  [[nodiscard]] Story on(const core::DrainBegun& notice) const;
  [[nodiscard]] Story on(const core::ShutdownForced& notice) const;
  [[nodiscard]] Story on(const core::SignalIgnored& notice) const;
  [[nodiscard]] Story on(const core::SignalPassedOn& notice) const;
  [[nodiscard]] std::string whose(std::optional<ProgramId> of) const;
  [[nodiscard]] Story on(const core::RollBegun& notice) const;
  [[nodiscard]] Story on(const core::RollEnded& notice) const;
  [[nodiscard]] Story on(const core::Reloaded& notice) const;
  [[nodiscard]] Story on(const core::Scaled& notice) const;
  [[nodiscard]] Story on(const core::TrialPassed& notice) const;
  [[nodiscard]] Story on(const core::TrialEnded& notice) const;
  [[nodiscard]] Story on(const core::TrialFailed& notice) const;
  [[nodiscard]] Story on(const core::RolledBack& notice) const;
  [[nodiscard]] Story on(const core::LeftBehind& notice) const;
  [[nodiscard]] Story on(const core::ShellBrokePromise& notice) const;
  [[nodiscard]] Story on(const core::Finished& notice) const;

  Names names_;
  Workers workers_;
};

}  // namespace corral::shell
