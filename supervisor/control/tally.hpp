// Counts what nobody else counts: restarts by cause, how long a dead worker was missed, how late the loop was.
//
// Fed with what the core is told and what it has to say; decides nothing. Costs O(1) an event, and holds no more than one
// entry for each program and one for each worker that is dead and comes back.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/instant.hpp"
#include "supervisor/control/histogram.hpp"
#include "supervisor/core/action.hpp"
#include "supervisor/core/event.hpp"

namespace corral::control {

/// Why a worker was started again.
enum class RestartCause : std::uint8_t {
  success,        ///< It ended with status 0, and its policy starts it again.
  failure,        ///< It ended with another status.
  signal,         ///< A signal ended it.
  out_of_memory,  ///< The kernel ended it for want of memory.
  launch,         ///< It could not be started, and is tried again.
  replaced,       ///< Its definition has changed, or it was to be renewed.
  asked,          ///< A command asked for it.
};
inline constexpr std::array all_causes{RestartCause::success,       RestartCause::failure, RestartCause::signal,
                                       RestartCause::out_of_memory, RestartCause::launch,  RestartCause::replaced,
                                       RestartCause::asked};
[[nodiscard]] std::string_view name(RestartCause cause);

/// Of one program, since the supervisor started.
struct ProgramTally {
  std::array<std::uint64_t, all_causes.size()> restarts{};  ///< Decided: a stop may still come in between.
  Duration cpu_of_the_dead{};                               ///< User and system time of all lives that have ended.
};

/// What was counted so far: to be copied out of the loop.
struct TallyCounts {
  std::map<ProgramId, ProgramTally> programs;
  /// From the death of a worker until its next life ran, the delay that its policy asked for included.
  Histogram downtime;
  /// The same without that delay: what the supervisor itself is to blame for.
  Histogram restart_latency;
  Histogram loop_lag;
};

class Tally {
 public:
  void hear(Instant now, const core::Event& event);
  void hear(Instant now, const core::Notice& notice);
  /// The program has left the configuration.
  void forget(ProgramId program);
  /// So long was the loop at one thing, or so late for another: nobody else was heard meanwhile.
  void note_loop_lag(Duration lag) { counts_.loop_lag.observe(lag); }

  [[nodiscard]] const TallyCounts& counts() const { return counts_; }
  /// Workers that are dead and come back.
  [[nodiscard]] std::size_t missing() const { return missing_.size(); }

 private:
  /// A worker between two lives.
  struct Missing {
    Instant died{};
    Duration delay{};         ///< Asked for by its policy so far.
    bool comes_back = false;  ///< Its end was judged, and another life follows.
  };

  void on(Instant now, const core::Ended& ended);
  void on(Instant now, const core::LaunchFailed& failed);
  void on(Instant now, const core::Started& started);
  void forget_wait_of(const std::vector<WorkerId>& workers);
  void follow(Instant now, const Life& life, const core::Verdict& verdict, RestartCause cause);

  TallyCounts counts_;
  std::unordered_map<WorkerId, Missing> missing_;
};

}  // namespace corral::control
