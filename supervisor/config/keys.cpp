#include "supervisor/config/keys.hpp"

#include "common/base/units.hpp"
#include "supervisor/config/forms.hpp"
#include "supervisor/config/object_form.hpp"

namespace corral::config {
namespace {

using core::ProgramSpec;
using core::StopPolicy;
using core::SupervisorSpec;

constexpr std::size_t most_programs = 1000;
constexpr std::size_t longest_program_name = 64;

template <class T, class From>
Form<std::optional<T>> optional(Form<From> form) {
  return converted<std::optional<T>>(std::move(form), [](From value) { return std::optional(static_cast<T>(value)); });
}

Form<StopPolicy> stop_form() {
  return object_form<StopPolicy>(
      "Stopping",
      "What a worker gets when it shall end: this signal to its whole process group (SIGCONT follows, for "
      "stopped ones), SIGKILL when the grace is over.",
      {field<StopPolicy>(
           "signal", [](auto& stop) -> auto& { return stop.signal; }, [] { return signal(); },
           {.meaning = "The signal that asks it to end.", .example = R"("INT")"}),
       field<StopPolicy>(
           "grace", [](auto& stop) -> auto& { return stop.grace; }, [] { return duration(Zero::allowed); },
           {.meaning = "So long it may take to clean up.", .example = R"("30s")"})});
}

/// The kernel refuses what is longer, at every launch anew.
void check_sizes(const ProgramSpec& program, const Value& value, Context& context) {
  constexpr std::size_t pointer_size = sizeof(char*);
  std::size_t total = 0;
  for (const std::string& argument : program.launch.command) {
    total += argument.size() + 1 + pointer_size;
  }
  for (const auto& [name, text] : program.launch.environment) {
    total += name.size() + text.size() + 2 + pointer_size;
    if (name.size() + text.size() + 2 > longest_argument) {
      const Value* environment = value.find("environment");
      const Value* variable = environment != nullptr ? environment->find(name) : nullptr;
      context.report.add_beyond_schema(
          variable != nullptr ? variable->key_range : value.range,
          fmt::format("name and value together are longer than the kernel takes ({} bytes)", longest_argument - 1),
          "hand the value over in a file");
    }
  }
  if (total > longest_command_line) {
    context.report.add_beyond_schema({value.range.begin, value.range.begin + 1},
                                     fmt::format("command and environment together are {} bytes; the kernel takes at "
                                                 "most {}",
                                                 total, longest_command_line),
                                     "hand long lists over in a file");
  }
}

void check_program(const ProgramSpec& program, const Value& value, Context& context) {
  check_sizes(program, value, context);
  if (const Value* restart = value.find("restart"); program.tasks && restart != nullptr) {
    context.report.add_beyond_schema(
        restart->key_range, "\"restart\" means nothing beside \"tasks\"",
        "workers are replaced as their tasks need it: see \"retries\" and \"max_tasks\" in \"tasks\"");
  }
  if (const Value* tasks = value.find("tasks"); program.tasks && tasks != nullptr) {
    check_tasks(program, *tasks, context);
  }
}

std::vector<Field<ProgramSpec>> launch_fields() {
  return {
      field<ProgramSpec>("command", [](auto& program) -> auto& { return program.launch.command; }, command_form,
                         {.meaning = "The program and its arguments. No shell is in between. `${VAR}` and the "
                                     "placeholders `{index}`, `{workers}`, `{program}`, `{cores}` are filled in.",
                          .example = R"(["python3", "crunch.py", "--shard", "{index}/{workers}"])",
                          .required = true}),
      field<ProgramSpec>("workers", [](auto& program) -> auto& { return program.launch.workers; }, workers_form,
                         {.meaning = "How many; `\"auto\"` is one for every core that this process may really use: "
                                     "its affinity mask, cut down to its CPU quota.",
                          .example = R"("auto")"}),
      field<ProgramSpec>("cores", [](auto& program) -> auto& { return program.launch.cores; }, cores_form,
                         {.meaning = "Where they run: each on cores of its own, wherever the kernel likes, or on the "
                                     "CPUs of a list.",
                          .example = R"("0-3,8")",
                          .otherwise = "`\"separate\"` with more than one worker, else `\"shared\"`"}),
      field<ProgramSpec>("restart", [](auto& program) -> auto& { return program.restart; }, restart_form,
                         {.meaning = "What follows when a worker ends. A word stands for the object with that `when` "
                                     "and the defaults.",
                          .example = R"({"when": "always", "delay": "100ms", "limit": {"restarts": 10, "within": "60s"}})"}),
      field<ProgramSpec>("stop", [](auto& program) -> auto& { return program.stop; }, stop_form,
                         {.meaning = "How a worker is asked to end.",
                          .example = R"({"signal": "TERM", "grace": "10s"})",
                          .otherwise = "the defaults of its keys"}),
      field<ProgramSpec>("log", [](auto& program) -> auto& { return program.log; }, log_form,
                         {.meaning = "Where its output goes.",
                          .example = R"({"to": "file", "rotate": {"size": "100MB", "keep": 10}})",
                          .otherwise = "corral's own stdout and stderr"}),
      field<ProgramSpec>(
          "tasks", [](auto& program) -> auto& { return program.tasks; }, tasks_form,
          {.meaning = "Its workers are fed with the lines of a file. `restart` means nothing beside it: workers are "
                      "replaced as their tasks need it.",
           .example = R"({"from": "tasks.jsonl", "to": "results.jsonl"})",
           .otherwise = "they find their work themselves"}),
      field<ProgramSpec>(
          "start_timeout", [](auto& program) -> auto& { return program.start_timeout; }, [] { return duration(Zero::refused); },
          {.meaning = "How long a launch may hang before the program executes (a dead network file "
                      "system does that); then it counts as failed.",
           .example = R"("5s")"})};
}

std::vector<Field<ProgramSpec>> surrounding_fields() {
  const auto inherited = "the supervisor's own";
  return {
      field<ProgramSpec>("environment", [](auto& program) -> auto& { return program.launch.environment; }, environment_form,
                         {.meaning = "Variables for the worker, before all that it inherits. `${VAR}` and placeholders "
                                     "are filled in as in `command`. Names that begin with `CORRAL_` are reserved.",
                          .example = R"({"MODE": "fast", "DATA": "${HOME}/data"})",
                          .otherwise = "nothing is added"}),
      field<ProgramSpec>("inherit_environment", [](auto& program) -> auto& { return program.launch.inherit_environment; },
                         inheritance_form,
                         {.meaning = "Which of the supervisor's own variables a worker gets: all, none, or those named.",
                          .example = R"(["PATH", "HOME", "LANG"])"}),
      field<ProgramSpec>(
          "directory", [](auto& program) -> auto& { return program.launch.directory; },
          [] { return expandable_string("a path", 1); },
          {.meaning = "Where the worker starts. `${VAR}` and placeholders are filled in.",
           .example = R"("/srv/crunch")",
           .otherwise = inherited}),
      field<ProgramSpec>(
          "user", [](auto& program) -> auto& { return program.launch.user; }, [] { return account("user"); },
          {.meaning = "Whose rights the worker has. Needs a supervisor that runs as root.",
           .example = R"("nobody")",
           .otherwise = inherited}),
      field<ProgramSpec>(
          "group", [](auto& program) -> auto& { return program.launch.group; }, [] { return account("group"); },
          {.meaning = "Its primary group.", .example = R"("nogroup")", .otherwise = "the user's own"}),
      field<ProgramSpec>("limits", [](auto& program) -> auto& { return program.launch.limits; }, limits_form,
                         {.meaning = "Resource limits of each worker.",
                          .example = R"({"nofile": 4096, "as": "4GiB", "core": "unlimited"})",
                          .otherwise = inherited}),
      field<ProgramSpec>(
          "nice", [](auto& program) -> auto& { return program.launch.nice; }, [] { return optional<int>(integer(-20, 19)); },
          {.meaning = "Scheduling priority; 19 is the nicest to others.", .example = "10", .otherwise = inherited}),
      field<ProgramSpec>(
          "umask", [](auto& program) -> auto& { return program.launch.umask; }, [] { return optional<int>(file_mode_mask()); },
          {.meaning = "Which permissions new files lack.", .example = R"("027")", .otherwise = inherited}),
      field<ProgramSpec>(
          "oom_score_adj", [](auto& program) -> auto& { return program.launch.oom_score_adj; },
          [] { return optional<int>(integer(-1000, 1000)); },
          {.meaning =
               "How readily the kernel kills the worker, and all that it starts, when memory runs out; 1000 is first. It "
               "is set a few milliseconds after the worker's first instruction; what it has started by then gets it within "
               "about a tenth of a second, unless it has set one itself.",
           .example = "500",
           .otherwise = "10 more than the supervisor's own"}),
      field<ProgramSpec>(
          "no_new_privileges", [](auto& program) -> auto& { return program.launch.no_new_privileges; }, [] { return boolean(); },
          {.meaning = "The worker cannot gain rights by set-user-ID programs such as sudo.", .example = "false"})};
}

Form<ProgramSpec> program_form() {
  std::vector<Field<ProgramSpec>> fields = launch_fields();
  std::ranges::move(surrounding_fields(), std::back_inserter(fields));
  return object_form<ProgramSpec>(
      "A program",
      "A command and its policy. Its name has 1 to 64 of the characters `A-Z a-z 0-9 _ . -` and does not "
      "begin with a dot or a dash. Programs start in the order of the file.",
      std::move(fields), check_program);
}

std::optional<std::string> refuse_program_name(std::string_view name) {
  constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
  if (!name.empty() && name.size() <= longest_program_name && name.find_first_not_of(allowed) == std::string_view::npos &&
      name.front() != '.' && name.front() != '-') {
    return std::nullopt;
  }
  return fmt::format("{} cannot be the name of a program: 1 to {} of A-Z a-z 0-9 _ . -, not a dot or a dash first",
                     in_quotes(name), longest_program_name);
}

Form<std::vector<ProgramSpec>> programs_form() {
  using Named = std::vector<std::pair<std::string, ProgramSpec>>;
  return converted<std::vector<ProgramSpec>>(
      names_form<ProgramSpec>("an object: a program under each name", {"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$", refuse_program_name},
                              program_form(), 1, most_programs),
      [](Named named) {
        std::vector<ProgramSpec> programs;
        for (auto& [name, program] : named) {
          program.name = name;
          programs.push_back(std::move(program));
        }
        return programs;
      });
}

/// "$schema" is for editors: it is checked and forgotten.
Field<SupervisorSpec> schema_field() {
  const auto form = shared(plain_string("a string"));
  Field<SupervisorSpec> field =
      plain_field<SupervisorSpec>("$schema", [form] { return form->words; },
                                  {.meaning = "Where editors find the JSON Schema; corral itself does not read it.",
                                   .example = R"("./corral.schema.json")",
                                   .otherwise = "nothing"},
                                  {});
  field.schema = form->schema;
  field.read = [form](SupervisorSpec&, const Value& value, Context& context) { std::ignore = decode(*form, value, context); };
  return field;
}

Form<SupervisorSpec> build() {
  using core::Containment;
  return object_form<SupervisorSpec>(
      "The configuration", "The outermost object.",
      {schema_field(),
       field<SupervisorSpec>("programs", [](auto& spec) -> auto& { return spec.programs; }, programs_form,
                             {.meaning = "What is supervised: one to a thousand programs.",
                              .example = R"({"crunch": {"command": ["python3", "crunch.py"], "workers": "auto"}})",
                              .required = true}),
       field<SupervisorSpec>(
           "stay", [](auto& spec) -> auto& { return spec.stay; }, [] { return boolean(); },
           {.meaning = "Keep running when every program has finished.", .example = "true"}),
       field<SupervisorSpec>(
           "containment", [](auto& spec) -> auto& { return spec.containment; },
           [] {
             return choice<Containment>(
                 {{"auto", Containment::automatic}, {"cgroup", Containment::cgroup}, {"subreaper", Containment::subreaper}});
           },
           {.meaning = "How descendants that left their worker are found and ended: by "
                       "adopting and sweeping them, and with a cgroup for all workers together where one "
                       "can be written. `\"cgroup\"` insists on it, `\"subreaper\"` does without.",
            .example = R"("subreaper")"}),
       field<SupervisorSpec>("control", [](auto& spec) -> auto& { return spec.control; }, control_form,
                             {.meaning = "The socket that it is commanded by.",
                              .example = R"({"socket": "/run/crunch.sock"})",
                              .otherwise = "a socket in the default place"}),
       field<SupervisorSpec>("reload", [](auto& spec) -> auto& { return spec.reload; }, reload_form,
                             {.meaning = "How this configuration takes the place of another one.",
                              .example = R"({"rollback": true})",
                              .otherwise = "for good"}),
       field<SupervisorSpec>("on_event", [](auto& spec) -> auto& { return spec.on_event; }, on_event_form,
                             {.meaning = "A command that is told of what happens.",
                              .example = R"({"command": ["./notify"], "events": ["worker_ended", "program_failed"]})",
                              .otherwise = "nobody is told"}),
       field<SupervisorSpec>("crashes", [](auto& spec) -> auto& { return spec.crashes; }, crashes_form,
                             {.meaning = "Where the record of each abnormal end goes.",
                              .example = R"({"folder": "/var/lib/corral/crashes", "keep": 500})",
                              .otherwise = "the latest are kept in memory alone"})});
}

}  // namespace

const Form<SupervisorSpec>& configuration_form() {
  static const auto* const form = new Form<SupervisorSpec>(build());  // Never destroyed: an exit need not wait for it.
  return *form;
}

const std::vector<std::string>& rules_beyond_schema() {
  static const std::vector<std::string> rules{
      "A key stands only once in an object.",
      "A variable without a default is set in the supervisor's environment.",
      fmt::format("An argument, once its variables are filled in, is shorter than {} bytes, and so is a variable with its "
                  "name; command and environment together are at most {} bytes.",
                  longest_argument, longest_command_line),
      "The program to run and the directory are not empty once variables are filled in.",
      "A duration is at most 10 years, a size at most 2^63-1 bytes (`max_payload` from 1024 to 2^32-1), "
      "a user or group number at most 4294967294.",
      "`max_delay` is not shorter than `delay`.",
      "`restart` does not stand beside `tasks`.",
      "In `tasks`, `tag` goes with `raw` and without `state`, `shuf` without `ordered`; "
      "with `{}` in the command neither `lines` nor `max_tasks`, `max_memory` and `max_age` stand.",
      "`listen` does not stand without `token_file`; the numbers of its address are at most 255, its port at most 65535.",
      "Beside `log` to no file nothing is said of one.",
      "A soft limit is not above the hard one.",
      fmt::format("A CPU in a list is at most {}, and a range does not go backwards.", core::CpuSet::highest),
      "A real-time signal exists on the machine."};
  return rules;
}

}  // namespace corral::config
