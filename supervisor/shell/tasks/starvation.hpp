// Filters that hold their output back: most programs do when it goes into a pipe, until they have a few kilobytes of it or
// reach the end of their input. One that waits for input although it owes an answer is found here.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/instant.hpp"

namespace corral::shell {

class Starvation {
 public:
  void begin(Life life, std::int32_t pid, Instant now);
  void end(Life life);
  void answered(Life life, Instant now);
  void given(Life life, Instant now);

  /// When look() is due at the latest; nothing while nobody owes anything.
  [[nodiscard]] std::optional<Instant> next_look() const;
  /// Those who owe an answer and wait for input.
  [[nodiscard]] std::vector<Life> look(Instant now);

 private:
  struct Filter {
    Life life;
    std::int32_t pid = 0;
    std::uint64_t owes = 0;
    Instant quiet_since{};
  };
  [[nodiscard]] Filter* find(Life life);
  std::vector<Filter> filters_;  ///< By worker.
  std::uint64_t owed_ = 0;       ///< By all.
  Instant next_look_ = never;
  Duration pause_{};
};

}  // namespace corral::shell
