#include "supervisor/core/signal_tally.hpp"

#include <algorithm>
#include <utility>

namespace corral::core {
namespace {

constexpr Duration apart = std::chrono::seconds(1);

}  // namespace

std::optional<HeardSignal> SignalTally::hear(Instant now, int signal, std::optional<std::uint32_t> passed_on) {
  Entry& entry = entries_[signal];
  entry.untold = {signal, passed_on, entry.untold.times + 1};
  if (now < entry.again) {
    return std::nullopt;
  }
  entry.again = after(now, apart);
  return std::exchange(entry.untold, {});
}

std::vector<HeardSignal> SignalTally::take_due(Instant now) {
  std::vector<HeardSignal> due;
  for (auto& [signal, entry] : entries_) {
    if (entry.untold.times > 0 && entry.again <= now) {
      entry.again = after(now, apart);
      due.push_back(std::exchange(entry.untold, {}));
    }
  }
  return due;
}

Instant SignalTally::next() const {
  Instant first = never;
  for (const auto& [signal, entry] : entries_) {
    if (entry.untold.times > 0) {
      first = std::min(first, entry.again);
    }
  }
  return first;
}

}  // namespace corral::core
