// One document a line on stdin, one verdict a line on stdout, for schema_agreement.py.
//
//   ok      the decoder takes it
//   beyond  it is refused, but only by rules that a JSON Schema cannot state
//   error   it is refused by something that the schema must refuse too; the first message follows
#include <algorithm>
#include <iostream>
#include <string>

#include "supervisor/config/config.hpp"

namespace {

std::optional<std::string> lookup(std::string_view name) {
  if (name == "HOME") {
    return "/home/somebody";
  }
  return name == "EMPTY" ? std::optional<std::string>("") : std::nullopt;
}

std::string verdict(const std::string& document) {
  const auto loaded = corral::config::parse({"document", document}, lookup);
  if (loaded) {
    return "ok";
  }
  const auto first = std::ranges::find_if_not(loaded.error(), &corral::config::Diagnostic::beyond_schema);
  return first == loaded.error().end() ? "beyond " + loaded.error().front().message : "error " + first->message;
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << verdict(line) << '\n';
  }
  return std::cout.flush().good() ? 0 : 1;
}
