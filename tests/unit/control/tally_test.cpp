#include "supervisor/control/tally.hpp"

#include <doctest/doctest.h>

#include <csignal>

using namespace corral;
using namespace corral::control;
using namespace std::chrono_literals;

namespace {

constexpr WorkerId the_worker{ProgramId{3}, 1};

Life life(std::uint32_t incarnation) { return {the_worker, Incarnation{incarnation}}; }

core::Ended ended(ExitStatus status, core::Verdict verdict) {
  return {life(1), 77, status, 3s, {.user = 2s, .system = 500ms, .max_rss_bytes = 0}, false, verdict};
}

core::Verdict restart_in(Duration delay) { return {core::Verdict::Kind::restart, 1, delay}; }

std::uint64_t restarts(const Tally& tally, RestartCause cause) {
  const auto found = tally.counts().programs.find(the_worker.program);
  return found == tally.counts().programs.end() ? 0 : found->second.restarts[static_cast<std::size_t>(cause)];
}

std::uint64_t observed(const Histogram& histogram) {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : histogram.counts()) {
    sum += count;
  }
  return sum;
}

Instant at(Duration since) { return Instant(100s + since); }

}  // namespace

TEST_CASE("restarts are counted by what they are a consequence of") {
  Tally tally;
  core::Ended killed_for_memory = ended(KilledBy{SIGKILL}, restart_in(1s));
  killed_for_memory.out_of_memory = true;
  tally.hear(at(0s), core::Notice(ended(ExitedWith{0}, restart_in(0s))));
  tally.hear(at(0s), core::Notice(ended(ExitedWith{3}, restart_in(0s))));
  tally.hear(at(0s), core::Notice(ended(ExitedWith{4}, restart_in(0s))));
  tally.hear(at(0s), core::Notice(ended(KilledBy{SIGSEGV}, restart_in(0s))));
  tally.hear(at(0s), core::Notice(killed_for_memory));
  tally.hear(at(0s), core::Notice(core::LaunchFailed{life(1), {}, restart_in(1s)}));
  tally.hear(at(0s), core::Notice(ended(ExitedWith{0}, {core::Verdict::Kind::replaced})));
  CHECK(restarts(tally, RestartCause::success) == 1);
  CHECK(restarts(tally, RestartCause::failure) == 2);
  CHECK(restarts(tally, RestartCause::signal) == 1);
  CHECK(restarts(tally, RestartCause::out_of_memory) == 1);
  CHECK(restarts(tally, RestartCause::launch) == 1);
  CHECK(restarts(tally, RestartCause::replaced) == 1);
  tally.hear(at(0s), core::Notice(ended(KilledBy{SIGTERM}, {core::Verdict::Kind::restarted})));
  CHECK(restarts(tally, RestartCause::asked) == 1);
  CHECK(tally.counts().programs.at(the_worker.program).cpu_of_the_dead == 17500ms);
}

TEST_CASE("an end that nothing follows is no restart") {
  Tally tally;
  for (const auto kind : {core::Verdict::Kind::finished, core::Verdict::Kind::not_restarted, core::Verdict::Kind::stopped,
                          core::Verdict::Kind::program_failed, core::Verdict::Kind::survivors}) {
    tally.hear(at(0s), core::Event(core::WorkerExited{life(1), ExitedWith{1}}));
    tally.hear(at(1s), core::Notice(ended(ExitedWith{1}, {kind})));
    CHECK(tally.missing() == 0);
    tally.hear(at(9s), core::Notice(core::Started{life(2), 78}));  // Much later, and for another reason.
  }
  for (const RestartCause cause : all_causes) {
    CHECK(restarts(tally, cause) == 0);
  }
  CHECK(observed(tally.counts().downtime) == 0);
}

