// Signals that leave nothing but a line in the log: a storm of them is told of once a second and not once each.
//
// The first of a kind is told at once. Those that follow within a second are counted, and told of together when it is over.
// What was counted has a deadline, so nothing is forgotten and nobody looks in vain.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "common/base/instant.hpp"

namespace corral::core {

/// To be told.
struct HeardSignal {
  int signal = 0;
  std::optional<std::uint32_t> passed_on;  ///< To so many workers, the last time; nothing: it was ignored.
  std::uint64_t times = 0;                 ///< Since this signal was last told of.
};

class SignalTally {
 public:
  /// It came once more. Nothing: that is told later.
  [[nodiscard]] std::optional<HeardSignal> hear(Instant now, int signal, std::optional<std::uint32_t> passed_on);
  /// What is to be told by now.
  [[nodiscard]] std::vector<HeardSignal> take_due(Instant now);
  /// When that will be more than nothing; `never` where all is told.
  [[nodiscard]] Instant next() const;

 private:
  struct Entry {
    HeardSignal untold;
    Instant again{};  ///< Not to be told of before.
  };
  std::map<int, Entry> entries_;  ///< By signal: at most as many as there are signals.
};

}  // namespace corral::core
