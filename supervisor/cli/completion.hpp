// What a shell completes `corral …` with. The scripts know nothing: they ask the binary, which asks the running supervisor.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace corral::cli {

/// The hidden command of the scripts: `corral __complete WORDS… CURRENT`.
inline constexpr std::string_view completing = "__complete";

/// Prints what the last of `words` may become, a line each: the word, a tab, what it means. Nothing: the shell offers files.
int complete(const std::vector<std::string>& words);

/// Prints the script of bash, zsh or fish.
int completion_script(std::string_view shell);

}  // namespace corral::cli
