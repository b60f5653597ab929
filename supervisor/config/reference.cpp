// The reference page, from the table.
#include <fmt/format.h>

#include "supervisor/config/keys.hpp"

namespace corral::config {
namespace {

constexpr std::string_view head = R"(# Configuration reference

<!-- Generated from the table in supervisor/config: corral schema --reference > docs/reference/configuration.md -->

A configuration is one JSON object in UTF-8; comments (`// …` and `/* … */`) are allowed, trailing commas are not.
`corral check` reports every mistake of a file at once, each with its place, and `corral schema` prints a JSON Schema
(draft 2020-12) for editors. This page, that schema and the checks come from one table and cannot disagree.

## How values are written

**Durations** are strings: a number and a unit, `"250ms"`, `"1.5s"`, `"10s"`, `"5m"`, `"2h"`, `"1d"`, also `us` and `ns`.
`"0"` needs no unit. **Sizes** are strings too: `"512KiB"`, `"64MiB"`, `"2GiB"`, `"1TiB"`, `"512B"`, or decimal: `kB`, `MB`,
`GB`, `TB`.

**Variables** of the supervisor's environment are filled in when the file is read, in `command`, in the values of
`environment` and in `directory`:

| written | becomes |
| --- | --- |
| `${NAME}` | the value of NAME; it is an error when NAME is not set |
| `${NAME:-text}` | the value of NAME, or `text` when NAME is not set or empty; `text` ends at the first `}` |
| `$${` | a literal `${` |
| any other `$` | itself: `$HOME`, `$$` and `$1` reach a shell untouched |

**Placeholders** are filled in for each worker when it is launched, in the same places:

| written | becomes |
| --- | --- |
| `{index}` | the worker's number, from 0 |
| `{workers}` | how many workers the program has |
| `{program}` | the program's name |
| `{cores}` | the worker's CPUs as a list such as `0-3,8`; empty where it is not pinned |
| `{{index}}` | a literal `{index}`, and so for the others |
| any other brace | itself |
)";

/// A vertical bar would end the cell of a table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    out += letter == '|' ? "\\|" : std::string(1, letter);
  }
  return out;
}

std::string default_of(const KeyDescription& key) {
  return key.required ? "required" : key.default_value.empty() ? cell(key.otherwise) : "`" + cell(key.default_value) + "`";
}

std::string section_text(const Section& section) {
  const std::string& first = section.keys.front().path;
  const std::string parent = first.substr(0, first.rfind('/'));
  std::string out =
      fmt::format("\n## {}{}\n\n{}\n\n| key | value | default | meaning | example |\n| --- | --- | --- | --- | --- |\n",
                  section.title, parent.empty() ? "" : fmt::format(": `{}`", parent), section.intro);
  for (const KeyDescription& key : section.keys) {
    out += fmt::format("| `{}` | {} | {} | {} | `{}` |\n", key.name, cell(key.words), default_of(key), cell(key.meaning),
                       cell(key.example));
  }
  return out;
}

}  // namespace

std::vector<KeyDescription> keys() {
  std::vector<KeyDescription> all;
  for (const Section& section : configuration_form().sections()) {
    all.insert(all.end(), section.keys.begin(), section.keys.end());
  }
  return all;
}

std::string reference_page() {
  std::string out(head);
  for (const Section& section : configuration_form().sections()) {
    out += section_text(section);
  }
  out += "\n## What a JSON Schema cannot state\n\n`corral check` asks for these as well:\n\n";
  for (const std::string& rule : rules_beyond_schema()) {
    out += "- " + rule + "\n";
  }
  out +=
      "\nWhat only the machine can tell (is there such a command, user, directory, core?) is checked last, by `corral "
      "check`\n"
      "and `corral run` alike.\n";
  return out;
}

}  // namespace corral::config
