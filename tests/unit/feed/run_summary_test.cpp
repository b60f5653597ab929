#include "supervisor/shell/tasks/run_summary.hpp"

#include <doctest/doctest.h>

using namespace corral;
using namespace corral::shell;
using namespace std::chrono_literals;

namespace {

Life life(std::uint32_t worker, std::uint32_t incarnation = 1) { return {{ProgramId{0}, worker}, Incarnation{incarnation}}; }

core::RecordTask record(std::uint32_t worker, Duration seconds) {
  core::RecordTask record;
  record.life = life(worker);
  record.seconds = seconds;
  return record;
}

core::WorkerLost death(Life of, Duration cpu) {
  core::WorkerLost death;
  death.life = of;
  death.usage.user = cpu;
  return death;
}

}  // namespace

TEST_CASE("answers that came at once share what they took together") {
  RunSummary summary(2);
  summary.launched(life(0), Instant(0s));
  // The first is charged with all of it, since nobody has seen the others begin.
  summary.recorded(record(0, 100ms), Instant(1s));
  for (int i = 0; i < 9; ++i) {
    summary.recorded(record(0, 0ms), Instant(1s));
  }
  summary.close();
  CHECK(summary.lines().at(0) == "half of the tasks took at most 10 ms, 95 % at most 10 ms, the longest 100 ms");
}

TEST_CASE("tasks of two workers are no batch, nor are those of two moments") {
  RunSummary summary(2);
  summary.launched(life(0), Instant(0s));
  summary.recorded(record(0, 8us), Instant(1s));
  summary.recorded(record(1, 16us), Instant(1s));
  summary.recorded(record(1, 16us), Instant(2s));
  summary.close();
  CHECK(summary.lines().at(0).starts_with("half of the tasks took at most 16 us, 95 % at most 16 us"));
}

TEST_CASE("the lives of a worker are summed, and the speed-up is work over time") {
  RunSummary summary(2);
  summary.launched(life(0, 1), Instant(0s));
  summary.launched(life(1, 1), Instant(0s));
  summary.lost(death(life(0, 1), 1s), Instant(2s));
  summary.launched(life(0, 2), Instant(4s));
  summary.recorded(record(0, 6s), Instant(6s));
  summary.recorded(record(1, 3s), Instant(6s));
  summary.lost(death(life(0, 2), 2s), Instant(6s));
  summary.lost(death(life(1, 1), 3s), Instant(6s));
  summary.close();
  CHECK(summary.lines().at(1) == "9 s of work in 6 s: speed-up 1.5");
  CHECK(summary.lines().at(2) == "CPU use of the workers: 0 75 %, 1 50 %");
  const std::string members = summary.members({});
  CHECK(members.find(R"("speed_up":1.5)") != std::string::npos);
  CHECK(members.find(R"({"tasks":1,"cpu_seconds":3,"seconds":4,"cpu":0.75})") != std::string::npos);
}

TEST_CASE("a task that no worker was at took no time") {
  RunSummary summary(2);
  core::RecordTask unfit = record(0, 0s);
  unfit.mishap = core::Mishap::unfit;
  summary.recorded(unfit, Instant(1s));
  summary.close();
  CHECK(summary.lines().empty());
}
