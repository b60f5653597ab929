"""The planted mistakes that no simulation sees, since it does not look for them: a sequence of events that is told in
tests/unit/core does."""

EXPLAIN = "supervisor/core/explain.cpp"
RELOAD = "supervisor/core/reload.cpp"
ROLLING = "supervisor/core/rolling.cpp"
TRIAL = "supervisor/core/trial.cpp"
PLAN = "supervisor/core/plan_changes.cpp"
WORKERS = "supervisor/core/commands_workers.cpp"

TOLD = [
    ("who has proven itself is healthy", ROLLING, "  if (worker->proven) {\n", "  if (false) {\n"),
    ("who was healthy and fails ends the roll", ROLLING, "    command.replaced.push_back(id);\n", ""),
    ("to end well is no failure", ROLLING, "(follows == Verdict::Kind::restart && !well)", "follows == Verdict::Kind::restart"),
    ("who is restarted by hand is out of the roll", WORKERS, "  worker.in_a_roll = false;\n", ""),
    ("a scaling tells of its program alone", RELOAD, "      counts.kept = kept;\n", ""),
    ("a plan leaves down who was stopped", PLAN, "found->second ? WorkerChange::Kind::keep : WorkerChange::Kind::start", "WorkerChange::Kind::start"),
    ("a plan restarts nobody who does not run", PLAN, "if (worker.held || !has_process(kind(worker.state))) {", "if (worker.held) {"),
    ("a stop is told of as it is by now", EXPLAIN, "now == sent->why ? what_for(now) : what_since(now)", "what_for(sent->why)"),
    ("only our own SIGKILL is called that", EXPLAIN, "|| sent->life.incarnation != ended.life.incarnation) {", ") {"),
    ("who has failed is to blame in the next trial too", TRIAL, "if (now == StateKind::failed || now == StateKind::backoff) {",
     "if (now == StateKind::backoff) {"),
    ("the end of a trial says what has ended it", TRIAL, "end_trial(earlier, TrialEnded::Why::reloaded);",
     "end_trial(earlier, TrialEnded::Why::told_otherwise);"),
    ("who has left is followed to the end of his rolling restart", "supervisor/core/commands.cpp",
     "command.asked_by || command.trial || command.rolling;", "command.asked_by || command.trial;"),
    ("rolling restarts that nobody waits for do not pile up", "supervisor/core/commands.cpp",
     "if (!pending.asked_by && pending.rolling && touched != pending.targets.end()) {", "if (false) {"),
    ("what a rolling restart leaves is counted", ROLLING,
     "  command.outcome.left += static_cast<std::uint32_t>(command.queued.size());\n", ""),
    ("an end is not judged by rules that came later", EXPLAIN, "      if (is_judged_so) {\n", "      if (true) {\n"),
    ("a reload that leaves the rules is not in the story", EXPLAIN, "at > end && !same_rules) {", "at > end) {"),
    ("a plan says who does not run anyway", PLAN, "} else if (change.kind == WorkerChange::Kind::stop) {", "} else if (false) {"),
    ("who is told to stay down is not said to come back", "supervisor/core/lifecycle.cpp", "comes_back = worker.outdated && worker.wanted_up;", "comes_back = worker.outdated;"),
    ("a stop may be waited for while everything stops", "supervisor/core/commands.cpp", "!is_for_a_stop(event.command)) {", "true) {"),
    ("a life that a command has begun says so", "supervisor/core/commands_workers.cpp",
     "anew ? StartWhy::restarted : StartWhy::asked;", "StartWhy::restarted;"),
    ("a life that the policy has begun says so", "supervisor/core/life_end.cpp", "      worker.start_why = StartWhy::restart;\n", ""),
    ("a life of another definition says so", "supervisor/core/life_end.cpp",
     "verdict.kind == Verdict::Kind::restarted ? StartWhy::restarted : StartWhy::replaced;", "StartWhy::restarted;"),
    ("a life that a reload has begun says so", "supervisor/core/reload.cpp", "        worker.start_why = StartWhy::configured;\n", ""),
    ("a start that changes nothing ends no rolling restart", "supervisor/core/commands.cpp", "  std::erase_if(moved, will_do);\n", ""),
    ("incarnations go on after a worker has come back", "supervisor/core/reload.cpp", "    program.left[index] = program.workers.back().incarnation;\n", ""),
    ("each worker counts its own lives", "supervisor/core/reload.cpp", "program.left[index] : Incarnation{};", "program.left[index] : program.left.empty() ? Incarnation{} : program.left.back();"),
    ("a roll of one program says whose it is", "supervisor/core/commands.cpp",
     "      pending.rolling->program = command.workers.front().program;\n", ""),
    ("who is led passes SIGINT on", "supervisor/core/signals.cpp", "options_.led && phase_ == Phase::running && event.signal == SIGINT", "false"),
    ("who is led does not decide about the end", "supervisor/core/signals.cpp",
     "options_.led && phase_ == Phase::running && (event.signal == SIGTERM", "false && (event.signal == SIGTERM"),
    ("who is led and stops is no longer led", "supervisor/core/signals.cpp",
     "options_.led && phase_ == Phase::running && (event.signal == SIGTERM", "options_.led && (event.signal == SIGTERM"),
]
