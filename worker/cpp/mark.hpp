// Which task is in work, where the supervisor finds it when this process has died: it tells that task from those that were done
// and whose answers were still held.
#pragma once

#include <cstdint>

namespace corral::worker {

class Mark {
 public:
  /// In the memory behind the descriptor that CORRAL_MARK_FD names; the descriptor is closed and the variable unset. Where there
  /// is none, as under a supervisor that does not look, nobody sees what is marked.
  Mark();
  Mark(const Mark&) = delete;
  Mark& operator=(const Mark&) = delete;
  ~Mark();

  void set(std::uint64_t task) { *word_ = task; }

 private:
  std::uint64_t unseen_ = 0;
  volatile std::uint64_t* word_ = &unseen_;
};

}  // namespace corral::worker
