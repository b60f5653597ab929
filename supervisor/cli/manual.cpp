#include "supervisor/cli/manual.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <string>
#include <string_view>

#include "supervisor/cli/command_line.hpp"
#include "supervisor/cli/print.hpp"

namespace corral::cli {
namespace {

/// As roff has it: no character of a text means anything to it.
std::string as_roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '\\': out += "\\e"; break;
      case '-': out += "\\-"; break;
      case '\'': out += "\\(aq"; break;
      case '`': out += "\\(ga"; break;
      case '^': out += "\\(ha"; break;
      case '~': out += "\\(ti"; break;
      default: out += c;
    }
  }
  return out.starts_with('.') ? "\\&" + out : out;
}

/// The text of a help: paragraphs; what is indented is an example, and stays as it stands.
std::string prose(std::string_view text) {
  std::string out;
  bool as_it_stands = false;
  bool between = false;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty()) {
      between = true;
      continue;
    }
    const bool example = line.starts_with("  ");
    if (as_it_stands && !example) {
      out += ".fi\n.RE\n";
    }
    if (example && !as_it_stands) {
      out += ".PP\n.RS\n.nf\n";
    } else if (between) {
      out += as_it_stands && example ? "\n" : ".PP\n";
    }
    out += as_roff(example ? line.substr(2) : line) + "\n";
    as_it_stands = example;
    between = false;
  }
  return out + (as_it_stands ? ".fi\n.RE\n" : "");
}

/// What an option is given: of "TEXT:{text,json}" the choices, of "TEXT" that it is something.
std::string value_text(const CLI::Option& option) {
  std::string type = option.get_type_name();
  if (option.get_items_expected_max() == 0 || type.empty()) {
    return {};
  }
  const std::size_t open = type.find('{');
  if (open != std::string::npos && type.ends_with('}')) {
    type = type.substr(open + 1, type.size() - open - 2);
    std::ranges::replace(type, ',', '|');
  }
  return fmt::format(" \\fI{}\\fR", as_roff(type == "TEXT" ? "VALUE" : type));
}

std::string option_text(const CLI::Option& option) {
  std::string names;
  if (option.get_positional()) {
    names = fmt::format("\\fI{}\\fR", as_roff(option.get_name(true)));
  } else {
    for (const std::string& name : option.get_snames()) {
      names += fmt::format("{}\\fB{}\\fR", names.empty() ? "" : ", ", as_roff("-" + name));
    }
    for (const std::string& name : option.get_lnames()) {
      names += fmt::format("{}\\fB{}\\fR", names.empty() ? "" : ", ", as_roff("--" + name));
    }
    names += value_text(option);
  }
  return fmt::format(".TP\n{}\n{}\n", names, as_roff(option.get_description()));
}

std::string command_text(const std::string& name) {
  const CommandLine line(name);
  const CLI::App& command = *line.app.get_subcommand(name);
  std::string text = fmt::format(".SS \"corral {}\"\n{}", as_roff(name), prose(command.get_description()));
  for (const CLI::Option* option : command.get_options()) {
    if (option != command.get_help_ptr()) {
      text += option_text(*option);
    }
  }
  return text;
}

constexpr std::string_view head = R"(.TH CORRAL 1 ")" CORRAL_DATE R"(" "corral )" CORRAL_VERSION R"(" "User Commands"
.SH NAME
corral \- keeps a worker process busy on every core
.SH SYNOPSIS
\fBcorral\fR \fIcommand\fR [\fIoptions\fR]
.SH DESCRIPTION
)";

constexpr std::string_view tail = R"(.SH FILES
.TP
.I ./corral.json, /etc/corral/corral.json
What \fBcorral run\fR reads where no file is named; \fBcorral schema \-\-reference\fR explains every key.
.TP
.I /run/corral/, $XDG_RUNTIME_DIR/corral/
The sockets and locks of running supervisors: root's, and other users' (/tmp/corral-UID where that is not set).
)";

}  // namespace

int manual() {
  const CommandLine line({});
  std::string text(head);
  text += prose(line.app.get_description()) + ".SH COMMANDS\n";
  for (const CLI::App* command : line.app.get_subcommands([](const CLI::App*) { return true; })) {
    text += command_text(command->get_name());
  }
  return deliver(text + std::string(tail), 0);
}

}  // namespace corral::cli
