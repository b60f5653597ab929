#include "tests/simulation/tasks/words.hpp"

#include <array>

namespace corral::simulation::tasks {

using namespace core;

namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

std::string of(Life life) { return std::to_string(life.worker.index) + "#" + std::to_string(number(life.incarnation)); }
std::string of(TaskId task) { return "task " + std::to_string(number(task)); }

std::string of(Mishap mishap) {
  static constexpr std::array names{"error", "died", "garbage", "timeout", "unfit"};
  return names[static_cast<std::size_t>(mishap)];
}

std::string of(const TaskAnswered& event) {
  static constexpr std::array names{"result", "error", "given back"};
  return of(event.life) + " " + names[static_cast<std::size_t>(event.answer)] + " of " + of(event.task);
}

std::string of(const RecordTask& action) {
  static constexpr std::array names{"done", "failed", "quarantined"};
  return "record " + of(action.task) + " " + names[static_cast<std::size_t>(action.outcome)] + " after " +
         std::to_string(action.attempts) + " attempts" + (action.mishap ? ": " + of(*action.mishap) : std::string());
}

std::string of(const ReplaceWorker& action) {
  static constexpr std::array names{"timeout", "broken channel", "never greeted", "room for a fresh one"};
  return "replace " + of(action.life) + ": " + names[static_cast<std::size_t>(action.why)] +
         (action.relieved ? ", relieved" : "");
}

}  // namespace

std::string words(const TaskEvent& event) {
  return std::visit(Overloaded{
                        [](const TaskSubmitted& e) { return std::string(e.unfit ? "submitted, unfit" : "submitted"); },
                        [](const InputEnded&) { return std::string("input ended"); },
                        [](const ChannelOpened& e) { return of(e.life) + " opened"; },
                        [](const ChannelClosed& e) { return of(e.life) + " closes its channel"; },
                        [](const TimeLost&) { return std::string("time lost"); },
                        [](const SlotClosed&) { return std::string("slot closed"); },
                        [](const WorkerGreeted& e) { return of(e.life) + " greets"; },
                        [](const TaskAnswered& e) { return of(e); },
                        [](const TaskProgressed& e) { return of(e.life) + " progress of " + of(e.task); },
                        [](const ChannelBroken& e) { return of(e.life) + " writes garbage"; },
                        [](const WorkerStarved& e) { return of(e.life) + " starves"; },
                        [](const WorkerResigned& e) { return of(e.life) + " resigns"; },
                        [](const WorkerLost& e) { return of(e.life) + " lost"; },
                        [](const WorkerMeasured& e) { return of(e.life) + " has " + std::to_string(e.bytes) + " bytes"; },
                        [](const CancelAsked& e) { return "cancel " + of(e.task); },
                        [](const DrainAsked&) { return std::string("drain"); },
                        [](const AbortAsked&) { return std::string("abort"); },
                        [](const TaskDeadlineReached&) { return std::string("deadline"); },
                    },
                    event);
}

std::string words(const TaskAction& action) {
  return std::visit(Overloaded{
                        [](const DeliverTask& a) { return "deliver " + of(a.task) + " to " + of(a.life); },
                        [](const CallWorker& a) { return "call for " + of(a.task); },
                        [](const CallRelief& a) { return "call relief into " + std::to_string(a.worker.index); },
                        [](const RecallTask& a) { return "recall " + of(a.task) + " from " + of(a.life); },
                        [](const RecordTask& a) { return of(a); },
                        [](const TellRetry& a) { return "retry " + of(a.task) + ": " + of(a.mishap); },
                        [](const LeaveTask& a) { return "leave " + of(a.task); },
                        [](const MeasureWorker& a) { return "measure " + of(a.life); },
                        [](const TellBegun& a) { return "tell that " + of(a.task) + " has begun"; },
                        [](const VouchForWorker& a) { return "vouch for " + of(a.life); },
                        [](const ReplaceWorker& a) { return of(a); },
                        [](const DismissWorker& a) { return "dismiss " + of(a.life); },
                        [](const StopWorker& a) { return "stop " + of(a.life); },
                        [](const CloseInput& a) { return "close the input of " + of(a.life); },
                        [](const HaltTasks&) { return std::string("halt"); },
                        [](const EndTasks&) { return std::string("end"); },
                    },
                    action);
}

}  // namespace corral::simulation::tasks
