// The table, part: programs whose workers are fed. "tasks".
#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <variant>

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

constexpr std::string_view share_pattern = "^(?:[1-9][0-9]{2,5}|1000000)%$";
constexpr std::size_t longest_share = 6;  ///< In digits, but for a million.

bool is_share(std::string_view text) {
  const std::string_view digits = text.substr(0, text.size() - 1);
  return text.ends_with('%') && (digits == "1000000" || (digits.size() >= 3 && digits.size() <= longest_share &&
                                                         digits_of(digits) == digits.size() && digits.front() != '0'));
}

using TaskTimeout = std::variant<Duration, core::PercentOfMedian>;

/// "30s", or "300%".
Form<std::optional<TaskTimeout>> timeout_form() {
  const auto plain = std::make_shared<Form<Duration>>(duration(Zero::refused));
  Form<std::optional<TaskTimeout>> form;
  form.schema = [plain] {
    return fmt::format(R"("anyOf":[{{{}}},{{"type":"string","pattern":{}}}])", plain->schema(), json_string(share_pattern));
  };
  form.words = plain->words + ", or \"300%\" of the median, from 100% to 1000000%";
  form.kinds = plain->kinds;
  form.advice = plain->advice;
  form.decode = [plain, words = form.words](const Value& value, Context& context) -> std::optional<std::optional<TaskTimeout>> {
    if (is_share(value.text)) {
      std::uint32_t percent = 0;
      std::from_chars(value.text.data(), value.text.data() + value.text.size() - 1, percent);
      return TaskTimeout(core::PercentOfMedian{percent});
    }
    if (value.text.ends_with('%')) {
      context.report.add(value.range, fmt::format("expected {}, found {}", words, in_quotes(value.text)));
      return std::nullopt;
    }
    const std::optional<Duration> time = plain->decode(value, context);
    return time ? std::optional(std::optional(TaskTimeout(*time))) : std::nullopt;
  };
  return form;
}

Form<std::optional<Duration>> max_age_form() {
  return converted<std::optional<Duration>>(duration(Zero::refused), [](Duration value) { return std::optional(value); });
}

Form<std::optional<std::uint64_t>> max_memory_form() {
  return converted<std::optional<std::uint64_t>>(size(Zero::refused), [](std::uint64_t value) { return std::optional(value); });
}

/// From what a HELLO needs to what the header of a frame can say.
Form<std::optional<std::uint64_t>> payload_form() {
  Form<std::optional<std::uint64_t>> form = max_memory_form();
  form.decode = [plain = form.decode](const Value& value, Context& context) {
    std::optional<std::optional<std::uint64_t>> bytes = plain(value, context);
    if (bytes && (*bytes < core::least_payload || *bytes > UINT32_MAX)) {
      context.report.add_beyond_schema(value.range,
                                       fmt::format("{} is not from 1KiB to 4GiB less a byte", in_quotes(value.text)));
      bytes.reset();
    }
    return bytes;
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
              {.meaning = "Results come in the order of the tasks.", .example = "true"}),
          field<TasksSpec>(
              "tag", [](auto& tasks) -> auto& { return tasks.tag; }, [] { return boolean(); },
              {.meaning = "With `raw`: the task and a tabulator in front of each line of its result.", .example = "true"}),
          field<TasksSpec>(
              "shuf", [](auto& tasks) -> auto& { return tasks.shuffle; }, [] { return boolean(); },
              {.meaning = "The tasks are taken in a random order.", .example = "true"})};
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
                        .otherwise = "their results alone say so"}),
      field<TasksSpec>("timeline", [](auto& tasks) -> auto& { return tasks.timeline; }, path_form,
                       {.meaning = "A page (HTML) that shows which worker did what when.",
                        .example = R"("run.html")",
                        .otherwise = "none is written"}),
      field<TasksSpec>("trace", [](auto& tasks) -> auto& { return tasks.trace; }, path_form,
                       {.meaning = "The same as trace events (JSON) for Perfetto.",
                        .example = R"("run.json")",
                        .otherwise = "none is written"})};
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
          "timeout", [](auto& tasks) -> auto& { return tasks.timeout; }, timeout_form,
          {.meaning = "How long a task may take, or how much of the median of those before it; beyond it its worker is "
                      "replaced and the task given up.",
           .example = R"("300%")",
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
          {.meaning = "A worker that has done so many is replaced.", .example = "1000", .otherwise = "never"}),
      field<TasksSpec>("max_payload", [](auto& tasks) -> auto& { return tasks.max_payload; }, payload_form,
                       {.meaning = "How long a task or a result may be.", .example = R"("256MiB")", .otherwise = "`\"64MiB\"`"}),
      field<TasksSpec>("max_memory", [](auto& tasks) -> auto& { return tasks.max_memory; }, max_memory_form,
                       {.meaning = "A worker that has more is replaced when its task is done.",
                        .example = R"("500MiB")",
                        .otherwise = "never"}),
      field<TasksSpec>("max_age", [](auto& tasks) -> auto& { return tasks.max_age; }, max_age_form,
                       {.meaning = "A worker that is so old is replaced when its task is done, up to a tenth earlier: one "
                                   "after another.",
                        .example = R"("1h")",
                        .otherwise = "never"})};
}

struct Conflict {
  std::string_view key;  ///< Where it is said.
  bool there;
  std::string_view why;
};

}  // namespace

void check_tasks(const core::ProgramSpec& program, const Value& value, Context& context) {
  const TasksSpec& tasks = *program.tasks;
  const bool each = std::ranges::any_of(program.launch.command, [](const std::string& word) { return word.contains("{}"); });
  const std::string_view for_stayers = "is for workers that stay: with {} in the command there is a process for each task anyway";
  const std::array conflicts{
      Conflict{"tag", tasks.tag && !tasks.raw, "goes with \"raw\": in a line of JSON the task has its number"},
      Conflict{"tag", tasks.tag && !tasks.state.empty(),
               "does not go with \"state\": results of earlier runs are told without their tasks"},
      Conflict{"shuf", tasks.shuffle && tasks.ordered,
               "does not go with \"ordered\": results in the order of the tasks would have to wait for all of them"},
      Conflict{"lines", tasks.lines && each, "does not go with {} in the command: a filter is given its tasks on stdin"},
      Conflict{"max_tasks", tasks.max_tasks && each, for_stayers},
      Conflict{"max_memory", tasks.max_memory && each, for_stayers},
      Conflict{"max_age", tasks.max_age && each, for_stayers}};
  for (const Conflict& conflict : conflicts) {
    if (const Value* place = value.find(conflict.key); conflict.there && place != nullptr) {
      context.report.add_beyond_schema(place->key_range, fmt::format("\"{}\" {}", conflict.key, conflict.why));
    }
  }
}

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
