// Whether a process that carries an identity still has its supervisor.
//
// What a supervisor starts stays below it: it is a subreaper, so even what loses its parent becomes its child. While it lives it
// is an ancestor of everything that carries its identity; when it has died all of that has been handed on to init, to another
// subreaper, or to an outer corral. So a leftover is what has no living supervisor *of that identity* above it. That an ancestor
// is a corral is not enough: the outer one of two nested ones is none of the inner one's kind, and takes over what that left.
//
// A supervisor of an identity is known by its descriptor: it holds IDENTITY.lock for as long as it lives, wherever its
// runtime folder lies, in whatever mount namespace, whatever its executable is called by now (an upgrade replaces it), and
// whether or not the file still has a name. Nobody inherits that descriptor but the guardian, which is nobody's parent.
// An ancestor that carries the identity itself is a worker: whatever it has opened, it does not stand in for its supervisor.
// One whose descriptors cannot be read (capabilities on its file) counts as one where it is a corral of our user and no
// ancestor of ours: to refuse a start is better than to kill somebody's workers.
#pragma once

#include <sys/types.h>

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace corral::process {

/// One look at the processes: what it has learned of an ancestor holds for its length. We ourselves are never the answer.
class LivingSupervisors {
 public:
  explicit LivingSupervisors(std::string_view identity);

  /// The supervisor of the identity that lives above `pid`; 0 where there is none, or `pid` has ended.
  [[nodiscard]] pid_t above(pid_t pid);

  /// The supervisor of the identity that lives, found by its guardian, by its workers, or above ourselves; 0 for none.
  [[nodiscard]] pid_t any();

  /// One that has neither workers nor a guardian yet, known by its lock alone; 0 for none.
  [[nodiscard]] pid_t any_that_begins();

  /// We and those that we come from: a supervisor started inside an old worker must not kill itself.
  [[nodiscard]] const std::set<pid_t>& lineage() const { return lineage_; }

 private:
  [[nodiscard]] bool supervises(pid_t ancestor);
  [[nodiscard]] bool look_at(pid_t ancestor) const;

  std::string identity_;
  std::set<pid_t> lineage_;
  std::map<pid_t, bool> known_;
};

/// The pids in /proc, without 1.
[[nodiscard]] std::vector<pid_t> all_processes();

/// The name that the lock of an identity has.
[[nodiscard]] std::string lock_name(std::string_view identity);

/// What a guardian is called in a list of processes; no command line begins like that. Its identity follows.
inline constexpr const char* guardian_name = "corral: guardian";

}  // namespace corral::process
