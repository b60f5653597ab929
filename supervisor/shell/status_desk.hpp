// The latest status of all, and who waits for the next one. On the first thread, where clients are.
//
// To look costs microseconds a worker, and a crowd asks at once: one look serves all who asked before it was taken, and what it
// has found serves whoever comes while nothing has happened.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "common/base/instant.hpp"
#include "supervisor/control/reply.hpp"
#include "supervisor/shell/api/server.hpp"

namespace corral::shell {

class StatusDesk {
 public:
  /// `look`: has to end in show(), later.
  explicit StatusDesk(std::function<void()> look) : look_(std::move(look)) {}

  /// `generation`: of what there is to see now; another one with each thing that happens.
  void ask(std::uint64_t generation, Instant now, api::Answer answer);

  /// What a look has found that was taken at `generation`, and its figures at `at`.
  void show(std::uint64_t generation, Instant at, control::Reply status);

 private:
  struct Seen {
    std::uint64_t generation;
    Instant at;
    api::Whole status;
  };
  struct Waiting {
    std::uint64_t generation = 0;  ///< When he asked: an earlier look does not show him what he has done himself.
    api::Answer answer;
  };
  void look();

  std::function<void()> look_;
  bool looks_ = false;
  std::optional<Seen> seen_;
  std::vector<Waiting> waiting_;  ///< At most one a connection, and those are counted.
};

}  // namespace corral::shell
