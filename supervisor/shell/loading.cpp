// The configuration, read again beside the loop: for a signal, or for whoever asks by the API.
#include <algorithm>
#include <cerrno>
#include <new>
#include <system_error>
#include <utility>

#include <boost/asio/post.hpp>

#include "supervisor/shell/pump.hpp"

namespace corral::shell {

namespace {

/// More than this wait for their turn: then one more is refused.
constexpr std::size_t most_loads = 64;

}  // namespace

void Pump::perform(const core::LoadConfiguration&) {
  // What is read after the first of several signals is new enough for all of them, if it has not yet begun.
  const std::size_t begun = is_loading_ ? 1 : 0;
  for (std::size_t i = begun; i < loads_.size(); ++i) {
    if (loads_[i].kind == Load::Kind::reload && !loads_[i].asked_by) {
      return;
    }
  }
  loads_.push_back({});  // No client's: it is never refused, and one at a time waits.
  begin_loading();
}

/// Before whatever waits for its turn: that is newer, and to come later.
void Pump::perform(const core::RestoreConfiguration& action) {
  loads_.insert(loads_.begin() + (is_loading_ ? 1 : 0), Load{.kind = Load::Kind::restore, .trial = action.trial});
  begin_loading();
}

/// Before anybody is told that it is under way.
void Pump::load_for(Asked asked, Load wanted) {
  if (loads_.size() >= most_loads) {
    return asked.answer(control::outcome({core::CommandOutcome::Kind::busy}, {}));
  }
  wanted.asked_by = expect(std::move(asked));
  loads_.push_back(std::move(wanted));
  begin_loading();
}

void Pump::begin_loading() {
  while (!is_loading_ && !loads_.empty() && loads_.front().kind == Load::Kind::restore &&
         !core_.awaits_restoration(loads_.front().trial)) {
    loads_.pop_front();  // Something newer was read while that was asked for.
  }
  if (is_loading_ || loads_.empty()) {
    return;
  }
  is_loading_ = true;
  const auto hand_over = [this](Loaded result) {
    boost::asio::post(loop_, [this, result = std::move(result)]() mutable { loaded(std::move(result)); });
  };
  try {
    loading_ =
        std::jthread([hand_over, loader = options_.loader, load = loads_.front()] { hand_over(load_with(*loader, load)); });
  } catch (const std::system_error& error) {
    hand_over(system_failure("cannot start a thread to read it", error.code().value()));
  }
}

Pump::Loaded Pump::load_with(Loader& loader, const Load& load) {
  try {
    if (load.kind == Load::Kind::preview) {
      auto changes = loader.preview();
      return changes ? Loaded(std::move(*changes)) : std::unexpected(std::move(changes.error()));
    }
    auto result = load.kind == Load::Kind::scale     ? loader.scale(load.scale)
                  : load.kind == Load::Kind::restore ? loader.restore()
                                                     : loader.reload();
    if (!result) {
      return std::unexpected(std::move(result.error()));
    }
    reserve_descriptors(*result);  // Here, where the kernel may take its time.
    return std::move(*result);
  } catch (const std::bad_alloc&) {
    return system_failure("cannot read it", ENOMEM);
  }
}

void Pump::loaded(Loaded result) {
  is_loading_ = false;
  const Load load = std::move(loads_.front());
  loads_.pop_front();
  if (!result) {
    not_loaded(load, result.error());
  } else if (auto* changes = std::get_if<std::vector<core::WorkerChange>>(&*result)) {
    show_plan(load, std::move(*changes));
  } else {
    take_over(std::get<Prepared>(std::move(*result)), load);
  }
  turn();  // What was taken over is in force before the next is read.
  if (!status_) {
    begin_loading();
  }
}

void Pump::not_loaded(const Load& load, const Error& error) {
  switch (load.kind) {
    case Load::Kind::restore:
      say(Weight::trouble, "rollback_failed",
          "the configuration before cannot come back, and the new one stays: " + error.message);
      return enqueue(core::RestoreFailed{load.trial});
    case Load::Kind::scale:
      return answer(load.asked_by, control::refusal({error.error_number == ENOENT ? 404 : 409, error.message, {}}));
    case Load::Kind::reload: say(Weight::trouble, "reload_failed", "the configuration stays as it was: " + error.message); break;
    case Load::Kind::preview: break;
  }
  answer(load.asked_by, control::invalid_configuration(error.message));
}

/// Of the workers as they are now, which may be others than when the configuration was asked for.
void Pump::show_plan(const Load& load, std::vector<core::WorkerChange> changes) {
  step_until_quiet();
  if (core_.phase() != core::Phase::running) {
    return answer(load.asked_by, control::outcome({core::CommandOutcome::Kind::stopping}, {}));
  }
  core::heed_states(changes, core_.snapshot());
  answer(load.asked_by, control::reload_plan(changes));
}

core::ConfigReloaded::Kind Pump::kind_of(const Load& load, const Prepared& prepared) {
  using enum core::ConfigReloaded::Kind;
  if (load.kind == Load::Kind::scale || load.kind == Load::Kind::restore) {
    return load.kind == Load::Kind::scale ? scaled : restored;
  }
  return load.rollback.value_or(prepared.rollback) ? on_trial : changed;
}

void Pump::take_over(Prepared prepared, const Load& load) {
  for (std::string& note : prepared.notes) {
    say(Weight::notable, "note", std::move(note));
  }
  // What was queued before belongs to the old configuration, the end of a program that comes back among it.
  step_until_quiet();
  if (status_ || core_.phase() != core::Phase::running) {
    return answer(load.asked_by, control::outcome({core::CommandOutcome::Kind::stopping}, {}));
  }
  const core::ConfigReloaded::Kind kind = kind_of(load, prepared);
  if (kind == core::ConfigReloaded::Kind::on_trial && !core_.on_trial()) {
    options_.loader->remember_what_is_in_force();  // Otherwise that is on trial itself: what was before it is still good.
  }
  options_.loader->take_over();
  numbers_.assign(prepared.plan);
  adopt(prepared);
  const auto scaled =
      std::ranges::find(prepared.plan.programs, load.scale.program,
                        [](const core::PlannedProgram& planned) -> const std::string& { return planned.spec.name; });
  const ProgramId program = scaled == prepared.plan.programs.end() ? ProgramId{} : scaled->id;
  enqueue(core::ConfigReloaded{std::move(prepared.plan), load.asked_by, kind, load.trial, program});
}

}  // namespace corral::shell
