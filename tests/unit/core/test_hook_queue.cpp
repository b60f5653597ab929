#include <doctest/doctest.h>

#include "supervisor/core/hook_queue.hpp"

using namespace corral;
using namespace corral::core;
using namespace std::chrono_literals;
using Step = HookQueue::Step;

namespace {

constexpr Instant at(Duration time) { return Instant(time); }

/// One runs since 0 s, and so many wait.
HookQueue busy(std::size_t waiting, HookLimits limits = {}) {
  HookQueue queue(limits);
  for (std::size_t i = 0; i <= waiting; ++i) {
    CHECK(queue.offer());
    if (i == 0) {
      CHECK(queue.next(at(0s)) == Step::launch);
      queue.launched(at(0s));
    }
  }
  return queue;
}

}  // namespace

TEST_CASE("hooks run one after another") {
  HookQueue queue({});
  CHECK(queue.is_done(at(0s)));
  CHECK(queue.next_deadline() == never);
  CHECK(queue.offer());
  CHECK(queue.offer());
  CHECK_FALSE(queue.is_done(at(0s)));
  CHECK(queue.next(at(0s)) == Step::launch);
  CHECK(queue.next(at(0s)) == Step::nothing);  // Its launch is under way.
  queue.launched(at(0s));
  CHECK(queue.next(at(1s)) == Step::nothing);
  queue.ended();
  CHECK(queue.next(at(1s)) == Step::launch);
  queue.ended();  // It could not be launched.
  CHECK(queue.next(at(1s)) == Step::nothing);
  CHECK(queue.is_done(at(1s)));
  CHECK(queue.dropped() == 0);
}

TEST_CASE("a hook that takes too long is killed once, and the next follows when it is gone") {
  HookQueue queue = busy(1);
  CHECK(queue.next_deadline() == at(10s));
  CHECK(queue.next(at(10s) - 1ns) == Step::nothing);
  CHECK(queue.next(at(10s)) == Step::kill);
  CHECK(queue.was_killed());
  CHECK(queue.next(at(11s)) == Step::nothing);
  CHECK(queue.next_deadline() == never);
  queue.ended();
  CHECK_FALSE(queue.was_killed());
  CHECK(queue.next(at(12s)) == Step::launch);
  queue.launched(at(12s));
  CHECK(queue.next_deadline() == at(22s));
}

TEST_CASE("so many wait, the others are dropped and counted") {
  HookQueue queue = busy(0, {.waiting = 3});
  for (int i = 0; i < 3; ++i) {
    CHECK(queue.offer());
  }
  CHECK_FALSE(queue.offer());
  CHECK_FALSE(queue.offer());
  CHECK(queue.dropped() == 2);
  CHECK(queue.waiting() == 3);
}

TEST_CASE("at the end there is a short time for all that is left") {
  HookQueue queue = busy(2);
  queue.finish(at(1s));
  queue.finish(at(2s));  // Said again: the time does not begin anew.
  CHECK(queue.next_deadline() == at(3s));
  queue.ended();
  CHECK(queue.next(at(2s)) == Step::launch);
  queue.launched(at(2s));
  CHECK(queue.next(at(3s)) == Step::drop_rest);
  CHECK(queue.dropped() == 1);
  CHECK(queue.next(at(3s)) == Step::kill);
  CHECK(queue.next(at(3s)) == Step::nothing);
  CHECK_FALSE(queue.is_done(at(3s)));
  queue.ended();
  CHECK(queue.is_done(at(3s)));
  CHECK(queue.offer());
  CHECK(queue.next(at(4s)) == Step::drop_rest);  // Too late.
  CHECK(queue.is_done(at(4s)));
}

TEST_CASE("a hook that cannot be killed does not keep everything from ending") {
  HookQueue queue = busy(0);
  queue.finish(at(0s));
  CHECK(queue.next(at(2s)) == Step::kill);
  CHECK(queue.next_deadline() == at(3s));
  CHECK_FALSE(queue.is_done(at(3s) - 1ns));
  CHECK(queue.is_done(at(3s)));
}

TEST_CASE("who is in a hurry waits for no hook") {
  HookQueue queue = busy(5);
  queue.finish(at(0s));
  queue.hurry(at(500ms));
  CHECK(queue.next(at(500ms)) == Step::drop_rest);
  CHECK(queue.next(at(500ms)) == Step::kill);
  queue.ended();
  CHECK(queue.is_done(at(500ms)));
}
