// The configuration, read again beside the loop: for a signal, or for whoever asks by the API.
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

std::vector<control::PlannedChange> as_reply(std::vector<core::WorkerChange> changes) {
  std::vector<control::PlannedChange> list;
  for (core::WorkerChange& change : changes) {
    list.push_back({std::move(change.worker), core::name(change.kind), std::move(change.why)});
  }
  return list;
}

}  // namespace

void Pump::perform(const core::LoadConfiguration&) {
  // What is read after the first of several signals is new enough for all of them, if it has not yet begun.
  const std::size_t begun = is_loading_ ? 1 : 0;
  for (std::size_t i = begun; i < loads_.size(); ++i) {
    if (loads_[i].kind == Load::Kind::reload && !loads_[i].asked_by) {
      return;
    }
  }
  load({});
}

void Pump::load(Load wanted) {
  if (loads_.size() >= most_loads) {
    return answer(wanted.asked_by, control::outcome({core::CommandOutcome::Kind::busy}, {}));
  }
  loads_.push_back(std::move(wanted));
  begin_loading();
}

void Pump::begin_loading() {
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
      return changes ? Loaded(as_reply(std::move(*changes))) : std::unexpected(std::move(changes.error()));
    }
    auto result = load.kind == Load::Kind::scale ? loader.scale(load.scale) : loader.reload();
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
    if (load.kind == Load::Kind::reload) {
      say(Weight::trouble, "reload_failed", "the configuration stays as it was: " + result.error().message);
    }
    const int refused = result.error().error_number == ENOENT ? 404 : 409;
    answer(load.asked_by, load.kind == Load::Kind::scale ? control::refusal({refused, result.error().message, {}})
                                                         : control::invalid_configuration(result.error().message));
  } else if (auto* changes = std::get_if<std::vector<control::PlannedChange>>(&*result)) {
    answer(load.asked_by, control::reload_plan(*changes));
  } else {
    take_over(std::get<Prepared>(std::move(*result)), load);
  }
  begin_loading();
  turn();
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
  numbers_.assign(prepared.plan);
  adopt(prepared);
  enqueue(core::ConfigReloaded{std::move(prepared.plan), load.asked_by, load.kind == Load::Kind::scale});
}

}  // namespace corral::shell
