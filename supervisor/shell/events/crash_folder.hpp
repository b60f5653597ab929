// Crash records as files, written by a thread of their own: a disk that is full, read-only or gone delays nobody.
//
// A file appears whole or not at all (written beside, then renamed), is 0640 and of a name that sorts by time:
// crash-20260131T120000.123Z-00000042-crunch.0.json. Of the files with such names no more than `keep` stay, the oldest go.
// Nothing else in the folder is touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/base/instant.hpp"
#include "supervisor/shell/events/crash_record.hpp"

namespace corral::shell {

class CrashFolder {
 public:
  static constexpr std::size_t most_waiting = 256;

  /// Something is to be said: called by the thread. A failure is told once, until a record could be written again.
  using Report = std::function<void(std::string)>;

  CrashFolder(std::string folder, std::size_t keep, Report report);
  CrashFolder(const CrashFolder&) = delete;
  CrashFolder& operator=(const CrashFolder&) = delete;
  ~CrashFolder();  ///< Waits for nothing: see finish().

  /// Never waits. What does not fit into the queue is counted, and told with the next that does.
  void write(const CrashRecord& record);

  /// The end: waits at most so long for what is left. A disk that hangs is left to hang.
  void finish(Duration patience);

  [[nodiscard]] static std::string file_name(const CrashRecord& record);

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
  bool started_ = false;
};

}  // namespace corral::shell
