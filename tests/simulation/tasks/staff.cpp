// The supervisor above the workers: lives end, the next ones begin later or never.
#include "tests/simulation/tasks/staff.hpp"

#include <algorithm>

namespace corral::simulation::tasks {

using namespace core;

namespace {

constexpr auto later = [](const auto& left, const auto& right) {
  return left.at != right.at ? left.at > right.at : left.order > right.order;
};

}  // namespace

Staff::Staff(const Scenario& scenario)
    : scenario_(scenario),
      random_(scenario.seed ^ 0xc0ffee),
      slots_(scenario.policy.relieves() ? 2 * scenario.workers : scenario.workers) {
  for (std::uint32_t worker = 0; worker < slots_.size(); ++worker) {
    slots_[worker].process.life.worker = WorkerId{ProgramId{0}, worker};
    slots_[worker].wanted = worker < scenario.workers;
    plan(now_ + ticks(random_, 3), What::launch, worker);
  }
}

void Staff::plan(Instant at, What what, std::uint32_t worker) {
  const Process& process = slots_[worker].process;
  queue_.push_back({at, random_.next(), what, worker, number(process.life.incarnation), process.piece});
  std::ranges::push_heap(queue_, later);
}

std::optional<Instant> Staff::next() const { return queue_.empty() ? std::nullopt : std::optional(queue_.front().at); }

bool Staff::is_stale(const Happening& happening) const {
  const Process& process = slots_[happening.worker].process;
  if (happening.life != number(process.life.incarnation)) {
    return true;
  }
  switch (happening.what) {
    case What::launch: return process.alive;
    case What::open:
    case What::hello:
    case What::die: return !process.alive;
    case What::finish: return !process.alive || !process.working || happening.piece != process.piece;
    case What::read: return !process.open || process.written.empty();
    case What::starve:
    case What::mischief: return !process.alive || !process.open;
    case What::lose: return false;
  }
  return true;
}

void Staff::happen(std::vector<TaskEvent>& told) {
  std::ranges::pop_heap(queue_, later);
  const Happening happening = queue_.back();
  queue_.pop_back();
  now_ = std::max(now_, happening.at);
  if (is_stale(happening)) {
    return;
  }
  Slot& slot = slots_[happening.worker];
  Process& process = slot.process;
  switch (happening.what) {
    case What::launch: return launch(slot, happening.worker);
    case What::open:
      process.open = true;
      told.emplace_back(ChannelOpened{process.life});
      if (happens(scenario_.misdeeds.dies_before_hello)) {
        plan(now_ + ticks(random_, 5), What::die, happening.worker);
      } else if (scenario_.policy.greets && !happens(scenario_.misdeeds.never_greets)) {
        plan(now_ + ticks(random_, 5), What::hello, happening.worker);
      }
      if (chance(random_, 0.5)) {
        plan(now_ + ticks(random_, 20), What::mischief, happening.worker);
      }
      return;
    case What::hello: process.greeted = true; return write(process, WorkerGreeted{process.life});
    case What::finish: return finish(process);
    case What::read:
      for (; !process.written.empty(); process.written.pop_front()) {
        if (!process.broken) {
          told.push_back(process.written.front());
          process.broken = std::holds_alternative<ChannelBroken>(told.back());
        }
      }
      return;
    case What::starve: return starve(process, told);
    case What::mischief: return do_mischief(process, told);
    case What::die: return die(process);
    case What::lose: return lose(slot, happening.worker, told);
  }
}

void Staff::launch(Slot& slot, std::uint32_t worker) {
  if (!slot.wanted || slot.used_up || closing_) {
    return;
  }
  const Life life{slot.process.life.worker, corral::next(slot.process.life.incarnation)};
  slot.process = Process{};
  slot.process.life = life;
  if (happens(scenario_.misdeeds.launch_fails)) {
    plan(now_ + 1ms + ticks(random_, 20), What::launch, worker);
    return;
  }
  slot.process.alive = true;
  plan(now_ + ticks(random_, 3), What::open, worker);
}

Staff::Process* Staff::find(Life life) {
  Process& process = slots_[life.worker.index].process;
  return process.life == life ? &process : nullptr;
}

/// SIGTERM, and in the end SIGKILL.
void Staff::stop(Slot& slot) {
  Process& process = slot.process;
  if (!process.alive || process.stopping) {
    return;
  }
  process.stopping = true;
  const std::uint32_t worker = process.life.worker.index;
  if (worker % scenario_.workers > 0 && happens(scenario_.misdeeds.immortal)) {
    slot.used_up = true;  // It hangs in the kernel; its slot is never used again.
    return;
  }
  const bool ignores = happens(scenario_.misdeeds.ignores_stop);
  plan(now_ + (ignores ? 30ms : ticks(random_, 2)), What::die, worker);
}

void Staff::shut_down(Instant now) {
  now_ = now;
  closing_ = true;
  for (Slot& slot : slots_) {
    stop(slot);
  }
}

/// What it had written is read first.
void Staff::lose(Slot& slot, std::uint32_t worker, std::vector<TaskEvent>& told) {
  Process& process = slot.process;
  if (process.open) {
    for (; !process.written.empty() && !process.broken; process.written.pop_front()) {
      told.push_back(process.written.front());
      process.broken = std::holds_alternative<ChannelBroken>(told.back());
    }
    told.emplace_back(WorkerLost{process.life, KilledBy{11, false}, {}, false, {}, process.at});
  }
  process.open = false;
  slot.used_up = slot.used_up || (worker % scenario_.workers > 0 && happens(scenario_.misdeeds.never_again));
  plan(now_ + (chance(random_, 0.7) ? 0ms : ticks(random_, 20)), What::launch, worker);
}

void Staff::perform(Instant now, const TaskAction& action) {
  now_ = now;
  if (const auto* given = std::get_if<DeliverTask>(&action)) {
    seen_ = std::max(seen_, number(given->task) + 1);
    if (Process* process = find(given->life); process != nullptr && process->alive && !process->resigned) {
      process->inbox.push_back(given->task);
      process->waited = 0;
      begin(*process);
    }
  } else if (const auto* recalled = std::get_if<RecallTask>(&action)) {
    if (Process* process = find(recalled->life); process != nullptr && process->alive) {
      take_back(*process, recalled->task);
    }
  } else if (const auto* called = std::get_if<CallRelief>(&action)) {
    Slot& slot = slots_[called->worker.index];
    slot.wanted = true;
    if (!slot.process.alive && !slot.process.open) {
      plan(now_ + ticks(random_, 3), What::launch, called->worker.index);
    }
  } else if (const auto* replaced = std::get_if<ReplaceWorker>(&action)) {
    slots_[replaced->life.worker.index].wanted = !replaced->relieved;
    stop(slots_[replaced->life.worker.index]);
  } else if (const auto* stopped = std::get_if<StopWorker>(&action)) {
    slots_[stopped->life.worker.index].wanted = false;
    stop(slots_[stopped->life.worker.index]);
  } else if (const auto* dismissed = std::get_if<DismissWorker>(&action)) {
    Slot& slot = slots_[dismissed->life.worker.index];
    slot.wanted = false;
    slot.process.input_closed = true;
    leave_if_done(slot.process);
  } else if (const auto* closed = std::get_if<CloseInput>(&action)) {
    if (Process* process = find(closed->life)) {
      process->input_closed = true;
      leave_if_done(*process);
    }
  } else if (std::holds_alternative<EndTasks>(action)) {
    closing_ = true;
  }
}

}  // namespace corral::simulation::tasks
