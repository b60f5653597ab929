// The table, part: where output goes. "log".
#include "common/base/units.hpp"
#include "supervisor/config/forms.hpp"
#include "supervisor/config/keys.hpp"
#include "supervisor/config/object_form.hpp"

namespace corral::config {
namespace {

using core::LineFormat;
using core::LogSpec;
using core::LogTo;
using core::RotatePolicy;
using core::WhenFull;

Form<LogTo> to_form() {
  Form<LogTo> none;
  none.schema = literal(R"("type":"null")");
  none.words = "`null` for nowhere";
  none.kinds = only(Kind::null);
  none.decode = [](const Value&, Context&) { return std::optional(LogTo::nothing); };
  return either(choice<LogTo>({{"inherit", LogTo::inherit}, {"file", LogTo::file}}, ", or " + none.words), none);
}

Form<std::uint32_t> keep_form() {
  return converted<std::uint32_t>(
      integer(0, 1000), [](std::int64_t count) { return static_cast<std::uint32_t>(count); },
      [](const std::uint32_t& count) { return std::to_string(count); });
}

Form<RotatePolicy> rotate_form() {
  return object_form<RotatePolicy>(
      "Rotation",
      "When a log file is put aside as `NAME.1` and a new one begun. `NAME.1` becomes `NAME.2` then, and so on. No line is cut "
      "or "
      "lost by it.",
      {field<RotatePolicy>(
           "size", [](auto& rotate) -> auto& { return rotate.size; }, [] { return size(Zero::allowed); },
           {.meaning = "No file grows beyond it, unless a single line is longer; `\"0\"`: whatever its size.",
            .example = R"("100MB")"}),
       field<RotatePolicy>("keep", [](auto& rotate) -> auto& { return rotate.keep; }, keep_form,
                           {.meaning = "So many of the older files are kept beside the one that is written.", .example = "30"}),
       field<RotatePolicy>(
           "compress", [](auto& rotate) -> auto& { return rotate.compress; }, [] { return boolean(); },
           {.meaning = "Older files are compressed with gzip, all but the youngest, at the lowest priority: it takes time from "
                       "the workers' cores.",
            .example = "true"}),
       field<RotatePolicy>(
           "daily", [](auto& rotate) -> auto& { return rotate.daily; }, [] { return boolean(); },
           {.meaning = "Also when the first line of another day (local time) is written.", .example = "true"})});
}

/// What is said of a file where there is none would be obeyed by nobody.
void check_log(const LogSpec& log, const Value& value, Context& context) {
  for (const char* key : {"file", "rotate", "format", "when_full"}) {
    if (const Value* said = value.find(key); said != nullptr && log.to != LogTo::file) {
      context.report.add_beyond_schema(said->key_range, fmt::format("\"{}\" means nothing where the output goes to no file", key),
                                       R"(add "to": "file")");
    }
  }
}

std::vector<Field<LogSpec>> log_way_fields() {
  return {
      field<LogSpec>("to", [](auto& log) -> auto& { return log.to; }, to_form,
                     {.meaning = "Each line to corral's own stdout or stderr, behind the worker's name; to a file; or nowhere.",
                      .example = R"("file")"}),
      field<LogSpec>(
          "file", [](auto& log) -> auto& { return log.file; }, [] { return expandable_string("a path", 1); },
          {.meaning =
               "The file. `{program}` and `{index}` are filled in. Where it is not absolute it is meant from the folder of the "
               "configuration file. Where several workers share one file, each line begins with the worker's name. "
               "Folders that are missing are made.",
           .example = R"("/var/log/{program}/{index}.log")"}),
      field<LogSpec>(
          "merge_stderr", [](auto& log) -> auto& { return log.merge_stderr; },
          [] { return converted<std::optional<bool>>(boolean(), [](bool merge) { return std::optional(merge); }); },
          {.meaning = "What a worker writes to stderr goes where its stdout goes. Otherwise, beside a file, into one of its own, "
                      "with `.stderr` before the ending of the name.",
           .example = "false",
           .otherwise = "`true` with a file, else `false`"})};
}

std::vector<Field<LogSpec>> log_file_fields() {
  return {
      field<LogSpec>("rotate", [](auto& log) -> auto& { return log.rotate; }, rotate_form,
                     {.meaning = "When a new file is begun, and how many of the old ones are kept.",
                      .example = R"({"size": "100MB", "keep": 10, "compress": true})",
                      .otherwise = "the defaults of its keys"}),
      field<LogSpec>(
          "format", [](auto& log) -> auto& { return log.format; },
          [] { return choice<LineFormat>({{"plain", LineFormat::plain}, {"json", LineFormat::json}}); },
          {.meaning = "Lines as they are, or each as an object with its time, worker and stream.", .example = R"("json")"}),
      field<LogSpec>(
          "when_full", [](auto& log) -> auto& { return log.when_full; },
          [] { return choice<WhenFull>({{"block", WhenFull::block}, {"drop", WhenFull::drop}}); },
          {.meaning = "What happens to lines that the disk does not take. `block`: the worker waits until it does, however long "
                      "that is. `drop`: it waits for a disk that is slow, but not for longer than a second, and not at all for "
                      "one that is full or broken; then lines are dropped, counted and told of.",
           .example = R"("block")"})};
}

}  // namespace

Form<LogSpec> log_form() {
  std::vector<Field<LogSpec>> fields = log_way_fields();
  std::ranges::move(log_file_fields(), std::back_inserter(fields));
  return object_form<LogSpec>("Logs", "Where the output of the program's workers goes. See docs/guide/logs.md.",
                              std::move(fields), check_log);
}

}  // namespace corral::config
