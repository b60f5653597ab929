#include "supervisor/shell/tasks/story.hpp"

#include <fmt/format.h>

#include <iterator>

#include "common/base/text.hpp"
#include "common/base/units.hpp"
#include "supervisor/shell/tasks/result_sink.hpp"

namespace corral::shell {

std::string story_sentence(const core::RecordTask& record, std::string_view broken) {
  if (record.mishap == core::Mishap::timeout) {
    return fmt::format("ran for {} and was not done", describe_duration(record.seconds));
  }
  if (record.mishap == core::Mishap::garbage || record.mishap == core::Mishap::too_long) {
    return broken.empty() ? std::string("its worker closed its channel and lived on") : fmt::format("its worker {}", broken);
  }
  if (!record.death) {
    return "its worker is gone";
  }
  const core::WorkerLost& death = *record.death;
  return fmt::format("its worker {}{}{}, after {} ({} MiB at most)", death.status.killed() != nullptr ? "was " : "",
                     describe(death.status), death.out_of_memory ? " for lack of memory" : "", describe_duration(record.seconds),
                     death.usage.max_rss_bytes >> 20U);
}

std::string story_json(const core::RecordTask& record, std::uint32_t worker, std::string_view message, std::string_view members) {
  std::string out = fmt::format(R"({{"type":"{}","message":)", name_of(record.mishap.value_or(core::Mishap::died)));
  append_json_string(out, message);
  const ExitedWith* exited = record.death ? record.death->status.exited() : nullptr;
  const KilledBy* killed = record.death ? record.death->status.killed() : nullptr;
  fmt::format_to(std::back_inserter(out), R"(,"attempts":{},"exit_status":{},"signal":{},"core_dump":{})", record.attempts,
                 exited != nullptr ? std::to_string(exited->code) : "null",
                 killed != nullptr ? std::to_string(killed->signal) : "null", killed != nullptr && killed->core_dumped);
  fmt::format_to(std::back_inserter(out), R"(,"out_of_memory":{},"max_rss_bytes":{},"seconds":{:.6g},"worker":{}{}}})",
                 record.death && record.death->out_of_memory, record.death ? record.death->usage.max_rss_bytes : 0,
                 std::chrono::duration<double>(record.seconds).count(), worker, members);
  return out;
}

}  // namespace corral::shell
