#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "supervisor/core/restart.hpp"

using namespace corral;
using namespace corral::core;
using namespace std::chrono_literals;

namespace {
constexpr std::uint32_t huge = std::numeric_limits<std::uint32_t>::max();
}

TEST_CASE("delays grow by the factor up to the cap") {
  RestartPolicy policy;
  policy.delay = 100ms;
  policy.factor = 2;
  policy.max_delay = 1s;
  CHECK(base_delay(policy, 0) == 0ms);
  CHECK(base_delay(policy, 1) == 100ms);
  CHECK(base_delay(policy, 2) == 200ms);
  CHECK(base_delay(policy, 3) == 400ms);
  CHECK(base_delay(policy, 4) == 800ms);
  CHECK(base_delay(policy, 5) == 1s);
  CHECK(base_delay(policy, 6) == 1s);
  CHECK(base_delay(policy, huge) == 1s);
}

TEST_CASE("a factor of 1 never grows, however long the night") {
  RestartPolicy policy;
  policy.factor = 1;
  CHECK(base_delay(policy, 1) == 100ms);
  CHECK(base_delay(policy, 1000) == 100ms);
  CHECK(base_delay(policy, huge) == 100ms);
}

TEST_CASE("a factor of 1000 and a huge count overflow nothing") {
  RestartPolicy policy;
  policy.factor = 1000;
  policy.delay = 24h * 365;
  policy.max_delay = 24h * 3650;
  CHECK(base_delay(policy, 2) == 24h * 3650);
  CHECK(base_delay(policy, huge) == 24h * 3650);
}

TEST_CASE("a delay above the cap is the cap, and no delay stays none") {
  RestartPolicy policy;
  policy.delay = 10s;
  policy.max_delay = 1s;
  CHECK(base_delay(policy, 1) == 1s);
  policy.delay = 0s;
  CHECK(base_delay(policy, 1) == 0s);
  CHECK(base_delay(policy, huge) == 0s);
}

TEST_CASE("delays never fall as exits add up") {
  for (const double factor : {1.0, 1.1, 1.5, 2.0, 3.7, 1000.0}) {
    RestartPolicy policy;
    policy.factor = factor;
    for (std::uint32_t n = 0; n < 300; ++n) {
      CHECK(base_delay(policy, n) <= base_delay(policy, n + 1));
      CHECK(base_delay(policy, n) <= policy.max_delay);
    }
  }
}

TEST_CASE("jitter stays within its bounds and reaches towards both") {
  RestartPolicy policy;
  policy.jitter = 0.25;
  Random random(7);
  Duration least = 1h;
  Duration most = 0s;
  for (int i = 0; i < 10'000; ++i) {
    const Duration delay = jittered(policy, 1s, random);
    least = std::min(least, delay);
    most = std::max(most, delay);
  }
  CHECK(least >= 750ms);
  CHECK(least < 760ms);
  CHECK(most <= 1250ms);
  CHECK(most > 1240ms);
}

TEST_CASE("without jitter a delay is exact, and no delay is not made one by jitter") {
  RestartPolicy policy;
  Random random(7);
  policy.jitter = 0;
  CHECK(jittered(policy, 123456789ns, random) == 123456789ns);
  policy.jitter = 1;
  CHECK(jittered(policy, 0s, random) == 0s);
  for (int i = 0; i < 1000; ++i) {
    const Duration delay = jittered(policy, 1s, random);
    CHECK(delay >= 0s);
    CHECK(delay <= 2s);
  }
}

TEST_CASE("the same seed gives the same numbers, another seed others") {
  Random one(1);
  Random same(1);
  Random other(2);
  CHECK(one.next() == same.next());
  CHECK(one.next() != other.next());
  CHECK(Random(0).next() == 0xe220a8397b1dcdafULL);  // The published first number of splitmix64.
  for (int i = 0; i < 1000; ++i) {
    const double fraction = one.fraction();
    CHECK(fraction >= 0);
    CHECK(fraction < 1);
  }
}

TEST_CASE("one exit too many within the window exceeds the limit") {
  ExitWindow window;
  const RestartLimit limit{3, 10s};
  CHECK_FALSE(window.note(Instant{1s}, limit));
  CHECK_FALSE(window.note(Instant{2s}, limit));
  CHECK_FALSE(window.note(Instant{3s}, limit));
  CHECK(window.note(Instant{4s}, limit));
  CHECK(window.count() == 4);
}

TEST_CASE("the window slides: exits as old as its length do not count") {
  ExitWindow window;
  const RestartLimit limit{2, 10s};
  CHECK_FALSE(window.note(Instant{0s}, limit));
  CHECK_FALSE(window.note(Instant{9s}, limit));
  CHECK_FALSE(window.note(Instant{10s}, limit));  // The first is 10 s old.
  CHECK(window.count() == 2);
  CHECK(window.note(Instant{18s}, limit));
  CHECK_FALSE(window.note(Instant{100s}, limit));
  CHECK(window.count() == 1);
}

TEST_CASE("a window does not grow with a crash loop that outruns it") {
  ExitWindow window;
  const RestartLimit limit{3, 1h};
  for (int i = 0; i < 1000; ++i) {
    static_cast<void>(window.note(Instant{std::chrono::seconds(i)}, limit));
  }
  CHECK(window.count() == 4);
}

TEST_CASE("a limit of 0 is exceeded by the first unhealthy exit") {
  ExitWindow window;
  CHECK(window.note(Instant{5s}, RestartLimit{0, 10s}));
}

TEST_CASE("a window of no length holds nothing, and is no reason to fall over") {
  ExitWindow window;
  CHECK_FALSE(window.note(Instant{5s}, RestartLimit{0, 0s}));
  CHECK(window.count() == 0);
}

TEST_CASE("what counts as success, and who is started again") {
  RestartPolicy policy;
  policy.success_codes = {0, 3};
  CHECK(is_success(policy, ExitedWith{0}));
  CHECK(is_success(policy, ExitedWith{3}));
  CHECK_FALSE(is_success(policy, ExitedWith{1}));
  CHECK_FALSE(is_success(policy, KilledBy{3}));
  policy.when = RestartWhen::on_failure;
  CHECK_FALSE(wants_restart(policy, ExitedWith{3}));
  CHECK(wants_restart(policy, ExitedWith{1}));
  CHECK(wants_restart(policy, KilledBy{9}));
  policy.when = RestartWhen::always;
  CHECK(wants_restart(policy, ExitedWith{0}));
  policy.when = RestartWhen::never;
  CHECK_FALSE(wants_restart(policy, KilledBy{9}));
}
