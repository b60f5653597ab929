// ${VAR} and ${VAR:-default} in a string, from the supervisor's environment.
//
// "$${" is a literal "${"; every other '$' stays as it is, so that `sh -c 'echo $HOME $$'` means what it says. A
// variable that is not set, or is empty, takes the default; without a default it must be set. Values are taken as they
// are: nothing in them is replaced again, and a default holds no substitution.
// Inside this room only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "supervisor/config/form.hpp"

namespace corral::config {

/// The string of `value` with its variables filled in, shorter than longest_argument bytes and without NUL; otherwise
/// nothing, and the reason in the report, with its place inside the string.
[[nodiscard]] std::optional<std::string> expand(const Value& value, Context& context);

/// What a schema knows of it: no NUL, and every "${" is a whole substitution.
inline constexpr std::string_view expandable_pattern =
    R"(^(?:[^$\u0000]|\$\$\{|\$(?!\$?\{)|\$\{[A-Za-z_][A-Za-z0-9_]*(?::-[^}\u0000]*)?\})*$)";

/// Reports a NUL in the string and its place. True when there was none.
[[nodiscard]] bool refuse_nul(const Value& value, Context& context);

}  // namespace corral::config
