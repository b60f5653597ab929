"""The planted mistakes in what commands do: one rule each, broken by the smallest change."""

CARRIED = "supervisor/core/commands.cpp"
WORKERS = "supervisor/core/commands_workers.cpp"
SUPERVISOR = "supervisor/core/supervisor.cpp"
LIFECYCLE = "supervisor/core/lifecycle.cpp"
RELOAD = "supervisor/core/reload.cpp"
TRIAL = "supervisor/core/trial.cpp"
ROLLING = "supervisor/core/rolling.cpp"

COMMANDS = [
    ("who is stopped by hand stays down", WORKERS, "    set_held(worker, true);\n", ""),
    ("who is held down may be wanted again", SUPERVISOR, "!stay_ && kept_down_ == 0 &&", "!stay_ &&"),
    ("a stop is said to be done when it is", CARRIED, "return !is_settled(now) ? waits : worker", "return worker"),
    ("who rolls has to stay", CARRIED, "|| now_ >= target.settled_at ? is_true : waits;", "|| true ? is_true : waits;"),
    ("a settled one is looked at", SUPERVISOR, "  commands_moved_ = !commands_.empty();\n", ""),
    ("the time to settle is a deadline", SUPERVISOR, "heard_.next(), next_settled()});", "heard_.next()});"),
    ("a reload that comes too late is answered", RELOAD,
     "return answer(event.asked_by, {CommandOutcome::Kind::stopping});", "return;"),
    ("a command that comes too late does nothing", CARRIED, "  if (phase_ != Phase::running && !is_for_a_stop(event.command)) {\n", "  if (false) {\n"),
    ("a start during a stop is followed", WORKERS, "      worker.outdated = worker.told_again = true;  // Its", "      // Its"),
    ("a restart stops what runs", WORKERS, "      if (anew) {\n", "      if (false) {\n"),
    ("a worker that changes is looked at", LIFECYCLE, "  commands_moved_ = commands_moved_ || worker.watched;\n", ""),
    ("the next of a rolling restart goes", CARRIED, "  admit_rolling(command);\n}\n\nSupervisor::Progress", "}\n\nSupervisor::Progress"),
    ("an answer is given once", CARRIED,
     "        commands_.erase(commands_.begin() + static_cast<std::ptrdiff_t>(i));\n", "        ++i;\n"),
    ("who is started after a failure is no longer of a failed program", WORKERS, "    program.failed = false;\n", ""),
    ("who leaves gives up his place", CARRIED, "    abandoned->asked_by.reset();\n", ""),
    ("what nobody waits for is let go of", CARRIED,
     "(command.targets.empty() || !is_followed)", "command.targets.empty()"),
    ("a restart goes on without its client", CARRIED,
     "command.queued.empty() && !is_lost && (command.targets.empty() || !is_followed)",
     "!is_lost && ((command.queued.empty() && command.targets.empty()) || !command.asked_by)"),
    ("a shutdown shuts down", CARRIED, "    begin_shutdown({StopCause::Kind::command, 0});\n", ""),
    ("a scaled program has no more workers than that", RELOAD,
     "  worker.retired = true;\n  worker.wanted_up = false;\n  let_go(worker);\n  touched_", "  worker.wanted_up = false;\n  let_go(worker);\n  touched_"),
    ("a trial goes on without its client", CARRIED, "command.asked_by || command.trial || command.rolling;", "command.asked_by || command.rolling;"),
    ("who is on trial has to become healthy", RELOAD, ": on_trial ? CommandTarget::Until::settles\n", ": on_trial ? CommandTarget::Until::runs\n"),
    ("how long that takes is said by the program", RELOAD,
     "    pending.targets.back().healthy_after = program.plan.spec.restart.healthy_after;\n", ""),
    ("a lost trial asks for the configuration before", TRIAL, "  act(RestoreConfiguration{command.trial->id});\n", ""),
    ("what is wanted back is waited for", SUPERVISOR, " && !awaits_restoration();", ";"),
    ("what cannot come back is no longer waited for", TRIAL,
     "    found->trial.reset();  // The new one stays, such as it is: whoever asked for it is told who failed.\n", ""),
    ("a trial that was succeeded asks for nothing", TRIAL, "  earlier.trial.reset();\n  earlier.targets.clear();\n", ""),
    ("whoever asked for what was rolled back is told", TRIAL, "    next.asked_by = std::exchange(earlier.asked_by, {});\n", ""),
    ("only who is to blame ends a trial", CARRIED, "if (failed && command.trial && !lost && is_to_blame(target)) {",
     "if (failed && command.trial && !lost) {"),
    ("who rolls has to become healthy", ROLLING, "after(after(worker->ran_since, target.healthy_after), target.pause)", "after(worker->ran_since, target.pause)"),
    ("a pause comes on top", ROLLING, "after(after(worker->ran_since, target.healthy_after), target.pause)", "after(worker->ran_since, target.healthy_after)"),
    ("nobody seems to be wanted once everything has ended", CARRIED, "      worker->wanted_up = false;  // Or", "      // Or"),
    ("who comes back is started", RELOAD, "      worker.retired = false;\n      ++(returns", "      ++(returns"),
]
