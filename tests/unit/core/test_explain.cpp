// Why a worker is what it is: played through the core, and then asked.
#include <doctest/doctest.h>

#include <csignal>

#include "supervisor/core/explain.hpp"
#include "supervisor/core/supervisor.hpp"
#include "tests/unit/core/driver.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::core::testing;

namespace {

/// A supervisor of one worker, a/0, with its notices.
class Story {
 public:
  explicit Story(const std::function<void(PlannedProgram&)>& change = {}, std::uint32_t workers = 1) : core_(Options{}) {
    PlannedProgram planned = program("a", change);
    resize(planned, workers);
    Plan plan;
    plan.programs.push_back(std::move(planned));
    plan.stay = true;
    ActionList actions;
    core_.start(now_, plan, actions);
    take(actions);
  }
  void tell(const Event& event) {
    ActionList actions;
    core_.step(now_, event, actions);
    take(actions);
  }
  void pass(Duration time) { now_ += time; }
  [[nodiscard]] Life life(std::uint32_t index = 0) const { return {id(index), core_.view(id(index), now_)->worker.incarnation}; }
  void up(std::uint32_t index = 0) {
    tell(WorkerSpawned{life(index), 4123});
    tell(WorkerReady{life(index)});
  }
  void ends(ExitStatus status, bool out_of_memory = false) {
    tell(WorkerExited{life(), status, {}, out_of_memory});
    tell(OutputClosed{life()});
    tell(WorkerSwept{life()});
  }
  [[nodiscard]] Explanation explain() const {
    std::vector<PastNotice> past;
    for (const auto& [at, notice] : notices_) {
      past.push_back({at, &notice});
    }
    return core::explain("a/0", *core_.view(id(0), now_), past);
  }
  [[nodiscard]] std::string words() const {
    std::string text;
    for (const Reason& reason : explain().reasons) {
      text += (text.empty() ? "" : "; ") + reason.sentence;
    }
    return text;
  }
  [[nodiscard]] bool says(std::string_view text) const {
    const std::string all = words();
    INFO(all);
    const bool found = all.find(text) != std::string::npos;
    CHECK_MESSAGE(found, all);
    return found;
  }
  [[nodiscard]] bool names(std::string_view key) const {
    for (const Reason& reason : explain().reasons) {
      for (const std::string& one : reason.keys) {
        if (one == key) {
          return true;
        }
      }
    }
    return false;
  }
  [[nodiscard]] const Supervisor& core() const { return core_; }
  [[nodiscard]] WorkerView view() const { return *core_.view(id(0), now_); }

 private:
  static WorkerId id(std::uint32_t index) { return {ProgramId{0}, index}; }
  void take(const ActionList& actions) {
    for (const Action& action : actions) {
      if (const auto* announced = std::get_if<Announce>(&action)) {
        notices_.emplace_back(now_, announced->notice);
      }
    }
  }
  Supervisor core_;
  Instant now_{1h};
  std::vector<std::pair<Instant, Notice>> notices_;
};

}  // namespace

TEST_CASE("a running worker says that nothing is due") {
  Story story;
  story.up();
  story.pass(3min);
  CHECK(story.says("a/0 is running, pid 4123, for 3 min; incarnation 1, 0 restarts"));
  CHECK(story.says("nothing is due; when it ends, it is restarted unless it exits with success (0)"));
  CHECK(story.names("/restart/when"));
  CHECK(story.explain().next.what.empty());
}

TEST_CASE("a worker in backoff tells the end, the judgement, the wait, and when it starts") {
  Story story([](PlannedProgram& a) { a.spec.restart.limit = RestartLimit{10, 1min}; });
  story.up();
  story.pass(2s);
  story.ends(KilledBy{SIGSEGV, true});
  story.pass(40ms);
  const Explanation told = story.explain();
  CHECK(told.state == StateKind::backoff);
  CHECK(told.next.what == "start");
  CHECK(told.next.in == 60ms);
  CHECK(story.says("its life number 1 was killed by signal 11 (Segmentation fault), core dumped 40 ms ago, after 2 s"));
  CHECK(story.says("that counts as failure"));
  CHECK(story.says("unhealthy end number 1 in a row (none lived 10 s), after which the policy waits 100 ms"));
  CHECK(story.says("it starts in 60 ms"));
  CHECK(story.says("has had 1 unhealthy end within 1 min; with 11 it fails; the oldest is forgotten in 1 min"));
  CHECK(story.names("/restart/delay"));
  CHECK_FALSE(story.names("/restart/factor"));
  CHECK(story.names("/restart/limit/restarts"));
}

