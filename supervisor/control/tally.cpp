#include "supervisor/control/tally.hpp"

#include <algorithm>
#include <optional>
#include <variant>

namespace corral::control {
namespace {

RestartCause cause_of(const core::Ended& ended) {
  if (ended.out_of_memory) {
    return RestartCause::out_of_memory;
  }
  const ExitedWith* exited = ended.status.exited();
  if (exited == nullptr) {
    return RestartCause::signal;
  }
  return exited->code == 0 ? RestartCause::success : RestartCause::failure;
}

/// Nothing where no other life follows.
std::optional<RestartCause> cause_of(const core::Verdict& verdict, RestartCause of_its_own) {
  switch (verdict.kind) {
    case core::Verdict::Kind::restart: return of_its_own;
    case core::Verdict::Kind::replaced: return RestartCause::replaced;
    case core::Verdict::Kind::restarted: return RestartCause::asked;
    case core::Verdict::Kind::finished:
    case core::Verdict::Kind::not_restarted:
    case core::Verdict::Kind::stopped:
    case core::Verdict::Kind::program_failed:
    case core::Verdict::Kind::survivors: return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::string_view name(RestartCause cause) {
  switch (cause) {
    case RestartCause::success: return "success";
    case RestartCause::failure: return "failure";
    case RestartCause::signal: return "signal";
    case RestartCause::out_of_memory: return "out_of_memory";
    case RestartCause::launch: return "launch";
    case RestartCause::replaced: return "replaced";
    case RestartCause::asked: return "asked";
  }
  return "";
}

void Tally::hear(Instant now, const core::Event& event) {
  // The end that is announced later, when its last output was read, began here.
  if (const auto* exited = std::get_if<core::WorkerExited>(&event)) {
    missing_.try_emplace(exited->life.worker, Missing{now, {}, false});
  } else if (const auto* received = std::get_if<core::CommandReceived>(&event)) {
    if (const auto* start = std::get_if<core::StartWorkers>(&received->command)) {
      forget_wait_of(start->workers);
    } else if (const auto* stop = std::get_if<core::StopWorkers>(&received->command)) {
      forget_wait_of(stop->workers);
    } else if (const auto* restart = std::get_if<core::RestartWorkers>(&received->command)) {
      forget_wait_of(restart->workers);
    }
  }
}

/// Who waits for a restart does not wait as long as it should any more, or longer.
void Tally::forget_wait_of(const std::vector<WorkerId>& workers) {
  for (const WorkerId worker : workers) {
    if (const auto found = missing_.find(worker); found != missing_.end() && found->second.comes_back) {
      missing_.erase(found);
    }
  }
}

void Tally::hear(Instant now, const core::Notice& notice) {
  if (const auto* ended = std::get_if<core::Ended>(&notice)) {
    on(now, *ended);
  } else if (const auto* failed = std::get_if<core::LaunchFailed>(&notice)) {
    on(now, *failed);
  } else if (const auto* started = std::get_if<core::Started>(&notice)) {
    on(now, *started);
  } else if (std::holds_alternative<core::ProgramFailed>(notice) || std::holds_alternative<core::Reloaded>(notice) ||
             std::holds_alternative<core::Scaled>(notice) || std::holds_alternative<core::RolledBack>(notice) ||
             std::holds_alternative<core::ShutdownBegun>(notice)) {
    // Some of those that were to come back will not, or much later and for another reason. Which ones is not said:
    // better none of them is measured than one of them wrongly.
    std::erase_if(missing_, [](const auto& entry) { return entry.second.comes_back; });
  }
}

void Tally::on(Instant now, const core::Ended& ended) {
  counts_.programs[ended.life.worker.program].cpu_of_the_dead += ended.usage.user + ended.usage.system;
  follow(now, ended.life, ended.verdict, cause_of(ended));
}

void Tally::on(Instant now, const core::LaunchFailed& failed) { follow(now, failed.life, failed.verdict, RestartCause::launch); }

void Tally::follow(Instant now, const Life& life, const core::Verdict& verdict, RestartCause of_its_own) {
  const std::optional<RestartCause> cause = cause_of(verdict, of_its_own);
  if (!cause) {
    missing_.erase(life.worker);
    return;
  }
  ++counts_.programs[life.worker.program].restarts[static_cast<std::size_t>(*cause)];
  Missing& missing = missing_.try_emplace(life.worker, Missing{now, {}, false}).first->second;
  missing.delay += verdict.delay;
  missing.comes_back = true;
}

void Tally::on(Instant now, const core::Started& started) {
  const auto found = missing_.find(started.life.worker);
  if (found == missing_.end() || !found->second.comes_back) {
    return;
  }
  const Missing& missing = found->second;
  counts_.downtime.observe(now - missing.died);
  counts_.restart_latency.observe(now - missing.died - missing.delay);
  missing_.erase(found);
}

void Tally::forget(ProgramId program) {
  counts_.programs.erase(program);
  std::erase_if(missing_, [&](const auto& entry) { return entry.first.program == program; });
}

}  // namespace corral::control