TEST_CASE("a restart takes from the death, not from the end of its last output; its delay is told apart") {
  Tally tally;
  tally.hear(at(0s), core::Event(core::WorkerExited{life(1), ExitedWith{1}}));
  tally.hear(at(200ms), core::Notice(ended(ExitedWith{1}, restart_in(1s))));
  CHECK(tally.missing() == 1);
  tally.hear(at(1210ms), core::Notice(core::Started{life(2), 78}));
  CHECK(tally.missing() == 0);
  CHECK(tally.counts().downtime.sum() == 1210ms);
  CHECK(tally.counts().restart_latency.sum() == 210ms);
  CHECK(observed(tally.counts().restart_latency) == 1);
}

TEST_CASE("a launch that fails in between belongs to the same absence") {
  Tally tally;
  tally.hear(at(0s), core::Event(core::WorkerExited{life(1), ExitedWith{1}}));
  tally.hear(at(0s), core::Notice(ended(ExitedWith{1}, restart_in(0s))));
  tally.hear(at(1ms), core::Notice(core::LaunchFailed{life(2), {}, restart_in(2s)}));
  tally.hear(at(2005ms), core::Notice(core::Started{life(3), 78}));
  CHECK(tally.counts().downtime.sum() == 2005ms);
  CHECK(tally.counts().restart_latency.sum() == 5ms);
}

TEST_CASE("the first start is no restart") {
  Tally tally;
  tally.hear(at(0s), core::Notice(core::Started{life(1), 78}));
  CHECK(observed(tally.counts().downtime) == 0);
}

TEST_CASE("what may not come back after all is not measured") {
  for (const core::Notice& notice :
       {core::Notice(core::ProgramFailed{}), core::Notice(core::Reloaded{}), core::Notice(core::ShutdownBegun{})}) {
    Tally tally;
    tally.hear(at(0s), core::Notice(ended(ExitedWith{1}, restart_in(1s))));
    tally.hear(at(1s), notice);
    CHECK(tally.missing() == 0);
    tally.hear(at(60s), core::Notice(core::Started{life(2), 78}));
    CHECK(observed(tally.counts().downtime) == 0);
  }
}

TEST_CASE("a worker that is told something while it waits is not measured") {
  for (const core::Command& command :
       {core::Command(core::StartWorkers{{the_worker}}), core::Command(core::StopWorkers{{the_worker}}),
        core::Command(core::RestartWorkers{{the_worker}, {}})}) {
    Tally tally;
    tally.hear(at(0s), core::Notice(ended(ExitedWith{1}, restart_in(10s))));
    tally.hear(at(1s), core::Event(core::CommandReceived{core::CommandId{1}, core::StopWorkers{{{the_worker.program, 9}}}}));
    CHECK(tally.missing() == 1);
    tally.hear(at(1s), core::Event(core::CommandReceived{core::CommandId{2}, command}));
    CHECK(tally.missing() == 0);
    tally.hear(at(2s), core::Notice(core::Started{life(2), 78}));
    CHECK(observed(tally.counts().downtime) == 0);
  }
}

TEST_CASE("a death that was not judged yet survives a reload") {
  Tally tally;
  tally.hear(at(0s), core::Event(core::WorkerExited{life(1), ExitedWith{1}}));
  tally.hear(at(1s), core::Notice(core::Reloaded{}));
  tally.hear(at(2s), core::Notice(ended(ExitedWith{1}, restart_in(0s))));
  tally.hear(at(3s), core::Notice(core::Started{life(2), 78}));
  CHECK(tally.counts().downtime.sum() == 3s);
}

TEST_CASE("a program that has left is forgotten") {
  Tally tally;
  tally.hear(at(0s), core::Notice(ended(ExitedWith{1}, restart_in(1s))));
  tally.forget(ProgramId{2});
  CHECK(tally.missing() == 1);
  tally.forget(the_worker.program);
  CHECK(tally.missing() == 0);
  CHECK(restarts(tally, RestartCause::failure) == 0);
}

TEST_CASE("a histogram's buckets have their upper end in them") {
  Histogram histogram;
  histogram.observe(-1s);
  histogram.observe(100us);
  histogram.observe(100001ns);
  histogram.observe(61s);
  CHECK(histogram.counts().front() == 2);
  CHECK(histogram.counts()[1] == 1);
  CHECK(histogram.counts().back() == 1);
  CHECK(histogram.sum() == 61s + 200001ns);
}
