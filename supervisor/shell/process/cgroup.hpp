// The one cgroup that holds every worker of a supervisor, and the kernel's count of OOM kills.
//
// One for all and not one for each worker: making and removing a directory for each of 1,000 workers costs more than
// stopping them (docs/decisions/0002-launching.md). It makes "everything is gone" exact, also for a supervisor that was
// killed. Writes nothing while workers come and go.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/file_descriptor.hpp"
#include "common/base/result.hpp"

namespace corral::process {

/// Our own directory in the cgroup v2 hierarchy, found by /proc. Empty where there is none.
[[nodiscard]] std::string own_cgroup();

class WorkersCgroup {
 public:
  /// Makes `corral-IDENTITY` below our own cgroup, in the place of a predecessor's. Removes what others left there that are dead.
  /// EBUSY where somebody of the predecessor's lives on.
  [[nodiscard]] static Result<WorkersCgroup> create(std::string_view identity);
  /// What a predecessor left, if it is there.
  [[nodiscard]] static std::optional<WorkersCgroup> find(std::string_view identity);
  WorkersCgroup(WorkersCgroup&& other) noexcept;
  WorkersCgroup& operator=(WorkersCgroup&&) = delete;
  ~WorkersCgroup();

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// SIGKILL to all in it, forks under way included. False before Linux 5.14.
  bool kill() const;
  [[nodiscard]] bool populated() const;
  /// Removes it, and what workers have made in it, where nobody lives in it.
  void remove();

 private:
  WorkersCgroup(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  int fd_;
  std::string path_;
  /// The kernel asks these two files for permission at each start in the cgroup, and makes and drops their inodes
  /// each time unless somebody holds them: a third of what such a start costs more than one without.
  FileDescriptor held_[2];
};

/// How many processes of our memory cgroup (or of the machine) the OOM killer has killed.
class OomCounter {
 public:
  OomCounter() = default;
  OomCounter(const OomCounter&) = delete;
  OomCounter& operator=(const OomCounter&) = delete;
  ~OomCounter();
  /// Finds the counter and remembers its value.
  void start();
  /// Kills since the last call.
  [[nodiscard]] std::uint64_t fresh();
  /// The file that counts; empty where there is none.
  [[nodiscard]] const std::string& source() const { return source_; }
  [[nodiscard]] std::uint64_t total() const { return last_; }

 private:
  [[nodiscard]] std::uint64_t read() const;
  int fd_ = -1;
  std::string source_;
  std::uint64_t last_ = 0;
};

}  // namespace corral::process
