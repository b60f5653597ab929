#include <CLI/CLI.hpp>

#include "supervisor/cli/control_line.hpp"
#include "supervisor/cli/events.hpp"
#include "supervisor/cli/values.hpp"

namespace corral::cli {
namespace {

constexpr const char* events_about = R"(Show what has happened to workers and programs, and why: the supervisor's own words.

  corral events                            the last 100
  corral events -f crunch                  and go on with what happens to crunch and its workers
  corral events --event worker_ended --json 'web/*'
  corral events -f --json | jq .           one object a line, docs/guide/events.md says what stands in it

The supervisor remembers the latest 1,024; what is missing is said.

Exit status: 0 (with -f: the supervisor has ended); 2 usage, or nobody of that name; 3 no supervisor answers, or it was killed.)";

constexpr const char* explain_about =
    R"(Tell why a worker is what it is, what comes next and when, and which line of the configuration says so.

  corral explain crunch/1
  corral explain crunch            each worker of crunch
  corral explain crunch/1 --json   with its latest events and its last crash

Of a file that has changed since it was loaded no line is shown.

Exit status: 0; 2 usage, or nobody of that name; 3 no supervisor answers.)";

}  // namespace

void EventsLine::add_to(CLI::App& app, std::string_view word) {
  events_app_ = app.add_subcommand("events", events_about);
  explain_app_ = app.add_subcommand("explain", explain_about);
  if (word == "events") {
    events_app_->add_option("workers", events_.targets,
                            "workers, programs or patterns; otherwise all, and what concerns no one alone");
    events_app_->add_flag("-f,--follow", events_.follow, "go on with what happens");
    events_app_->add_option_function<std::string>(
        "-n,--last",
        [this](const std::string& text) {
          events_.last = text == "all" ? SIZE_MAX : parse_count(text, 0, 1'000'000'000, ", or all");
        },
        "no more than so many of those that have happened, or all (100)");
    events_app_->add_option("-e,--event", events_.events, "of this name alone, such as worker_ended; may be given again")
        ->allow_extra_args(false);
    events_app_->add_flag("--json", events_.json, "one JSON object a line");
    add_whose(*events_app_, events_.whose);
  }
  if (word == "explain") {
    explain_app_->add_option("workers", explain_.targets, "workers, programs or patterns: crunch/1, crunch, '*/0'")->required();
    explain_app_->add_flag("--json", explain_.json, "for programs, one object a line");
    add_whose(*explain_app_, explain_.whose);
  }
}

std::optional<int> EventsLine::run() const {
  if (events_app_->parsed()) {
    return events(events_);
  }
  return explain_app_->parsed() ? std::optional(explain(explain_)) : std::nullopt;
}

}  // namespace corral::cli
