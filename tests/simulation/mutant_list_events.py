"""The planted mistakes in what is said of an end, in the queue of hooks, and in explanations."""

LIFECYCLE = "supervisor/core/lifecycle.cpp"
LIFE_END = "supervisor/core/life_end.cpp"
RESTART = "supervisor/core/restart.cpp"
CRASH = "supervisor/core/crash.cpp"
HOOKS = "supervisor/core/hook_queue.cpp"
EXPLAIN = "supervisor/core/explain.cpp"
NEXT = "supervisor/core/explain_next.cpp"
VIEW = "supervisor/core/view.cpp"

EVENT_MUTANTS = [
    # What is said
    ("an end says whether it was a success", LIFE_END, "const bool success = is_success(program_of(id.program).plan.spec.restart, status);",
     "const bool success = status.exited() != nullptr;"),
    ("an end says how many were unhealthy in a row", LIFE_END, "verdict, success,\n                 worker.unhealthy});",
     "verdict, success,\n                 worker.restarts});"),
    ("a stop says that the program has failed", LIFECYCLE, "  if (program.failed) {\n    return StopWhy::program_failed;",
     "  if (false) {\n    return StopWhy::program_failed;"),
    ("a stop says that the worker leaves", LIFECYCLE, "  if (worker.retired || program.retired) {\n    return StopWhy::retired;", "  if (worker.retired) {\n    return StopWhy::retired;"),
    ("a stop says that another definition follows", LIFECYCLE, "return !comes_back ? StopWhy::asked :", "return true ? StopWhy::asked :"),
    # What is recorded
    ("who fails is recorded", CRASH, "return fault || !end.success;", "return fault;"),
    ("a fault is recorded though a stop was asked for", CRASH, "case Verdict::Kind::replaced: return fault;", "case Verdict::Kind::replaced: return false;"),
    ("who leaves survivors is recorded", CRASH, "case Verdict::Kind::survivors: return true;", "case Verdict::Kind::survivors: return fault;"),
    # Hooks
    ("so many events wait for a hook", HOOKS, "waiting_ >= limits_.waiting", "waiting_ > limits_.waiting"),
    ("a dropped event is counted", HOOKS, "    ++dropped_;\n    return false;", "    return false;"),
    ("hooks run one after another", HOOKS, "if (!runs_ && waiting_ > 0) {", "if (waiting_ > 0) {"),
    ("a hook that takes too long is killed", HOOKS, "kill_at_ = after(now, limits_.timeout);", "kill_at_ = never;"),
    ("a hook has all of its time", HOOKS, "kill_at_ = after(now, limits_.timeout);", "kill_at_ = now;"),
    ("a hook is killed once", HOOKS, "    killed_ = true;\n", ""),
    ("the next hook can be killed too", HOOKS, "  runs_ = false;\n  killed_ = false;", "  runs_ = false;"),
    ("what waits at the end is dropped", HOOKS, "if (waiting_ > 0 && now >= end_at_) {", "if (false) {"),
    ("what is dropped at the end is counted", HOOKS, "    dropped_ += waiting_;\n", ""),
    ("at the end what runs is killed", HOOKS, "now >= std::min(kill_at_, end_at_)", "now >= kill_at_"),
    ("hooks have a short time at the end", HOOKS, "end_at_ = std::min(end_at_, after(now, limits_.at_the_end)); }", "end_at_ = std::min(end_at_, now); }"),
    ("the end does not wait for hooks for ever", HOOKS, "|| now >= after(end_at_, limits_.kill); }", "; }"),
    ("who is in a hurry waits for no hook", HOOKS, "void HookQueue::hurry(Instant now) { end_at_ = std::min(end_at_, now); }",
     "void HookQueue::hurry(Instant) {}"),
    # Explanations
    ("an explanation says when the next start is", NEXT, "out_.next.in = left();", "out_.next.in = Duration::zero();"),
    ("an explanation of a backoff says that a start follows", NEXT, 'next("start");\n  tell_wait();', "tell_wait();"),
    ("an explanation of a backoff names the keys of the wait", NEXT, "  if (unhealthy == 0) {\n    return;", "  if (unhealthy <= 1) {\n    return;"),
    ("an explanation of a kill says what follows", NEXT, '  next("give_up");\n', ""),
    ("what the limit has forgotten is not counted", RESTART, "    if (now - exit < limit.within) {\n      ++use.exits;", "    if (true) {\n      ++use.exits;"),
    ("the use of the limit is that of now", VIEW, "program.window.use(now, *limit)", "program.window.use(now_, *limit)"),
]
