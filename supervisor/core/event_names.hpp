// What happens, by name: the one list for `--log-format json`, the stream of events, and the hooks of a configuration.
#pragma once

#include <array>
#include <string_view>

#include "supervisor/core/action.hpp"

namespace corral::core {

/// Of the core's notices, in the order of Notice.
inline constexpr std::array<std::string_view, 26> notice_names{
    "worker_started", "worker_ended",      "launch_failed", "worker_stopping", "worker_killed",
    "signal_refused", "worker_unkillable", "worker_gone",   "output_held",     "program_failed",
    "stopping",       "draining",          "killing",       "signal_ignored",  "signal_passed_on",
    "roll_begun",     "roll_ended",        "reloaded",      "scaled",          "trial_passed",
    "trial_ended",    "trial_failed",      "rolled_back",   "left_behind",     "internal_error",
    "finished"};
static_assert(std::variant_size_v<Notice> == notice_names.size());

[[nodiscard]] inline std::string_view name(const Notice& notice) { return notice_names.at(notice.index()); }

/// Of what the shell has to say by itself. (tests/lint finds any that is missing here.)
inline constexpr std::array<std::string_view, 34> shell_event_names{
    "degraded",       "note",         "reload_failed",  "rollback_failed", "reader_gone",
    "lines_dropped",  "crashes_lost", "events_dropped", "history_dropped", "client_refused",
    "log_failed",     "log_resumed",  "log_stalled",    "log_caught_up",   "log_lost",
    "log_removed",    "no_feed",      "tasks_ended",    "task_retried",    "task_quarantined",
    "results_wait",   "results_lost", "report_failed",  "summary",         "way_on",
    "progress",       "halted",       "miscounted",     "input_failed",    "output_failed",
    "channel_broken", "no_answer",    "state",          "client_gone"};

/// What a hook does badly is not told to a hook.
inline constexpr std::array<std::string_view, 3> hook_event_names{"hook_failed", "hook_works", "hook_events_dropped"};

}  // namespace corral::core
