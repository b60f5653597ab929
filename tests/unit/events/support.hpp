// Names and lives for the tests of this room.
#pragma once

#include <string_view>

#include "supervisor/shell/events/narrator.hpp"

namespace corral::shell::test {

using namespace std::chrono_literals;

inline Life life(std::uint32_t worker, std::uint32_t incarnation, std::uint32_t program = 0) {
  return {{ProgramId{program}, worker}, Incarnation{incarnation}};
}

/// Program 0 is "crunch", all others are "sort".
inline Narrator names() {
  return Narrator([](ProgramId id) { return number(id) == 0 ? std::string_view("crunch") : std::string_view("sort"); });
}

}  // namespace corral::shell::test
