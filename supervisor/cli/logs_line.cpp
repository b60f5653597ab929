#include "supervisor/cli/logs_line.hpp"

#include <CLI/CLI.hpp>

#include "supervisor/cli/control_line.hpp"
#include "supervisor/cli/values.hpp"

namespace corral::cli {

const char* const logs_about = R"(Show what workers wrote, where the configuration sends it into files ("log": {"to": "file"}).

  corral logs                        the last 100 lines of each worker, side by side
  corral logs -f crunch/0            and go on with what it writes, also when its file is rotated
  corral logs --since 5m crunch      all workers of crunch, what they wrote in the last five minutes
  corral logs --grep 'error|panic' -n all 'crunch/*'
  corral logs --raw crunch/0 | less -R
  corral logs --reopen               after somebody else (logrotate) has put the files aside: opens them anew

It reads the files that are there, older and compressed ones too, whether corral runs or not. Control characters are
shown as \x1b and do nothing to a terminal; --raw prints bytes as they are.

Exit status: 0; 2 no such program, or none that writes to a file. With --reopen: 0 all files are open again, 1 not all,
3 no supervisor answers.)";

namespace {

constexpr std::size_t usual_lines = 100;

std::size_t parse_lines(const std::string& text) {
  return text == "all" ? SIZE_MAX : parse_count(text, 0, 1'000'000'000, ", or all");
}

}  // namespace

void add_logs_options(CLI::App& app, LogsOptions& options) {
  const auto lines_given = std::make_shared<bool>(false);
  options.last = usual_lines;
  CLI::Option* workers =
      app.add_option("workers", options.workers, "PROGRAM, PROGRAM/INDEX, or a pattern of these; all where none is named");
  add_whose(app, options.whose);
  app.add_flag("-f,--follow", options.follow, "go on with what is written");
  app.add_option_function<std::string>(
      "-n,--lines",
      [&options, lines_given](const std::string& text) {
        options.last = parse_lines(text);
        *lines_given = true;
      },
      "no more than so many last lines of each file, or all (100; with --since all)");
  app.add_option_function<std::string>(
      "--since",
      [&options, lines_given](const std::string& text) {
        options.since = parse_wait(text);
        options.last = *lines_given ? options.last : SIZE_MAX;
      },
      "nothing older than that, such as 5m");
  app.add_option("--grep", options.grep, "lines alone that this extended regular expression matches");
  app.add_flag("-i,--ignore-case", options.ignore_case, "it matches capitals and small letters alike");
  app.add_flag("--reopen", options.reopen, "tell the supervisor to open its log files anew, and return when it has")
      ->excludes(workers);  // It is all of them, always.
  app.add_flag("--raw", options.raw, "bytes as they are, whatever they do to a terminal");
  app.add_option_function<std::string>(
         "--colour,--color",
         [&options](const std::string& text) {
           options.colour = text == "always" ? Colour::always : text == "never" ? Colour::never : Colour::automatic;
         },
         "auto, always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}));
}

}  // namespace corral::cli
