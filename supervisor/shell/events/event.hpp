// One thing that has happened: what, when, to whom, and why. The one source of what corral says of itself, of the stream of
// events, and of what hooks and clients are told.
//
// An event keeps the core's notice as it is; words and JSON are made of it when somebody wants them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "supervisor/core/action.hpp"
#include "supervisor/shell/events/narrator.hpp"

namespace corral::shell {

/// What the shell has to say by itself.
struct Said {
  Weight weight = Weight::notable;
  std::string event;
  std::string text;       ///< For people, without a line break.
  std::string members{};  ///< For machines: more of the JSON object, without a comma in front.
};

struct Stamp {
  std::int64_t wall_ms = 0;  ///< Since 1970. For people and log collectors only: nothing is decided by it.
  Instant at{};              ///< CLOCK_MONOTONIC.
};

[[nodiscard]] Stamp stamp_now();

struct Event {
  std::uint64_t number = 0;  ///< From 1, without a gap.
  Stamp stamp;
  std::variant<core::Notice, Said> what;

  [[nodiscard]] const core::Notice* notice() const { return std::get_if<core::Notice>(&what); }
};
using SharedEvent = std::shared_ptr<const Event>;

[[nodiscard]] std::string_view name_of(const Event& event);

/// In words.
[[nodiscard]] Story story_of(const Event& event, const Narrator& narrator);

/// Whom it is about; nothing where it is about all.
[[nodiscard]] std::optional<Life> life_of(const core::Notice& notice);
[[nodiscard]] std::optional<ProgramId> program_of(const core::Notice& notice);

/// Its cause and what it leads to, as members of a JSON object, each with a comma in front.
[[nodiscard]] std::string members_of(const core::Notice& notice);

/// {"seq":…,"time":…,"monotonic":…,"event":…,"level":…,"worker":…,"program":…,"incarnation":…,"pid":…, …,"text":…}: one line
/// without its break.
[[nodiscard]] std::string to_json(const Event& event, const Narrator& narrator);

/// The same as a line of the log, which holds workers' lines too: "source":"corral", the sentence as "message".
[[nodiscard]] std::string to_log_line(const Event& event, const Story& story, const Narrator& narrator);

/// "2026-01-31T12:00:00.123Z".
[[nodiscard]] std::string rfc3339(std::int64_t wall_ms);

/// Seconds as a JSON number, to the microsecond.
[[nodiscard]] std::string json_seconds(Duration duration);

/// What follows the end of a life: members, each with a comma in front. `at`: when it was decided.
[[nodiscard]] std::string members_of(const core::Verdict& verdict);
[[nodiscard]] std::string members_of(const ExitStatus& status);
[[nodiscard]] std::string members_of(const core::ResourceUsage& usage);
[[nodiscard]] std::string members_of(const core::LaunchFailure& failure);

}  // namespace corral::shell