TEST_CASE("the wait of a later end names the factor, and the longest one its bound") {
  Story story([](PlannedProgram& a) {
    a.spec.restart.max_delay = 250ms;
    a.spec.restart.jitter = 0;
  });
  for (int end = 1; end <= 3; ++end) {
    story.up();
    story.ends(ExitedWith{1});
    story.pass(end < 3 ? 1s : 0s);
    if (end < 3) {
      story.tell(DeadlineReached{});
    }
  }
  CHECK(story.says("unhealthy end number 3 in a row"));
  CHECK(story.says("waits 250 ms, which is as long as it ever does"));
  CHECK(story.names("/restart/factor"));
  CHECK(story.names("/restart/max_delay"));
}

TEST_CASE("out of memory and a launch that fails are told as what they are") {
  Story story;
  story.up();
  story.ends(KilledBy{SIGKILL}, true);
  CHECK(story.says("by the kernel, for lack of memory"));
  story.pass(1s);
  story.tell(DeadlineReached{});
  story.tell(SpawnFailed{story.life(), {LaunchStep::exec, ENOENT, "/no/such"}});
  CHECK(story.says("its last launch failed 0 us ago: cannot execute '/no/such': No such file or directory"));
}

TEST_CASE("a worker that is being stopped tells until when") {
  Story story;
  story.up();
  story.tell(SignalReceived{SIGTERM});
  story.pass(4s);
  CHECK(story.says("everything is being stopped since 4 s: SIGTERM was received"));
  CHECK(story.says("it was sent SIGTERM and may clean up; SIGKILL follows in 6 s"));
  CHECK(story.explain().next.what == "kill");
  CHECK(story.names("/stop/grace"));
  story.pass(6s);
  story.tell(DeadlineReached{});
  CHECK(story.says("it was sent SIGKILL, since it had not stopped within its grace of 10 s"));
  CHECK(story.explain().next.what == "give_up");
}

TEST_CASE("what is told of a stop is what is so now") {
  Story story;
  story.up();
  const std::vector<WorkerId> one{story.life().worker};
  SUBCASE("a restart that a stop overtakes") {
    story.tell(CommandReceived{{}, RestartWorkers{one, {}}});
    CHECK(story.says("it was told to stop 0 us ago, so that another life can take its place"));
    story.pass(1s);
    story.tell(CommandReceived{{}, StopWorkers{one}});
    CHECK(story.says("it was told to stop 1 s ago; since then it was told to stay down"));
    story.ends(KilledBy{SIGTERM});
    CHECK(story.says("it was told to stop 1 s ago; since then it was told to stay down"));
    CHECK(story.says("a command has stopped it; it stays down"));
  }
  SUBCASE("a stop that a restart overtakes") {
    story.tell(CommandReceived{{}, StopWorkers{one}});
    story.tell(CommandReceived{{}, RestartWorkers{one, {}}});
    CHECK(story.says("it was told to stop 0 us ago; since then it was told to come back"));
  }
  SUBCASE("one that has left the configuration meanwhile") {
    story.tell(CommandReceived{{}, RestartWorkers{one, {}}});
    story.tell(ConfigReloaded{{{}, true}});
    CHECK(story.says("it was told to stop 0 us ago; since then it has left the configuration"));
  }
}

