#include "supervisor/shell/tasks/progress.hpp"

#include <doctest/doctest.h>

using namespace corral;
using namespace corral::shell;
using namespace std::chrono_literals;

namespace {

ProgressFacts facts(std::uint64_t accepted, std::uint64_t done, std::optional<double> taken, Duration elapsed) {
  ProgressFacts facts;
  facts.counts.accepted = accepted;
  facts.counts.done = done;
  facts.taken = taken;
  facts.elapsed = elapsed;
  facts.cells = "#-.";
  return facts;
}

}  // namespace

TEST_CASE("what is left follows from the share that is done, not from the share that is read") {
  // All of the input is read, half of it done in 10 s.
  CHECK(time_left(facts(100, 50, 1.0, 10s)) == 10s);
  // Half of it is read, half of that done.
  CHECK(time_left(facts(100, 50, 0.5, 10s)) == 30s);
  CHECK_FALSE(time_left(facts(100, 0, 1.0, 10s)));
  CHECK_FALSE(time_left(facts(100, 50, std::nullopt, 10s)));
  CHECK_FALSE(time_left(facts(0, 0, 0.0, 0s)));
}

TEST_CASE("a sentence says what there is to say, and no more") {
  CHECK(progress_sentence(facts(100, 50, std::nullopt, 10s)) == "50 tasks done, 5 a second");
  ProgressFacts some = facts(100, 48, 1.0, 10s);
  some.counts.failed = 1;
  some.counts.quarantined = 1;
  some.counts.retries = 7;
  CHECK(progress_sentence(some) == "48 tasks done, 1 failed, 1 quarantined, 7 retried, 5 a second, about 10 s left");
}

TEST_CASE("while nothing but what is known already is read, that is said") {
  ProgressFacts again = facts(0, 0, 0.25, 10s);
  again.known = 5'000'000;
  CHECK(progress_sentence(again) == "0 tasks done, 5000000 were recorded before (25 % of the input read), 0 a second");
  CHECK(progress_line(again, 79) == "0 done, 5000000 were recorded before (25 % of the input read), 0/s |#-.|");
  ProgressFacts working = facts(100, 50, std::nullopt, 10s);
  working.known = 7;
  CHECK(progress_sentence(working) == "50 tasks done, 7 were recorded before, 5 a second");
}

TEST_CASE("a line fits the terminal; the cells go first where it is narrow") {
  const ProgressFacts half = facts(100, 50, 1.0, 10s);
  CHECK(progress_line(half, 79) == "[##########..........] 50% 50 done, 5/s, 10 s left |#-.|");
  CHECK(progress_line(half, 52) == "[##########..........] 50% 50 done, 5/s, 10 s left");
  CHECK(progress_line(half, 10).size() == 10);
}

TEST_CASE("workers that are too many for the line are counted") {
  ProgressFacts many = facts(100, 50, 1.0, 10s);
  many.cells = std::string(60, '#') + "---" + '.';
  CHECK(progress_line(many, 200).ends_with(" |" + many.cells + "|"));
  CHECK(progress_line(many, 79).ends_with("10 s left |60# 3- 1.|"));
  many.cells = std::string(64, '-');
  CHECK(progress_line(many, 79).ends_with(" |64-|"));
  CHECK(progress_line(many, 20).size() == 20);
}
