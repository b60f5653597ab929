#include "supervisor/cli/unexpected_words.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <string_view>

#include "common/base/suggest.hpp"

namespace corral::cli {
namespace {

/// "--quiet" for "--quite".
std::string near_option(const CLI::App& command, std::string_view word) {
  constexpr std::string_view dashes = "--";
  if (!word.starts_with(dashes)) {
    return {};  // Every other letter is near to a letter.
  }
  word = word.substr(dashes.size(), word.find('=') - dashes.size());
  std::vector<std::string> owned;
  for (const CLI::Option* option : command.get_options()) {
    std::ranges::copy(option->get_lnames(), std::back_inserter(owned));
  }
  const std::vector<std::string_view> names(owned.begin(), owned.end());
  const std::string_view near = nearest(word, names);
  return near.empty() ? "" : fmt::format("{}{}", dashes, near);
}

/// As a shell reads it again.
std::string quoted(const std::string& word) {
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:=@%+,-";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) {
    return word;
  }
  std::string text = "'";
  for (const char c : word) {
    text += c == '\'' ? std::string(R"('\'')") : std::string(1, c);
  }
  return text + "'";
}

/// corral map tasks.jsonl python3 worker.py: what was meant needs one word more.
std::string with_dashes(const std::vector<std::string>& words, const std::string& before) {
  std::string line = "corral";
  bool put = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!put && i > 0 && words[i] == before) {
      line += " --";
      put = true;
    }
    line += " " + quoted(words[i]);
  }
  return line;
}

}  // namespace

std::string explain_unexpected(const CLI::App& command, const std::vector<std::string>& words) {
  std::vector<std::string> left = command.remaining();
  std::erase(left, "--");
  if (left.empty()) {
    return {};
  }
  const std::string& first = left.front();
  if (first.starts_with('-') && first.size() > 1) {
    const std::string near = near_option(command, first);
    return fmt::format("there is no option '{}'{}", first, near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
  }
  if (command.get_name() == "map" && std::ranges::find(words, "--") == words.end()) {
    return fmt::format("put -- before the command: {}", with_dashes(words, first));
  }
  return fmt::format("'{}' is one word too many", first);
}

}  // namespace corral::cli