TEST_CASE("an end is judged by the rules that there were") {
  Story story;
  story.up();
  PlannedProgram always = program("a", [](PlannedProgram& a) { a.spec.restart.when = RestartWhen::always; });
  SUBCASE("which a reload has changed since") {
    story.ends(ExitedWith{0});
    story.pass(1s);
    story.tell(ConfigReloaded{{{always}, true}});
    CHECK(story.says("the configuration was reloaded after that, 0 us ago, and has other rules now"));
    CHECK(story.words().find("whatever its end") == std::string::npos);
  }
  SUBCASE("and which one for another program has not") {
    story.ends(ExitedWith{1});
    story.pass(50ms);
    PlannedProgram other = program("b");
    other.id = ProgramId{1};
    story.tell(ConfigReloaded{{{program("a"), other}, true}});
    CHECK(story.says("that counts as failure, and what fails is restarted"));
    CHECK(story.words().find("reloaded") == std::string::npos);
  }
  SUBCASE("of a trial that is over") {
    always.spec.launch.command = {"other"};
    story.tell(ConfigReloaded{{{always}, true}, {}, ConfigReloaded::Kind::on_trial});
    story.ends(KilledBy{SIGTERM});
    story.up();
    story.ends(ExitedWith{0});
    story.tell(ConfigReloaded{{{program("a")}, true}, {}, ConfigReloaded::Kind::restored, TrialId{1}});
    CHECK(story.says("that was under a configuration on trial; the one before came back 0 us ago"));
    CHECK(story.words().find("only what fails is restarted") == std::string::npos);
  }
}

TEST_CASE("a SIGKILL of our own is called that") {
  Story story;
  story.up();
  SUBCASE("after the grace") {
    story.tell(CommandReceived{{}, RestartWorkers{{story.life().worker}, {}}});
    story.pass(10s);
    story.tell(DeadlineReached{});
    story.ends(KilledBy{SIGKILL});
    CHECK(
        story.says("was killed by signal 9 (Killed) 0 us ago, after 10 s; that signal was corral's: it had not stopped within "
                   "its grace of 10 s"));
    CHECK(story.names("/stop/grace"));
  }
  SUBCASE("and another's is not") {
    story.tell(CommandReceived{{}, RestartWorkers{{story.life().worker}, {}}});
    story.pass(10s);
    story.tell(DeadlineReached{});
    story.ends(KilledBy{SIGKILL});
    story.up();
    story.ends(KilledBy{SIGKILL});
    CHECK(story.words().find("corral's") == std::string::npos);
  }
}

TEST_CASE("who has finished, failed, or whose program has failed says by which key") {
  Story finished;
  finished.up();
  finished.ends(ExitedWith{0});
  CHECK(finished.says("that counts as success, and only what fails is restarted: success is to exit with 0"));
  CHECK(finished.says("nothing follows"));
  Story given_up([](PlannedProgram& a) { a.spec.restart.when = RestartWhen::never; });
  given_up.up();
  given_up.ends(ExitedWith{4});
  CHECK(given_up.says("with \"never\" nothing is started again"));
  Story failed([](PlannedProgram& a) { a.spec.restart.limit = RestartLimit{0, 1min}; });
  failed.up();
  failed.ends(ExitedWith{4});
  CHECK(failed.says("more unhealthy ends than its limit allows"));
  CHECK(failed.names("/restart/limit"));
}

TEST_CASE("the view of one worker is that of the snapshot, and of its program's window") {
  Story story([](PlannedProgram& a) { a.spec.restart.limit = RestartLimit{5, 1min}; }, 2);
  story.up(0);
  story.up(1);
  story.ends(ExitedWith{1});
  const WorkerView view = story.view();
  const Snapshot snapshot = story.core().snapshot();
  const WorkerSnapshot& worker = snapshot.programs.at(0).workers.at(0);
  CHECK(kind(view.worker.state) == kind(worker.state));
  CHECK(view.worker.due == worker.due);
  CHECK(view.worker.due == Instant(1h) + 100ms);
  CHECK(view.unhealthy_exits == 1);
  CHECK(view.window_ends == Instant(1h) + 1min);
  story.pass(1min);
  CHECK(story.view().unhealthy_exits == 0);
  CHECK_FALSE(story.core().view({ProgramId{0}, 2}, Instant(1h)));
  CHECK_FALSE(story.core().view({ProgramId{1}, 0}, Instant(1h)));
}

TEST_CASE("why one worker is stopped while others run on") {
  Driver d;
  d.start({program("a"), program("b")}, true);
  d.up("a/0");
  d.up("b/0");
  CHECK(d.reload({program("b")}, true).starts_with("signal a/0#1 TERM"));
}
