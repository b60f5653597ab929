#include "supervisor/shell/events/crash_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "common/base/check.hpp"
#include "common/base/text.hpp"
#include "supervisor/core/crash.hpp"

namespace corral::shell {
namespace {

std::string number_or_null(const std::optional<std::uint64_t>& number) { return number ? std::to_string(*number) : "null"; }

const core::Verdict& verdict_of(const core::Notice& notice) {
  const auto* ended = std::get_if<core::Ended>(&notice);
  return ended != nullptr ? ended->verdict : std::get<core::LaunchFailed>(notice).verdict;
}

std::string cause_of(const core::Notice& notice) {
  if (const auto* ended = std::get_if<core::Ended>(&notice)) {
    return describe(ended->status) + (ended->out_of_memory ? " by the kernel: out of memory" : "");
  }
  return describe(std::get<core::LaunchFailed>(notice).failure);
}

std::string oom_member(const OomFacts& oom) {
  std::string out = R"(,"oom":{"source":)";
  append_json_string(out, oom.source);
  return out + fmt::format(R"(,"kills":{},"limit_bytes":{},"peak_bytes":{}}})", oom.kills, number_or_null(oom.limit_bytes),
                           number_or_null(oom.peak_bytes));
}

}  // namespace

bool is_crash(const core::Notice& notice) {
  const auto* ended = std::get_if<core::Ended>(&notice);
  return ended != nullptr ? core::is_abnormal(*ended) : std::holds_alternative<core::LaunchFailed>(notice);
}

CrashRecord make_crash_record(const Event& event, const Narrator& narrator, const CrashFacts& facts) {
  CORRAL_CHECK(event.notice() != nullptr && is_crash(*event.notice()));
  const core::Notice& notice = *event.notice();
  CrashRecord record{*life_of(notice), event.number, event.stamp.wall_ms, {}, {}, {}};
  record.worker = narrator.worker(record.life.worker);
  record.text = story_of(event, narrator).text;
  std::string out = to_json(event, narrator);
  out.pop_back();
  out += R"(,"cause":)";
  append_json_string(out, cause_of(notice));
  const core::Verdict& verdict = verdict_of(notice);
  const auto delay = std::chrono::duration_cast<std::chrono::milliseconds>(verdict.delay).count();
  const bool restarts = verdict.kind == core::Verdict::Kind::restart;
  out += restarts ? fmt::format(R"(,"next_start":"{}")", rfc3339(event.stamp.wall_ms + delay)) : R"(,"next_start":null)";
  out += R"(,"cores":)";
  facts.cores.empty() ? static_cast<void>(out += "null") : append_json_string(out, facts.cores);
  out += R"(,"task":)" + number_or_null(facts.task);
  if (facts.oom) {
    out += oom_member(*facts.oom);
  }
  record.json = std::move(out) + facts.words + "}";
  return record;
}

void Crashes::add(CrashRecord record) {
  bytes_ += record.json.size();
  records_.push_back(std::move(record));
  while (records_.size() > most || (bytes_ > most_bytes && records_.size() > 1)) {
    bytes_ -= records_.front().json.size();
    records_.pop_front();
  }
}

const CrashRecord* Crashes::last_of(WorkerId worker) const {
  const auto found =
      std::ranges::find(records_.rbegin(), records_.rend(), worker, [](const CrashRecord& r) { return r.life.worker; });
  return found == records_.rend() ? nullptr : &*found;
}

}  // namespace corral::shell
