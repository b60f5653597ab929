#include "supervisor/cli/completion.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "supervisor/cli/api_client.hpp"
#include "supervisor/cli/command_line.hpp"
#include "supervisor/cli/find_supervisor.hpp"
#include "supervisor/cli/print.hpp"
#include "supervisor/core/event_names.hpp"

namespace corral::cli {
namespace {

using Words = std::vector<std::string>;
using Json = nlohmann::json;

/// Who types waits no longer than this for names.
constexpr Duration names_within = std::chrono::seconds(2);

struct Candidate {
  std::string word;
  std::string meaning;
};
using Candidates = std::vector<Candidate>;

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string spelled(const std::string& name, bool is_long) { return (is_long ? "--" : "-") + name; }

Candidates commands_of(const CLI::App& app) {
  Candidates found;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    found.push_back({command->get_name(), first_line(command->get_description())});
  }
  return found;
}

Candidates options_of(const CLI::App& app) {
  Candidates found;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      found.push_back({spelled(name, true), option->get_description()});
    }
    for (const std::string& name : option->get_snames()) {
      found.push_back({spelled(name, false), option->get_description()});
    }
  }
  return found;
}

const CLI::Option* named(const CLI::App& app, const std::string& word) {
  for (const CLI::Option* option : app.get_options()) {
    const auto is_it = [&](bool is_long) {
      return [&word, is_long](const std::string& name) { return word == spelled(name, is_long); };
    };
    if (std::ranges::any_of(option->get_lnames(), is_it(true)) || std::ranges::any_of(option->get_snames(), is_it(false))) {
      return option;
    }
  }
  return nullptr;
}

bool takes_value(const CLI::Option* option) { return option != nullptr && option->get_items_expected_min() > 0; }

/// "TEXT:{auto,always,never}": what an option is limited to stands in its type.
Candidates choices_of(const CLI::Option& option) {
  Candidates found;
  const std::string type = option.get_type_name();
  const std::size_t open = type.find('{');
  const std::size_t close = type.find('}', open);
  if (open == std::string::npos || close == std::string::npos) {
    return found;
  }
  std::size_t at = open + 1;
  while (at < close) {
    const std::size_t end = std::min(type.find(',', at), close);
    found.push_back({type.substr(at, end - at), {}});
    at = end + 1;
  }
  return found;
}

/// What was said on the line so far, as far as it matters.
struct Line {
  std::map<std::string, std::string> values;  ///< Of options.
  std::size_t positional = 0;                 ///< How many stand before the current word.
  const CLI::Option* open = nullptr;          ///< The option whose value the current word is.
  bool is_closed = false;                     ///< After "--": a command of the user's.
};

Line read(const CLI::App& app, const Words& words) {
  Line line;
  for (std::size_t i = 1; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    if (line.open != nullptr) {
      line.values[line.open->get_name()] = word;
      line.open = nullptr;
    } else if (word == "--") {
      line.is_closed = true;
      return line;
    } else if (word.starts_with('-')) {
      const std::size_t equals = word.find('=');
      const CLI::Option* option = named(app, word.substr(0, equals));
      if (takes_value(option) && equals == std::string::npos) {
        line.open = option;
      } else if (option != nullptr && equals != std::string::npos) {
        line.values[option->get_name()] = word.substr(equals + 1);
      }
    } else {
      ++line.positional;
    }
  }
  return line;
}

Json ask_workers(const Line& line) {
  const auto value = [&](const char* name) { return line.values.contains(name) ? line.values.at(name) : std::string(); };
  const Result<process::Instance> instance = find_supervisor({value("--config"), value("--name"), value("--socket")});
  const Result<Reply> reply = instance ? ask(*instance, {"GET", "/v1/workers"}, names_within) : std::unexpected(instance.error());
  const Json document = reply && reply->status == 200 ? Json::parse(reply->body, nullptr, false) : Json();
  return document.is_object() ? document.value("workers", Json::array()) : Json::array();
}

Candidates workers_of(const Line& line, bool only_programs) {
  Candidates programs;
  Candidates workers;
  for (const Json& worker : ask_workers(line)) {
    const std::string program = worker.value("program", "");
    if (std::ranges::find(programs, program, &Candidate::word) == programs.end()) {
      programs.push_back({program, "all of it"});
    }
    workers.push_back({worker.value("worker", ""), worker.value("state", "")});
  }
  if (only_programs) {
    for (Candidate& program : programs) {
      program = {program.word + "=", "how many workers, or auto"};
    }
    return programs;
  }
  std::ranges::move(workers, std::back_inserter(programs));
  return programs;
}

