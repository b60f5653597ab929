// Who is meant. Strong types, so that an index is never taken for a pid nor one life of a worker for another.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace corral {

/// The number of a program for as long as the supervisor lives; never used again for another one.
enum class ProgramId : std::uint32_t {};

/// One numbered slot of a program, `NAME/INDEX` for people. Index counts from 0.
struct WorkerId {
  ProgramId program{};
  std::uint32_t index = 0;

  friend auto operator<=>(const WorkerId&, const WorkerId&) = default;
};

/// One life of a worker: one process. Counted from 1; 0 is "never started".
enum class Incarnation : std::uint32_t {};

[[nodiscard]] constexpr std::uint32_t number(Incarnation incarnation) { return static_cast<std::uint32_t>(incarnation); }
[[nodiscard]] constexpr std::uint32_t number(ProgramId program) { return static_cast<std::uint32_t>(program); }
[[nodiscard]] constexpr Incarnation next(Incarnation incarnation) { return Incarnation{number(incarnation) + 1}; }

/// A worker in one of its lives: what every event from the outside and every signal to it is addressed with.
struct Life {
  WorkerId worker;
  Incarnation incarnation{};

  friend auto operator<=>(const Life&, const Life&) = default;
};

}  // namespace corral

template <>
struct std::hash<corral::WorkerId> {
  std::size_t operator()(const corral::WorkerId& id) const noexcept {
    return std::hash<std::uint64_t>{}(std::uint64_t{corral::number(id.program)} << 32U | id.index);
  }
};
