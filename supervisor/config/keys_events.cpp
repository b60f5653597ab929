// The table, part: what becomes of what happens. "on_event", "crashes".
#include "supervisor/config/forms.hpp"
#include "supervisor/config/keys.hpp"
#include "supervisor/config/object_form.hpp"
#include "supervisor/core/event_names.hpp"

namespace corral::config {
namespace {

using core::CrashFiles;
using core::EventHook;

Form<std::vector<std::string>> events_form() {
  std::vector<Choice<std::string_view>> names;
  for (const std::string_view name : core::notice_names) {
    names.push_back({name, name});
  }
  for (const std::string_view name : core::shell_event_names) {
    names.push_back({name, name});
  }
  Form<std::string> one =
      converted<std::string>(choice<std::string_view>(std::move(names)), [](std::string_view name) { return std::string(name); });
  return list_of<std::string>(std::move(one), "a list of events", {.least = 1, .unique = true});
}

}  // namespace

Form<std::optional<EventHook>> on_event_form() {
  return converted<std::optional<EventHook>>(
      object_form<EventHook>(
          "A hook",
          "A command that gets each event as one JSON object on its stdin, one after the other and never two at once. It is no "
          "worker: nothing waits for it, and nothing follows from how it ends. Events that come faster than it ends wait, 256 at "
          "most; further ones are dropped and counted. Its stdout is /dev/null, its stderr is the supervisor's. When everything "
          "has stopped it has two seconds for the last events.",
          {field<EventHook>("command", [](auto& hook) -> auto& { return hook.command; }, command_form,
                            {.meaning = "The program and its arguments, `${VAR}` filled in. No shell is in between.",
                             .example = R"(["./notify", "--channel", "ops"])",
                             .required = true}),
           field<EventHook>("events", [](auto& hook) -> auto& { return hook.events; }, events_form,
                            {.meaning = "Which events it is told of.",
                             .example = R"(["worker_ended", "launch_failed", "program_failed"])",
                             .otherwise = "all"}),
           field<EventHook>(
               "timeout", [](auto& hook) -> auto& { return hook.timeout; }, [] { return duration(Zero::refused); },
               {.meaning = "What takes longer is killed, with all that it has started.", .example = R"("30s")"})}),
      [](EventHook hook) { return std::optional(std::move(hook)); });
}

Form<std::optional<CrashFiles>> crashes_form() {
  return converted<std::optional<CrashFiles>>(
      object_form<CrashFiles>(
          "Crash records",
          "Each end of a worker that was neither a success nor asked for leaves a file: how it ended, what it used, its last "
          "lines "
          "on stderr, and what follows.",
          {field<CrashFiles>(
               "folder", [](auto& crashes) -> auto& { return crashes.folder; }, [] { return expandable_string("a path", 1); },
               {.meaning =
                    "Where the files go; made if it is not there. Where it is not absolute it is meant from the folder of the "
                    "configuration file. `${VAR}` is filled in.",
                .example = R"("/var/lib/corral/crashes")",
                .required = true}),
           field<CrashFiles>(
               "keep", [](auto& crashes) -> auto& { return crashes.keep; },
               [] {
                 return converted<std::uint32_t>(
                     integer(1, 100'000), [](std::int64_t count) { return static_cast<std::uint32_t>(count); },
                     std::function<std::string(const std::uint32_t&)>([](const std::uint32_t& n) { return std::to_string(n); }));
               },
               {.meaning = "How many; the oldest are removed.", .example = "500"})}),
      [](CrashFiles crashes) { return std::optional(std::move(crashes)); });
}

}  // namespace corral::config