Candidates supervisors() {
  Candidates found;
  for (const process::Instance& instance : process::running_instances()) {
    const std::string name = shown_name(instance);
    if (std::ranges::find(found, name, &Candidate::word) == found.end()) {
      found.push_back({name, instance.config});
    }
  }
  return found;
}

Candidates events_by_name() {
  Candidates found;
  const auto add = [&](std::string_view name) { found.push_back({std::string(name), {}}); };
  std::ranges::for_each(core::notice_names, add);
  std::ranges::for_each(core::shell_event_names, add);
  std::ranges::for_each(core::hook_event_names, add);
  return found;
}

Candidates values_of(const CLI::Option& option) {
  const std::string name = option.get_name();
  return name == "--name" ? supervisors() : name == "--event" ? events_by_name() : choices_of(option);
}

Candidates signals() {
  Candidates found;
  for (const char* name : {"HUP", "INT", "QUIT", "USR1", "USR2", "TERM", "CONT", "STOP", "WINCH", "KILL"}) {
    found.push_back({name, {}});
  }
  return found;
}

Candidates positional_of(const CLI::App& app, const Line& line) {
  const auto all = app.get_options([](const CLI::Option* option) { return option->get_positional(); });
  if (all.empty()) {
    return {};
  }
  const CLI::Option& option = *all[std::min(line.positional, all.size() - 1)];
  const std::string name = option.get_name(true);
  if (name == "workers" || name == "worker" || name == "programs") {
    return workers_of(line, name == "programs");
  }
  return name == "signal" ? signals() : choices_of(option);
}

Candidates candidates_of(const CLI::App& app, const Words& words) {
  const Line line = read(app, words);
  const std::string& current = words.back();
  if (line.is_closed) {
    return {};
  }
  if (line.open != nullptr) {
    return values_of(*line.open);
  }
  if (current.starts_with('-')) {
    return options_of(app);
  }
  // To bash, "crunch=8" is three words.
  return app.get_name() == "scale" && words[words.size() - 2] == "=" ? Candidates{{"auto", {}}} : positional_of(app, line);
}

}  // namespace

int complete(const Words& words) {
  if (words.empty()) {
    return 0;
  }
  const CommandLine line(words.front());
  Candidates candidates;
  if (words.size() == 1) {
    candidates = words.front().starts_with('-') ? options_of(line.app) : commands_of(line.app);
  } else {
    for (const CLI::App* command : line.app.get_subcommands([&](const CLI::App* one) { return one->get_name() == words[0]; })) {
      candidates = candidates_of(*command, words);
    }
  }
  std::string text;
  for (const Candidate& candidate : candidates) {
    if (candidate.word.starts_with(words.back())) {
      text += fmt::format("{}\t{}\n", candidate.word, candidate.meaning);
    }
  }
  return deliver(text, 0);
}

int completion_script(std::string_view shell) {
  constexpr const char* bash = R"(# bash completion of corral
_corral() {
  local word
  COMPREPLY=()
  while IFS=$'\t' read -r word _; do
    COMPREPLY+=("$word")
  done < <("${COMP_WORDS[0]/#\~/$HOME}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then
    compopt -o nospace
  fi
}
complete -o bashdefault -o default -F _corral corral
)";
  constexpr const char* zsh = R"(#compdef corral
_corral() {
  local -a words_with_meanings
  local line
  for line in "${(@f)$("${words[1]/#\~/$HOME}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] && words_with_meanings+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
  done
  if (( $#words_with_meanings == 0 )); then
    _files
  elif [[ ${words_with_meanings[1]} == *=:* ]]; then
    _describe corral words_with_meanings -S ''
  else
    _describe corral words_with_meanings
  fi
}
if [[ ${funcstack[1]} == _corral ]]; then
  _corral "$@"
else
  compdef _corral corral
fi
)";
  constexpr const char* fish = R"(# fish completion of corral
function __corral_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    $before[1] __complete $before[2..-1] "$current" 2>/dev/null
end
complete -c corral -n 'count (__corral_complete) >/dev/null' -f -a '(__corral_complete)'
)";
  return deliver(shell == "bash" ? bash : shell == "zsh" ? zsh : fish, 0);
}

}  // namespace corral::cli
