// Configuration: JSON text -> core::SupervisorSpec, every error at once, each with its place and a way out.
//
// Keys, types, ranges, defaults, the JSON Schema and the reference page all come from one table (keys.cpp), so they
// cannot disagree. What a file says is checked here; what only this machine can tell (is there such a command, user,
// directory, core?) is checked by whoever knows the machine, which then asks Loaded for a diagnostic at the right
// place.
//
// This room must not read files, the environment, the clock or /proc: text and a lookup function come in, values go
// out. Nothing that a file can hold makes it crash, recurse deeply, or take more than linear time.
#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "supervisor/config/diagnostic.hpp"
#include "supervisor/core/spec.hpp"

namespace corral::config {

/// A longer file is refused unread: it is something else, given by mistake.
inline constexpr std::size_t longest_file = std::size_t{4} << 20U;

/// The kernel's MAX_ARG_STRLEN: no argument, and no NAME=value, may be so long, its closing NUL counted.
inline constexpr std::size_t longest_argument = 131'072;

/// Command and environment of one worker together: what execve refuses under the usual stack limit of 8 MiB.
inline constexpr std::size_t longest_command_line = std::size_t{2} << 20U;

/// What all ${VAR} of one file together may make.
inline constexpr std::size_t longest_expansion = std::size_t{64} << 20U;

struct Source {
  std::string name;  ///< For messages: as the user wrote it.
  std::string text;
};

/// A variable of the supervisor's environment; nothing where it is not set.
using Environment = std::function<std::optional<std::string>(std::string_view)>;

struct Value;

/// A configuration that is right as far as its text can tell. Keeps the text and its tree for diagnose(): take `spec`
/// out and let the rest go when the checks are done.
class Loaded {
 public:
  Loaded(core::SupervisorSpec checked, Source source, Value tree);

  core::SupervisorSpec spec;

  /// A diagnostic at the value that `pointer` leads to, such as "/programs/crunch/command/0"; where the file does not
  /// write that value (it is a default), at the nearest object around it.
  [[nodiscard]] Diagnostic diagnose(std::string_view pointer, std::string message, std::string suggestion = {}) const;

 private:
  Source source_;
  std::shared_ptr<const Value> tree_;
};

/// Never an empty list of diagnostics; at most 101, in the order of the file.
[[nodiscard]] std::expected<Loaded, std::vector<Diagnostic>> parse(const Source& source, const Environment& lookup);

/// Where a file decides what a JSON pointer names.
struct KeyPlace {
  std::size_t line = 0;  ///< From 1; 0: the text is no JSON any more.
  std::string text;      ///< That line, without blanks at its ends, fit for a terminal.
  bool written = false;  ///< The file writes it; otherwise a default holds, and the place is the object that could say otherwise.
};

/// One for each pointer. Reads the text as JSON and checks nothing else: it may be of another time.
[[nodiscard]] std::vector<KeyPlace> locate(const Source& source, const std::vector<std::string>& pointers);

/// "/programs/NAME" and further steps as a JSON pointer, escaped as RFC 6901 wants it.
[[nodiscard]] std::string pointer(std::initializer_list<std::string_view> steps);

/// The JSON Schema (draft 2020-12), indented, with a final line break: `corral schema`.
[[nodiscard]] std::string json_schema();

/// docs/reference/configuration.md: `corral schema --reference`.
[[nodiscard]] std::string reference_page();

/// A key as the reference page shows it.
struct KeyDescription {
  std::string path;           ///< "/programs/NAME/restart/delay".
  std::string name;           ///< "delay".
  std::string words;          ///< What may be written: "a duration such as \"10s\"".
  std::string default_value;  ///< As JSON text; empty where there is none.
  std::string otherwise;      ///< What happens without the key, in words, where default_value is empty.
  std::string meaning;
  std::string example;  ///< As JSON text.
  bool required = false;
};

/// Every key, in the order of the reference page.
[[nodiscard]] std::vector<KeyDescription> keys();

}  // namespace corral::config
