// What workers do with what they are given, and what they should not.
#include <algorithm>

#include "tests/simulation/tasks/staff.hpp"

namespace corral::simulation::tasks {

using namespace core;

void Staff::begin(Process& process) {
  if (process.working || process.inbox.empty() || !process.alive) {
    return;
  }
  const Misdeeds& misdeeds = scenario_.misdeeds;
  const std::uint32_t worker = process.life.worker.index;
  process.working = true;
  if (scenario_.marks) {
    process.at = happens(misdeeds.forged) ? some_task() : process.inbox.front();
  }
  ++process.piece;
  const auto longest = static_cast<double>(scenario_.longest_task.count());
  // Often exactly as long as it may take at most: its end and its timeout meet.
  Duration takes = scenario_.longest_task < 1ms ? Duration(static_cast<Duration::rep>(longest * random_.fraction()))
                                                : ticks(random_, static_cast<std::uint32_t>(scenario_.longest_task / 1ms));
  if (scenario_.policy.timeout && chance(random_, 0.1)) {
    takes = *scenario_.policy.timeout;
  }
  const bool poisonous =
      misdeeds.poison > 0 && core::Random(number(process.inbox.front()) ^ scenario_.seed).fraction() < misdeeds.poison;
  if (poisonous || happens(misdeeds.dies_at_work)) {
    plan(now_ + takes, What::die, worker);
  } else if (happens(misdeeds.hangs)) {
    plan(now_ + 200ms, What::die, worker);  // Somebody loses patience with it in the end.
  } else {
    plan(now_ + takes, What::finish, worker);
  }
  if (happens(misdeeds.progress)) {
    plan(now_ + takes / 2, What::mischief, worker);
  }
}

void Staff::finish(Process& process) {
  const Misdeeds& misdeeds = scenario_.misdeeds;
  process.working = false;
  std::size_t done = 0;
  if (process.inbox.size() > 1 && happens(misdeeds.out_of_order)) {
    done = pick(random_, static_cast<std::uint32_t>(process.inbox.size()));
  }
  const TaskId task = process.inbox[done];
  process.inbox.erase(process.inbox.begin() + static_cast<std::ptrdiff_t>(done));
  hand_in(process, task, happens(misdeeds.errors) ? Answer::error : Answer::result);
  if (happens(misdeeds.duplicates)) {
    hand_in(process, task, Answer::result);
  }
  if (happens(misdeeds.dies_after_answer)) {
    if (happens(misdeeds.loses_answers)) {
      process.written.clear();
    }
    return die(process);
  }
  begin(process);
  if (!process.working) {
    process.at.reset();
  }
  leave_if_done(process);
}

void Staff::hand_in(Process& process, TaskId task, Answer answer) {
  const TaskAnswered message{process.life, task, answer};
  if (scenario_.holds_back == 1) {
    return write(process, message);
  }
  process.held.emplace_back(message);
  if (process.held.size() >= scenario_.holds_back || (scenario_.policy.greets && process.inbox.empty())) {
    let_go(process);
  } else if (process.inbox.empty()) {
    plan(now_ + 1ms, What::starve, process.life.worker.index);
  }
}

void Staff::let_go(Process& process) {
  for (; !process.held.empty(); process.held.pop_front()) {
    write(process, process.held.front());
  }
}

void Staff::write(Process& process, const TaskEvent& message) {
  process.written.push_back(message);
  if (process.written.size() == 1) {
    plan(now_ + (chance(random_, 0.6) ? 0ms : ticks(random_, 3)), What::read, process.life.worker.index);
  }
}

/// It waits for more before it says what it has; somebody looks at that now and then, ever more rarely.
void Staff::starve(Process& process, std::vector<TaskEvent>& told) {
  if (!process.inbox.empty() || process.held.empty() || process.input_closed || process.stopping) {
    return;
  }
  told.emplace_back(WorkerStarved{process.life});
  plan(now_ + 1ms * (1U << std::min(++process.waited, 7U)), What::starve, process.life.worker.index);
}

void Staff::do_mischief(Process& process, std::vector<TaskEvent>& told) {
  const Misdeeds& misdeeds = scenario_.misdeeds;
  const Life life = process.life;
  if (happens(misdeeds.garbage)) {
    write(process, ChannelBroken{life, process.at, chance(random_, 0.3)});
  }
  if (happens(misdeeds.unasked_cancel)) {
    write(process, TaskAnswered{life, process.inbox.empty() ? some_task() : process.inbox.back(), Answer::given_back});
  }
  if (process.greeted && !process.resigned && happens(misdeeds.resigns)) {
    resign(process);
  }
  if (happens(misdeeds.forged)) {
    told.emplace_back(TaskAnswered{life, some_task(), Answer::result});
    // In the name of a life that is over, or of one that has yet to come, or of a worker that does not exist.
    const Life other{WorkerId{life.worker.program, pick(random_, 6)}, Incarnation{pick(random_, 4)}};
    if (other != life) {
      const bool known = other.worker.index < slots_.size() && slots_[other.worker.index].process.life == other;
      told.emplace_back(known ? TaskEvent(TaskProgressed{other, some_task()}) : TaskAnswered{other, some_task(), Answer::error});
    }
  }
  if (scenario_.policy.greets && happens(misdeeds.forged)) {
    write(process, WorkerGreeted{life});  // Once more, or before its time.
  }
  if (happens(misdeeds.progress)) {
    const TaskId task = process.inbox.empty() || chance(random_, 0.2) ? some_task() : process.inbox.front();
    told.emplace_back(TaskProgressed{life, task});
  }
  if (!process.working && happens(misdeeds.dies_idle)) {
    return die(process);
  }
  if (chance(random_, 0.6)) {
    plan(now_ + 1ms + ticks(random_, 30), What::mischief, life.worker.index);
  }
}

/// Any of those that exist, and sometimes one that does not.
TaskId Staff::some_task() { return TaskId{pick(random_, static_cast<std::uint32_t>(seen_) + 3)}; }

void Staff::take_back(Process& process, TaskId task) {
  const auto found = std::ranges::find(process.inbox, task);
  const bool in_work = process.working && !process.inbox.empty() && found == process.inbox.begin();
  if (found == process.inbox.end() || happens(scenario_.misdeeds.ignores_recall)) {
    return;  // Its answer is on its way, or it knows nothing of this.
  }
  process.inbox.erase(found);
  if (in_work) {
    process.working = false;  // It stops, and says so.
    hand_in(process, task, Answer::error);
    begin(process);
  } else {
    write(process, TaskAnswered{process.life, task, Answer::given_back});
  }
}

void Staff::die(Process& process) {
  process.alive = process.working = false;
  const bool slow = happens(scenario_.misdeeds.slow_reaping);
  plan(now_ + (slow ? ticks(random_, 20) : 0ms), What::lose, process.life.worker.index);
}

/// It says that it goes, with tasks that it has not begun or of which it does not know yet.
void Staff::resign(Process& process) {
  process.inbox.clear();
  process.working = false;
  process.resigned = true;
  ++process.piece;
  write(process, WorkerResigned{process.life});
  if (!happens(scenario_.misdeeds.ignores_dismissal)) {
    plan(now_ + ticks(random_, 5), What::die, process.life.worker.index);
  }
}

/// Its input has ended: it says what it has, and goes.
void Staff::leave_if_done(Process& process) {
  if (!process.input_closed || !process.alive || !process.inbox.empty()) {
    return;
  }
  let_go(process);
  if (!happens(scenario_.misdeeds.ignores_dismissal)) {
    plan(now_ + ticks(random_, 5), What::die, process.life.worker.index);
  }
}

}  // namespace corral::simulation::tasks
