#include "supervisor/cli/cli.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <string_view>

#include "common/base/suggest.hpp"
#include "supervisor/cli/command_line.hpp"
#include "supervisor/cli/commands.hpp"
#include "supervisor/cli/complaint.hpp"
#include "supervisor/cli/completion.hpp"
#include "supervisor/cli/print.hpp"
#include "supervisor/cli/unexpected_words.hpp"
#include "supervisor/cli/values.hpp"
#include "supervisor/shell/process/guardian.hpp"

namespace corral::cli {
namespace {

/// CLI11 says "The following argument was not expected: x": a near name is worth more.
std::string explain(const CLI::App& app, const std::vector<std::string>& words, const CLI::Error& error) {
  if (const auto parsed = app.get_subcommands(); !parsed.empty()) {
    // What was misspelt may be what is said to be missing.
    const bool about_words =
        dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr || dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
    const std::string unexpected = about_words ? explain_unexpected(*parsed.front(), words) : "";
    return unexpected.empty() ? error.what() : unexpected;
  }
  if (words.empty()) {
    return "a command is required; corral --help lists them";
  }
  if (words.front().starts_with('-')) {
    return fmt::format("there is no option '{}' before a command", words.front());
  }
  std::vector<std::string> owned;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    owned.push_back(command->get_name());
  }
  const std::vector<std::string_view> names(owned.begin(), owned.end());
  const std::string_view near = nearest(words.front(), names);
  return fmt::format("there is no command '{}'{}", words.front(), near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
}

/// `corral run [CONFIG]` and `corral exec -- COMMAND…`, the lines of nearly every start: there is nothing to parse, and
/// the worker starts sooner by a third.
std::optional<int> without_options(const std::vector<std::string>& words) {
  if (words.size() > 2 && words[0] == "exec" && words[1] == "--") {
    ExecOptions options;
    options.program.launch.command.assign(words.begin() + 2, words.end());
    return exec_with(options, {});
  }
  if (!words.empty() && words[0] == "run" &&
      (words.size() == 1 || (words.size() == 2 && !words[1].empty() && !words[1].starts_with('-')))) {
    RunOptions options;
    options.config = words.size() == 2 ? words[1] : options.config;
    return run(options);
  }
  return std::nullopt;
}

/// What a command could not do when nothing more is known, and the status of that.
struct Attempt {
  std::string_view name;
  const char* failed;
  int status;
};
constexpr std::array<Attempt, 9> attempts{{{"run", "cannot start", not_started},
                                           {"exec", "cannot start", not_started},
                                           {"map", "cannot start", not_started},
                                           {"check", "cannot check the configuration", refused},
                                           {"logs", "cannot show logs", refused},
                                           {"top", "cannot watch", refused},
                                           {"completion", "cannot print the script", refused},
                                           {"man", "cannot print the page", refused},
                                           {"schema", "cannot print the schema", refused}}};
constexpr Attempt any_attempt{"", "cannot understand the command line", refused};

int understand(std::vector<std::string> words) {
  if (!words.empty() && words.front() == "help") {  // As git and docker have it: help, help COMMAND.
    words.erase(words.begin());
    words.insert(words.begin() + std::min<std::ptrdiff_t>(1, std::ssize(words)), "--help");  // And never runs it.
  }
  if (!words.empty() && words.front() == completing) {
    return complete({words.begin() + 1, words.end()});
  }
  if (const std::optional<int> status = without_options(words)) {
    return *status;
  }
  CommandLine line(words.empty() ? std::string_view() : words.front());
  const auto after_dashes =
      !words.empty() && (words[0] == "exec" || words[0] == "map") ? std::ranges::find(words, "--") : words.end();
  try {
    std::vector<std::string> options(words.begin(), after_dashes);
    std::ranges::reverse(options);
    line.app.parse(std::move(options));
    if (after_dashes != words.end()) {
      std::vector<std::string>& command =
          line.map_app->parsed() ? line.map_options.program.launch.command : line.exec_options.program.launch.command;
      command.insert(command.end(), after_dashes + 1, words.end());
    }
    if (line.exec_app->parsed() && line.exec_options.program.launch.command.empty()) {
      refuse("command is required");
    }
    const bool nameless = (line.run_app->count("config") > 0 && line.run_options.config.empty()) ||
                          (line.check_app->count("config") > 0 && line.check_options.config.empty());
    if (nameless) {
      refuse("the configuration has an empty name (an unset variable?)");
    }
    return line.run_parsed();
  } catch (const CLI::Success& success) {
    std::ostringstream text;
    const int status = line.app.exit(success, text, text);
    return deliver(text.str(), status);
  } catch (const CLI::Error& error) {
    tell(fmt::format("corral: {}\nSee: corral {}--help\n", explain(line.app, words, error),
                     line.app.get_subcommands().empty() ? "" : line.app.get_subcommands().front()->get_name() + " "));
    return refused;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (const std::optional<int> status = process::stand_guard(argc, argv)) {
    return *status;
  }
  const std::string_view command = argc > 1 ? argv[1] : "";
  const auto known = std::ranges::find(attempts, command, &Attempt::name);
  const Attempt& attempt = known == attempts.end() ? any_attempt : *known;
  expect_no_memory(attempt.failed, attempt.status);
  try {
    return understand({argv + std::min(argc, 1), argv + argc});
  } catch (...) {
    return complain_of_exception(attempt.failed, attempt.status);
  }
}

}  // namespace corral::cli
