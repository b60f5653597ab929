// The configuration parser against whatever libFuzzer thinks of.
//
// What must hold of every text: no crash, no sanitizer's report; a specification that keeps its promises, or at least
// one diagnostic; every place inside the file; the shown text free of control characters; JSON that is JSON.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/check.hpp"
#include "supervisor/config/config.hpp"

namespace {

using corral::config::Diagnostic;

std::optional<std::string> lookup(std::string_view name) {
  if (name.starts_with('U')) {
    return std::nullopt;
  }
  return name.starts_with('E') ? std::string() : "value of " + std::string(name);
}

bool is_printable(std::string_view text) {
  return std::ranges::none_of(text, [](unsigned char c) { return (c < 0x20 && c != '\n') || c == 0x7F; });
}

void check_diagnostic(const Diagnostic& one, std::string_view text) {
  CORRAL_CHECK(one.offset <= text.size());
  CORRAL_CHECK(one.line == 1 + static_cast<std::size_t>(std::ranges::count(text.substr(0, one.offset), '\n')));
  CORRAL_CHECK(one.column >= 1 && one.column <= one.offset + 1);
  CORRAL_CHECK(!one.message.empty() && !one.message.contains('\n'));
  CORRAL_CHECK(one.excerpt.caret + one.excerpt.length <= one.excerpt.text.size());
  CORRAL_CHECK(is_printable(corral::config::render(one, false)));
}

void check_spec(const corral::core::SupervisorSpec& spec) {
  CORRAL_CHECK(!spec.programs.empty() && spec.programs.size() <= 1000);
  for (const corral::core::ProgramSpec& program : spec.programs) {
    CORRAL_CHECK(!program.name.empty() && program.name.size() <= 64);
    CORRAL_CHECK(!program.launch.command.empty() && !program.launch.command.front().empty());
    for (const std::string& argument : program.launch.command) {
      CORRAL_CHECK(argument.size() < corral::config::longest_argument && !argument.contains('\0'));
    }
    CORRAL_CHECK(program.restart.delay.count() >= 0 && program.restart.delay <= program.restart.max_delay);
    CORRAL_CHECK(program.restart.factor >= 1 && program.restart.factor <= 1000);
    CORRAL_CHECK(program.restart.jitter >= 0 && program.restart.jitter <= 1);
    CORRAL_CHECK(std::ranges::is_sorted(program.restart.success_codes));
    CORRAL_CHECK(program.stop.grace.count() >= 0 && program.stop.signal >= 1);
    CORRAL_CHECK(program.start_timeout.count() > 0);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto loaded = corral::config::parse({"fuzz.json", text}, lookup);
  if (loaded) {
    check_spec(loaded->spec);
    check_diagnostic(loaded->diagnose("/programs/a/command/0", "x"), text);
    return 0;
  }
  CORRAL_CHECK(!loaded.error().empty() && loaded.error().size() <= 101);
  CORRAL_CHECK(std::ranges::is_sorted(loaded.error(), {}, &Diagnostic::offset));
  for (const Diagnostic& one : loaded.error()) {
    check_diagnostic(one, text);
  }
  CORRAL_CHECK(corral::config::to_json(loaded.error()).starts_with('['));
  return 0;
}
