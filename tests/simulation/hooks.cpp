#include "tests/simulation/hooks.hpp"

#include <algorithm>
#include <deque>
#include <optional>

#include "supervisor/core/hook_queue.hpp"
#include "tests/simulation/scenario.hpp"
#include "tests/simulation/violation.hpp"

namespace corral::simulation {
namespace {

using namespace core;

void require(bool holds, const char* invariant) {
  if (!holds) {
    throw Violation(invariant);
  }
}

class HookRun {
 public:
  explicit HookRun(std::uint64_t seed) : random_(seed ^ 0x686f6f6bU) {
    limits_.waiting = 1 + random_.next() % 4;
    limits_.timeout = some_time(random_, 10ms, 5s);
    limits_.at_the_end = some_time(random_, 100ms, 2s);
    hangs_ = chance(random_, 0.5) ? random_.fraction() : 0;
    immortal_ = chance(random_, 0.1);
    queue_.emplace(limits_);
  }

  void play() {
    const std::uint64_t events = random_.next() % 20;
    for (std::uint64_t i = 0; i < events; ++i) {
      now_ += some_time(random_, 0ms, 3s);
      until(now_);
      offer();
      proceed();
    }
    asked_at_ = now_;
    queue_->finish(now_);
    const bool hurried = chance(random_, 0.2);
    for (int turns = 0; !queue_->is_done(now_); ++turns) {
      require(turns < 200, "the end of the hooks comes");
      if (hurried && turns == 1) {
        queue_->hurry(now_);
        asked_at_ = now_ - limits_.at_the_end;
      }
      proceed();
      const Instant next = std::min(queue_->next_deadline(), ends_at_.value_or(never));
      require(queue_->is_done(now_) || next != never, "nobody waits for what never comes");
      now_ = queue_->is_done(now_) ? now_ : std::max(now_, next);
      end_if_due();
    }
    check_end();
  }

 private:
  void until(Instant then) {
    while (true) {
      const Instant next = std::min(queue_->next_deadline(), ends_at_.value_or(never));
      if (next > then) {
        break;
      }
      now_ = next;
      end_if_due();
      proceed();
      require(std::min(queue_->next_deadline(), ends_at_.value_or(never)) > next, "a deadline is acted upon");
    }
    now_ = then;
  }

  void offer() {
    const bool room = waiting_ < limits_.waiting;
    require(queue_->offer() == room, "so many wait and no more");
    ++offered_;
    waiting_ += room ? 1 : 0;
    dropped_ += room ? 0 : 1;
  }

  void proceed() {
    for (HookQueue::Step step = queue_->next(now_); step != HookQueue::Step::nothing; step = queue_->next(now_)) {
      switch (step) {
        case HookQueue::Step::launch: launch(); break;
        case HookQueue::Step::kill:
          require(running_ && !killed_, "what runs is killed, once");
          require(now_ >= started_at_ + limits_.timeout || over(), "a hook has all of its time");
          killed_ = true;
          ends_at_ = immortal_ && over() ? std::nullopt : std::optional(now_ + some_time(random_, 0ms, 20ms));
          break;
        case HookQueue::Step::drop_rest:
          require(over(), "what waits is dropped when there is no time left, and not before");
          dropped_ += waiting_;
          waiting_ = 0;
          break;
        case HookQueue::Step::nothing: break;
      }
    }
    require(!running_ || killed_ || now_ < started_at_ + limits_.timeout, "what takes too long is killed");
    require(!running_ || killed_ || !over(), "at the end what still runs is killed");
    require(running_ || waiting_ == 0, "what waits is told as soon as it can be");
    require(queue_->dropped() == dropped_, "what is dropped is counted");
    require(offered_ == told_ + dropped_ + waiting_, "every event is told, dropped, or waits");
  }

  void launch() {
    require(!running_, "two hooks never run at once");
    require(waiting_ > 0, "a hook runs for an event");
    require(!over(), "no hook is launched when there is no time left");
    --waiting_;
    ++told_;
    if (chance(random_, 0.1)) {
      queue_->ended();  // It could not be launched.
      return;
    }
    running_ = true;
    killed_ = false;
    started_at_ = now_;
    queue_->launched(now_);
    ends_at_ = chance(random_, hangs_) ? std::nullopt : std::optional(now_ + some_time(random_, 0ms, 8s));
  }

  void end_if_due() {
    if (running_ && ends_at_ && *ends_at_ <= now_) {
      running_ = false;
      ends_at_.reset();
      queue_->ended();
    }
  }

  [[nodiscard]] bool over() const { return asked_at_ && now_ >= *asked_at_ + limits_.at_the_end; }

  void check_end() const {
    require(waiting_ == 0 && offered_ == told_ + dropped_, "at the end every event is told or dropped");
    require(now_ <= *asked_at_ + limits_.at_the_end + limits_.kill, "the end is not kept waiting");
    require(!running_ || now_ >= *asked_at_ + limits_.at_the_end + limits_.kill, "what runs is waited for, for a moment");
  }

  Random random_;
  HookLimits limits_;
  std::optional<HookQueue> queue_;
  double hangs_ = 0;
  bool immortal_ = false;
  Instant now_{1s};
  std::uint64_t offered_ = 0;
  std::uint64_t told_ = 0;
  std::uint64_t dropped_ = 0;
  std::size_t waiting_ = 0;
  bool running_ = false;
  bool killed_ = false;
  Instant started_at_{};
  std::optional<Instant> ends_at_;  ///< Of the one that runs; nothing: it hangs.
  std::optional<Instant> asked_at_;
};

}  // namespace

void run_hooks(std::uint64_t seed) { HookRun(seed).play(); }

}  // namespace corral::simulation
