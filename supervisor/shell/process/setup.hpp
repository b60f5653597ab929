// What a supervisor does to its own process before it starts any other, and how it makes sure that it is the only one.
//
// ProcessSetup::begin() belongs at the very start of main: before it a signal can still kill the supervisor, after it
// none does until somebody reads the signalfd. InstanceLock is for `run`: one supervisor for a configuration, and no
// worker of a predecessor that was killed.
// Must not: start anything, or write anywhere but the lock file and what it says here.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <csignal>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/instant.hpp"
#include "common/base/result.hpp"
#include "supervisor/shell/process/identity_mark.hpp"

namespace corral::process {

class ProcessSetup {
 public:
  /// Opens descriptors 0 to 2 on /dev/null where they are closed, blocks every signal that can be blocked (a
  /// fault of our own ends us all the same: the kernel delivers its SIGSEGV past the mask), gives every signal its
  /// default disposition except SIGPIPE (ignored), raises the soft limit of open files to the hard one, and becomes the
  /// subreaper.
  [[nodiscard]] static Result<ProcessSetup> begin();

  /// What the signalfd should be made with: all blocked signals.
  [[nodiscard]] const sigset_t& blocked() const { return blocked_; }
  /// The standard descriptors (0 to 2) that were closed when we were started: /dev/null stands for them now.
  [[nodiscard]] bool was_closed(int fd) const {
    return fd >= 0 && fd < 3 && (was_closed_ >> static_cast<unsigned>(fd) & 1U) != 0;
  }
  /// Ignored when we were started: SIGHUP under nohup, SIGINT in a shell's background job.
  [[nodiscard]] bool was_ignored(int signal) const;
  [[nodiscard]] const sigset_t& inherited_mask() const { return inherited_mask_; }
  /// The limit that workers get back.
  [[nodiscard]] const rlimit& inherited_open_files() const { return inherited_open_files_; }
  /// Where something could not be done: one sentence each, for people.
  [[nodiscard]] const std::vector<std::string>& notices() const { return notices_; }

 private:
  ProcessSetup() = default;
  sigset_t blocked_{};
  sigset_t inherited_mask_{};
  std::uint64_t was_ignored_ = 0;
  unsigned was_closed_ = 0;
  rlimit inherited_open_files_{};
  std::vector<std::string> notices_;
};

/// CORRAL_SUPERVISOR of a supervisor without a configuration file: differs from that of any other process.
[[nodiscard]] std::string fresh_identity();
/// CORRAL_SUPERVISOR of `run`: the same after a restart. `path` is made canonical; the real uid is part of it.
[[nodiscard]] Result<std::string> identity_of(const std::string& config_path);

/// Where locks and control sockets lie: /run/corral for root, $XDG_RUNTIME_DIR/corral, otherwise /tmp/corral-UID.
[[nodiscard]] std::string runtime_directory();
/// Makes it, with mode 0700. Fails where it belongs to somebody else, or others can write to it.
[[nodiscard]] Result<void> make_runtime_directory();

struct Cleared {
  std::uint32_t killed = 0;  ///< Processes that were still alive.
  bool gone = true;          ///< False: some would not die within the patience.
};

/// Kills every process that a supervisor of that identity has left, and waits for their end. What still has a living one above
/// it is let be.
[[nodiscard]] Cleared clear_leftovers(std::string_view identity, Duration patience);

class InstanceLock {
 public:
  /// Takes the lock of `identity`. The error says which pid holds it: "already running as pid 4123 for '/etc/corral.json'".
  /// Where no directory can be written it holds nothing and notice() says so.
  [[nodiscard]] static Result<InstanceLock> acquire(std::string_view identity, std::string_view config_path);
  InstanceLock(InstanceLock&&) noexcept;
  InstanceLock& operator=(InstanceLock&&) noexcept;
  ~InstanceLock();  ///< Lets go of the lock but leaves the file: only release() says that the end was clean.

  /// The predecessor ended uncleanly (its file was still there): its workers may be alive.
  [[nodiscard]] bool unclean() const { return unclean_; }
  /// Kills what the predecessor left. Call it before anything is started.
  [[nodiscard]] Cleared clear_leftovers(Duration patience) const { return process::clear_leftovers(identity_, patience); }
  /// The pid of a supervisor of the same identity whose lock is not this one: it has another runtime folder, or somebody has
  /// removed the lock under it. 0 where none is found. All of /proc is looked through only where somebody else has left the
  /// mark of the identity.
  [[nodiscard]] pid_t living_elsewhere() const { return elsewhere_; }
  /// Whoever has this open holds the lock too; -1 where there is none.
  [[nodiscard]] int file() const { return file_; }
  /// A clean end, or nothing was begun: nothing of ours is alive. Removes the file.
  void release();
  [[nodiscard]] const std::string& notice() const { return notice_; }
  /// For those who look for this supervisor: where it listens (empty: nowhere), and what it was made from.
  void note(std::string_view socket, std::string_view config);

 private:
  InstanceLock() = default;
  [[nodiscard]] static Result<InstanceLock> take(std::string_view identity, std::string_view config_path);
  void write(const std::string& text);
  int directory_ = -1;
  int file_ = -1;
  int mark_ = -1;  ///< Where there is no lock: by its name others know us all the same.
  IdentityMark identity_mark_;
  pid_t elsewhere_ = 0;
  bool unclean_ = false;
  std::string identity_;
  std::string notice_;
};

}  // namespace corral::process
