// What a World knows of reloads on trial, and what may be expected of them. Naively: it looks at processes and at the clock.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "supervisor/core/supervisor.hpp"
#include "tests/simulation/process.hpp"

namespace corral::simulation {

using namespace core;

class Trials {
 public:
  explicit Trials(const Plan& plan) : in_force_(plan) {}

  /// `others`: commands are under way, a trial that begins now not among them.
  void note(const Event& event, bool running, bool others) {
    const bool trouble = std::holds_alternative<SpawnFailed>(event) || std::holds_alternative<DeadlineReached>(event) ||
                         std::holds_alternative<WorkerExited>(event);
    had_trouble_ = had_trouble_ || trouble;
    // Whoever is told something by hand may have nothing more to prove.
    had_rival_ = had_rival_ || std::holds_alternative<CommandReceived>(event);
    if (const auto* reloaded = std::get_if<ConfigReloaded>(&event); reloaded != nullptr && running) {
      take(*reloaded, others);
    } else if (std::holds_alternative<RestoreFailed>(event)) {
      wanted_.reset();
    }
  }

  void asked_for(const RestoreConfiguration& action) {
    require(under_way_, "only a trial asks for the configuration before");
    require(had_trouble_, "a trial is lost for a reason");
    under_way_ = false;
    wanted_ = action.trial;
  }

  void notice(Instant now, const Notice& notice, const std::map<WorkerId, WorkerProcess>& processes) {
    if (const auto* ended = std::get_if<Ended>(&notice)) {
      last_ended_ = ended->life.worker;
    } else if (const auto* failed = std::get_if<LaunchFailed>(&notice)) {
      last_ended_ = failed->life.worker;
    } else if (const auto* stops = std::get_if<ShutdownBegun>(&notice)) {
      const bool by_failure = stops->cause.kind == StopCause::Kind::program_failed;
      require(!by_failure || !wanted_ || had_rival_ || !touched_.contains(last_ended_),
              "what is about to be undone ends nothing");
    }
    if (!std::holds_alternative<TrialPassed>(notice)) {
      return;
    }
    require(under_way_, "only a trial is passed");
    under_way_ = false;
    for (const auto& [id, process] : processes) {
      if (!had_rival_ && touched_.contains(id) && process.alive && !process.asked_to_end) {
        require(process.executing && now >= after(process.ready_at, healthy_after(id)), "who passes a trial has become healthy");
      }
    }
  }

  [[nodiscard]] bool goes_on() const { return under_way_ || wanted_; }
  [[nodiscard]] std::optional<TrialId> wanted() const { return wanted_; }
  [[nodiscard]] const Plan& before() const { return before_; }

 private:
  void take(const ConfigReloaded& reloaded, bool others) {
    using enum ConfigReloaded::Kind;
    if (reloaded.kind == scaled) {
      in_force_ = reloaded.plan;
      had_rival_ = true;
      return;
    }
    if (reloaded.kind == on_trial) {
      if (!under_way_ && !wanted_) {
        before_ = in_force_;
        touched_.clear();
        had_rival_ = others;
        had_trouble_ = false;
      }
      touch(reloaded.plan);
    }
    under_way_ = reloaded.kind == on_trial;
    wanted_.reset();
    in_force_ = reloaded.plan;
  }

  /// Those whose definition is another one.
  void touch(const Plan& plan) {
    for (const PlannedProgram& planned : plan.programs) {
      const auto old = std::ranges::find(in_force_.programs, planned.id, &PlannedProgram::id);
      const bool same =
          old != in_force_.programs.end() && old->spec.launch == planned.spec.launch && old->placements == planned.placements;
      for (std::uint32_t index = 0; index < planned.workers() && !same; ++index) {
        touched_.insert({planned.id, index});
      }
    }
  }

  [[nodiscard]] Duration healthy_after(WorkerId id) const {
    const auto planned = std::ranges::find(in_force_.programs, id.program, &PlannedProgram::id);
    return planned == in_force_.programs.end() ? Duration::zero() : planned->spec.restart.healthy_after;
  }

  Plan in_force_;
  Plan before_;
  std::set<WorkerId> touched_;
  WorkerId last_ended_{};
  bool under_way_ = false;
  bool had_trouble_ = false;
  bool had_rival_ = false;
  std::optional<TrialId> wanted_;
};

}  // namespace corral::simulation
