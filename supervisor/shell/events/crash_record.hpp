// The record of one abnormal end, as a JSON object, and the latest of them in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "supervisor/shell/events/event.hpp"

namespace corral::shell {

/// What the kernel says of the memory that ran out.
struct OomFacts {
  std::string source;  ///< The file that counts.
  std::uint64_t kills = 0;
  std::optional<std::uint64_t> limit_bytes{};
  std::optional<std::uint64_t> peak_bytes{};
};

/// All that is known beside the event itself.
struct CrashFacts {
  std::string cores;                    ///< "0-1"; empty: not bound.
  std::optional<std::uint64_t> task{};  ///< That it was at, by number.
  std::string words;                    ///< LastWords::member().
  std::optional<OomFacts> oom{};
};

struct CrashRecord {
  Life life;
  std::uint64_t number = 0;  ///< Of the event.
  std::int64_t wall_ms = 0;
  std::string worker;  ///< "crunch/0".
  std::string text;    ///< The sentence that was said.
  std::string json;    ///< One line without its break.
};

/// Nothing where the event is no abnormal end.
[[nodiscard]] bool is_crash(const core::Notice& notice);
[[nodiscard]] CrashRecord make_crash_record(const Event& event, const Narrator& narrator, const CrashFacts& facts);

/// The latest, for whoever asks.
class Crashes {
 public:
  static constexpr std::size_t most = 100;
  static constexpr std::size_t most_bytes = std::size_t{1} << 20U;

  void add(CrashRecord record);
  /// Oldest first.
  [[nodiscard]] const std::deque<CrashRecord>& all() const { return records_; }
  [[nodiscard]] const CrashRecord* last_of(WorkerId worker) const;

 private:
  std::deque<CrashRecord> records_;
  std::size_t bytes_ = 0;
};

}  // namespace corral::shell
