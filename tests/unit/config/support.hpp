// What the tests of the configuration share.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "supervisor/config/config.hpp"

namespace corral::config::test {

/// HOME and EMPTY are set, nothing else is.
inline std::optional<std::string> lookup(std::string_view name) {
  if (name == "HOME") {
    return "/home/somebody";
  }
  return name == "EMPTY" ? std::optional<std::string>("") : std::nullopt;
}

inline auto load(std::string text) { return parse({"corral.json", std::move(text)}, lookup); }

/// The specification of a text that must be right; the diagnostics are the test's message where it is not.
inline core::SupervisorSpec good(std::string text) {
  auto loaded = load(std::move(text));
  REQUIRE_MESSAGE(loaded.has_value(), (loaded ? "" : render(loaded.error(), false)));
  return std::move(loaded->spec);
}

/// A document with one program that has these further keys: `"nice": 3`.
inline std::string with(std::string_view keys) {
  return R"({"programs": {"p": {"command": ["x"])" + std::string(keys.empty() ? "" : ", ") + std::string(keys) + "}}}";
}

inline core::ProgramSpec program(std::string_view keys) { return good(with(keys)).programs.at(0); }

inline std::vector<Diagnostic> bad(std::string text) {
  auto loaded = load(std::move(text));
  REQUIRE_FALSE(loaded.has_value());
  REQUIRE_FALSE(loaded.error().empty());
  return std::move(loaded.error());
}

/// "line:column pointer: message / suggestion" of a text with exactly one mistake.
inline std::string only_mistake(std::string text) {
  const std::vector<Diagnostic> all = bad(std::move(text));
  CHECK_MESSAGE(all.size() == 1, render(all, false));
  const Diagnostic& one = all.front();
  return std::to_string(one.line) + ":" + std::to_string(one.column) + " " + one.pointer + ": " + one.message +
         (one.suggestion.empty() ? "" : " / " + one.suggestion);
}

/// The source that the caret of a diagnostic points at.
inline std::string under_caret(const Diagnostic& one) { return one.excerpt.text.substr(one.excerpt.caret, one.excerpt.length); }

}  // namespace corral::config::test
