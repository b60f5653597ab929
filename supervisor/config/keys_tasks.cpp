// The table, part: programs whose workers are fed. "tasks".
#include "supervisor/config/forms.hpp"
#include "supervisor/config/keys.hpp"
#include "supervisor/config/object_form.hpp"

namespace corral::config {
namespace {

using core::TasksSpec;

constexpr std::int64_t most_retries = 1000;
constexpr std::int64_t most_tasks = 4'000'000'000;

template <class T>
Form<std::optional<T>> count(std::int64_t least, std::int64_t most) {
  return converted<std::optional<T>>(integer(least, most),
                                     [](std::int64_t value) { return std::optional(static_cast<T>(value)); });
}

constexpr std::string_view halt_pattern = "^(now|soon),fail=([1-9][0-9]{0,8}|([1-9][0-9]?|100)%)$";

bool is_halt(std::string_view text) {
  const std::string_view prefix = text.starts_with("now,fail=") ? "now,fail=" : "soon,fail=";
  if (!text.starts_with(prefix)) {
    return false;
  }
  text.remove_prefix(prefix.size());
  const bool share = text.ends_with('%');
  text.remove_suffix(share ? 1 : 0);
  const bool number = !text.empty() && digits_of(text) == text.size() && text.front() != '0';
  return number && (share ? text.size() <= 2 || text == "100" : text.size() <= 9);
}

Form<std::string> halt_form() {
  Form<std::string> form = plain_string("when to stop, such as \"soon,fail=3\" or \"now,fail=10%\"");
  form.schema = [] { return fmt::format(R"("type":"string","pattern":{})", json_string(halt_pattern)); };
  form.decode = [words = form.words](const Value& value, Context& context) -> std::optional<std::string> {
    if (is_halt(value.text)) {
      return value.text;
    }
    context.report.add(value.range, fmt::format("expected {}, found {}", words, in_quotes(value.text)));
    return std::nullopt;
  };
  return form;
}

Form<std::string> path_form() { return expandable_string("a path", 1); }

std::vector<Field<TasksSpec>> tasks_way_fields() {
  return {field<TasksSpec>("from", [](auto& tasks) -> auto& { return tasks.from; }, path_form,
                           {.meaning = "The file with a task on each line.", .example = R"("tasks.jsonl")", .required = true}),
          field<TasksSpec>(
              "to", [](auto& tasks) -> auto& { return tasks.to; }, path_form,
              {.meaning = "Where the results go, a line for each task.", .example = R"("results.jsonl")", .required = true}),
          field<TasksSpec>(
              "lines", [](auto& tasks) -> auto& { return tasks.lines; }, [] { return boolean(); },
              {.meaning = "The command is a filter: a line in on stdin, a line out on stdout.", .example = "true"}),
          field<TasksSpec>(
              "raw", [](auto& tasks) -> auto& { return tasks.raw; }, [] { return boolean(); },
              {.meaning = "Results are what workers answer and nothing else.", .example = "true"}),
          field<TasksSpec>(
              "ordered", [](auto& tasks) -> auto& { return tasks.ordered; }, [] { return boolean(); },
              {.meaning = "Results come in the order of the tasks.", .example = "true"})};
}

std::vector<Field<TasksSpec>> tasks_file_fields() {
  return {
      field<TasksSpec>("state", [](auto& tasks) -> auto& { return tasks.state; }, path_form,
                       {.meaning = "A file that knows which tasks have ended: the next run goes on where this one was stopped.",
                        .example = R"("run.db")",
                        .otherwise = "every run does all of them"}),
      field<TasksSpec>("quarantine", [](auto& tasks) -> auto& { return tasks.quarantine; }, path_form,
                       {.meaning = "A file for tasks that were given up, as they stand in `from`.",
                        .example = R"("quarantine.jsonl")",
                        .otherwise = "their results alone say so"})};
}

std::vector<Field<TasksSpec>> fault_fields() {
  return {
      field<TasksSpec>(
          "retries", [](auto& tasks) -> auto& { return tasks.retries; }, [] { return count<std::uint32_t>(0, most_retries); },
          {.meaning = "How often a task is tried again after it has taken a worker down.", .example = "5", .otherwise = "2"}),
      field<TasksSpec>(
          "retry_errors", [](auto& tasks) -> auto& { return tasks.retry_errors; },
          [] { return count<std::uint32_t>(0, most_retries); },
          {.meaning = "How often after an error that its worker reports.", .example = "1", .otherwise = "0"}),
      field<TasksSpec>(
          "timeout", [](auto& tasks) -> auto& { return tasks.timeout; },
          [] {
            return converted<std::optional<Duration>>(duration(Zero::refused),
                                                      [](Duration value) { return std::optional(value); });
          },
          {.meaning = "How long a task may take; beyond it its worker is replaced and the task given up.",
           .example = R"("30s")",
           .otherwise = "as long as it likes"}),
      field<TasksSpec>("halt", [](auto& tasks) -> auto& { return tasks.halt; }, halt_form,
                       {.meaning = "How many tasks may fail: then no other begins (`soon`), or the workers are stopped (`now`).",
                        .example = R"("soon,fail=10%")",
                        .otherwise = "any number"}),
      field<TasksSpec>(
          "limit", [](auto& tasks) -> auto& { return tasks.limit; }, [] { return count<std::uint64_t>(1, most_tasks); },
          {.meaning = "No more tasks than that are taken from the file.", .example = "1000", .otherwise = "all"}),
      field<TasksSpec>(
          "max_tasks", [](auto& tasks) -> auto& { return tasks.max_tasks; }, [] { return count<std::uint64_t>(1, most_tasks); },
          {.meaning = "A worker that has done so many is replaced.", .example = "1000", .otherwise = "never"})};
}

}  // namespace

Form<std::optional<TasksSpec>> tasks_form() {
  std::vector<Field<TasksSpec>> fields = tasks_way_fields();
  std::ranges::move(tasks_file_fields(), std::back_inserter(fields));
  std::ranges::move(fault_fields(), std::back_inserter(fields));
  return converted<std::optional<TasksSpec>>(
      object_form<TasksSpec>(
          "Tasks",
          "The workers of the program are fed from a file, as `corral map` does it, which is what runs them: the "
          "program ends when all tasks are done, with success if all went well. A stop gives what is in work the "
          "grace of the program; what is not done then is left.",
          std::move(fields)),
      [](TasksSpec tasks) { return std::optional(std::move(tasks)); });
}

}  // namespace corral::config
