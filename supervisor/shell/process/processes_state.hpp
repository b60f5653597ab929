// What Processes knows: who is alive, and what is left of whom. For the .cpp files of this room alone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "supervisor/shell/process/cgroup.hpp"
#include "supervisor/shell/process/coarse_clock.hpp"
#include "supervisor/shell/process/descendants.hpp"
#include "supervisor/shell/process/launcher.hpp"
#include "supervisor/shell/process/processes.hpp"
#include "supervisor/shell/process/search.hpp"

namespace corral::process {

/// One bit pattern for each living life, carried in its timer slack. Lowest free number first: the slack stays short.
class Markers {
 public:
  Markers();
  /// 0: none to be had.
  std::uint32_t take();
  void give_back(std::uint32_t marker);
  /// The slack to set; 0 for no marker.
  [[nodiscard]] unsigned long slack(std::uint32_t marker) const { return marker == 0 ? 0 : base_ + marker; }

 private:
  static constexpr std::uint32_t most = 100'000;  // 0.1 ms of slack at worst.
  unsigned long base_ = 0;
  std::uint32_t next_ = 1;
  std::vector<std::uint32_t> free_;
};

/// A process that was launched and is not reaped.
struct Leader {
  Life life;
  std::uint32_t marker = 0;
  bool failed = false;   ///< Its launch failed and was reported: reap it in silence.
  bool settled = false;  ///< Its exec has happened, or was not reached.
  bool killed_by_us = false;
  Instant settled_at{};
};

/// What may be left of a life whose leader was reaped.
struct Remains {
  pid_t leader =
      0;  ///< The number of its group, and of its session if it had one; kept from reuse by the kernel while either has members.
  bool group = false;  ///< Its group had members when last looked.
  std::uint32_t marker = 0;
  Incarnation incarnation{};
};

/// A worker that was told the score that is configured for it.
struct Told {
  Life life;
  pid_t pid = 0;
  int score = 0;
};

struct LifeHash {
  std::size_t operator()(const Life& life) const noexcept {
    return std::hash<WorkerId>{}(life.worker) * 31 + number(life.incarnation);
  }
};

struct Processes::State {
  State(ProcessOptions wanted, std::unique_ptr<Launcher> launching)
      : options(std::move(wanted)), launcher(std::move(launching)) {}

  ProcessOptions options;
  std::unique_ptr<Launcher> launcher;
  std::optional<WorkersCgroup> cgroup;
  std::string no_cgroup;  ///< Why there is none.
  OomCounter oom;
  std::uint64_t oom_credit = 0;
  std::optional<int> own_oom_score;  ///< Once it was looked up.
  bool scores_inherited = false;     ///< The supervisor has, for a while, what its workers shall have.
  bool caught_up = false;
  Markers markers;
  Descendants descendants;
  ChildSearch search;           ///< Where descendants does not tell.
  bool strangers_known = true;  ///< Otherwise there were some, and nothing tells them from ours.
  std::vector<std::string> notices;

  std::unordered_map<pid_t, Leader> leaders;
  std::unordered_map<WorkerId, pid_t> living;
  std::unordered_map<WorkerId, Remains> resting;  ///< The latest dead life of a worker, not being swept.
  std::unordered_map<Life, Remains, LifeHash> sweeps;
  std::unordered_map<pid_t, Life> attributed;  ///< Orphans whose origin was found before.
  std::unordered_set<pid_t> strangers;         ///< Children from before: none of our business.
  std::vector<pid_t> unscored;                 ///< Launched, and not yet told to die before the supervisor.
  std::vector<Told> scored;                    ///< What they had forked before has to be told too.
  std::vector<LaunchOutcome> outcomes;
  std::vector<Launcher::Finished> finished;  ///< Scratch.
  Instant last_settled{};

  // processes.cpp
  void take_outcomes();
  void retire(const Leader& leader, pid_t pid, bool group_remains);
  // scores.cpp
  void take_own_score_back();
  /// `program`: whose configuration asks for it, for the message that it was refused; null where none does.
  void set_oom_score(Life life, pid_t pid, int score, const std::string* program);
  [[nodiscard]] int own_score();
  [[nodiscard]] bool has_inherited_score(pid_t pid, int told);
  bool pass_score_on(const Told& worker);
  // reap.cpp
  bool reap_one(pid_t which, bool exited, Deaths& out);  ///< 0: any.
  void bury(pid_t pid, const Leader& leader, const Death& facts, Deaths& out);
  bool killed_by_oom(bool killed_by_us, int signal);
  // sweep.cpp
  [[nodiscard]] std::optional<Life> origin(pid_t orphan);
  int kill_orphan(pid_t orphan);  ///< 0, or errno.
  [[nodiscard]] bool is_our_group(pid_t group, pid_t orphan) const;
  [[nodiscard]] std::optional<std::vector<pid_t>> orphans(bool among_what_we_started_too);
  [[nodiscard]] std::vector<pid_t> orphans_by_search();
};

/// To the group that `leader` (not reaped) leads, and to itself where it is not in it. 0, or why it has not reached the leader.
int signal_group_of(pid_t leader, int number);

/// Whether the group that `leader` (reaped) led still has members. A number that is in use as a group is not given to a
/// new process, so a process of that number means that the group is gone and somebody else has the number now.
[[nodiscard]] bool group_remains(pid_t leader);

}  // namespace corral::process
