#include "supervisor/shell/events/event.hpp"

#include <fmt/format.h>

#include <array>
#include <ctime>

#include "common/base/text.hpp"
#include "supervisor/core/event_names.hpp"

namespace corral::shell {
namespace {

template <class T>
concept has_life = requires(const T& notice) { notice.life; };
template <class T>
concept has_pid = has_life<T> && requires(const T& notice) { notice.pid; };

std::int32_t pid_of(const core::Notice& notice) {
  return std::visit(
      [](const auto& what) -> std::int32_t {
        if constexpr (has_pid<std::remove_cvref_t<decltype(what)>>) {
          return what.pid;
        } else {
          return 0;
        }
      },
      notice);
}

void append_whom(std::string& out, const core::Notice& notice, const Narrator& narrator) {
  const std::optional<Life> life = life_of(notice);
  if (life) {
    out += R"(,"worker":)";
    append_json_string(out, narrator.worker(life->worker));
  }
  if (const std::optional<ProgramId> program = program_of(notice)) {
    out += R"(,"program":)";
    append_json_string(out, narrator.program(*program));
  }
  if (life) {
    out += fmt::format(R"(,"incarnation":{})", number(life->incarnation));
    if (const std::int32_t pid = pid_of(notice); pid != 0) {
      out += fmt::format(R"(,"pid":{})", pid);
    }
  }
}

std::string_view level(Weight weight) {
  constexpr std::array<std::string_view, 3> levels{"info", "notice", "error"};
  return levels.at(static_cast<std::size_t>(weight));
}

/// All but the sentence and the opening brace.
std::string facts(const Event& event, const Story& story, const Narrator& narrator, std::string_view source) {
  std::string out = fmt::format(R"("seq":{},"time":"{}","monotonic":{}{},"event":)", event.number, rfc3339(event.stamp.wall_ms),
                                json_seconds(event.stamp.at.time_since_epoch()), source);
  append_json_string(out, story.event);
  out += fmt::format(R"(,"level":"{}")", level(story.weight));
  if (const core::Notice* notice = event.notice()) {
    append_whom(out, *notice, narrator);
    out += members_of(*notice);
  }
  if (!story.members.empty()) {
    out += ',';
    out += story.members;
  }
  return out;
}

}  // namespace

Stamp stamp_now() {
  timespec wall{};
  timespec steady{};
  ::clock_gettime(CLOCK_REALTIME, &wall);
  ::clock_gettime(CLOCK_MONOTONIC, &steady);
  return {wall.tv_sec * 1000 + wall.tv_nsec / 1'000'000,
          Instant(std::chrono::seconds(steady.tv_sec) + std::chrono::nanoseconds(steady.tv_nsec))};
}

std::string rfc3339(std::int64_t wall_ms) {
  const std::time_t seconds = wall_ms / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec, wall_ms % 1000);
}

std::string json_seconds(Duration duration) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  return fmt::format("{}{}.{:06}", us < 0 ? "-" : "", std::abs(us) / 1'000'000, std::abs(us) % 1'000'000);
}

std::string_view name_of(const Event& event) {
  const core::Notice* notice = event.notice();
  return notice != nullptr ? core::name(*notice) : std::string_view(std::get<Said>(event.what).event);
}

Story story_of(const Event& event, const Narrator& narrator) {
  if (const core::Notice* notice = event.notice()) {
    return narrator.tell(*notice);
  }
  const Said& said = std::get<Said>(event.what);
  return {said.weight, said.event, said.text, {}, {}, said.members};
}

std::optional<Life> life_of(const core::Notice& notice) {
  return std::visit(
      [](const auto& what) -> std::optional<Life> {
        if constexpr (has_life<std::remove_cvref_t<decltype(what)>>) {
          return what.life;
        } else {
          return std::nullopt;
        }
      },
      notice);
}

std::optional<ProgramId> program_of(const core::Notice& notice) {
  if (const auto* failed = std::get_if<core::ProgramFailed>(&notice)) {
    return failed->program;
  }
  if (const auto* broken = std::get_if<core::ShellBrokePromise>(&notice)) {
    return broken->worker.program;
  }
  if (const auto* scaled = std::get_if<core::Scaled>(&notice)) {
    return scaled->program;
  }
  if (const auto* begun = std::get_if<core::RollBegun>(&notice)) {
    return begun->program;
  }
  if (const auto* ended = std::get_if<core::RollEnded>(&notice)) {
    return ended->outcome.culprit ? std::optional(ended->outcome.culprit->program) : ended->program;
  }
  if (const auto* ended = std::get_if<core::TrialEnded>(&notice)) {
    return ended->worker.program;
  }
  const std::optional<Life> life = life_of(notice);
  return life ? std::optional(life->worker.program) : std::nullopt;
}

std::string to_json(const Event& event, const Narrator& narrator) {
  const Story story = story_of(event, narrator);
  std::string line = "{" + facts(event, story, narrator, {}) + R"(,"text":)";
  append_json_string(line, story.text);
  return line += '}';
}

std::string to_log_line(const Event& event, const Story& story, const Narrator& narrator) {
  std::string line = "{" + facts(event, story, narrator, R"(,"source":"corral")") + R"(,"message":)";
  append_json_string(line, story.text);
  return line += "}\n";
}

}  // namespace corral::shell
