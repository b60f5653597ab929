#include "supervisor/shell/hooks.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "common/base/units.hpp"
#include "supervisor/core/event_names.hpp"

namespace corral::shell {
namespace {

/// Readable from its beginning, whoever reads it and when.
Result<FileDescriptor> memory_file(std::string_view text) {
  FileDescriptor file(::memfd_create("corral-event", MFD_CLOEXEC));
  while (file && !text.empty()) {
    const ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno != EINTR) {
      return system_failure("cannot hand the event over", errno);
    }
    text.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
  }
  if (!file || ::lseek(file.get(), 0, SEEK_SET) != 0) {
    return system_failure("cannot hand the event over", errno);
  }
  return file;
}

}  // namespace

Hooks::Hooks(process::Processes& processes, const Narrator& narrator, Say say, std::unique_ptr<HookWords> words,
             core::HookLimits limits)
    : processes_(processes), narrator_(narrator), say_(std::move(say)), words_(std::move(words)), queue_(limits) {}

void Hooks::adopt(const std::optional<core::EventHook>& hook, std::shared_ptr<const process::LaunchTemplate> launch) {
  launch_ = std::move(launch);
  if (hook == hook_) {
    return;
  }
  hook_ = hook;
  failure_.clear();
  failures_ = 0;
  if (hook_) {
    queue_.set_timeout(hook_->timeout);
  }
}

void Hooks::hear(const SharedEvent& event) {
  const std::string_view name = name_of(*event);
  if (!hook_ || std::ranges::find(core::hook_event_names, name) != core::hook_event_names.end() ||
      (!hook_->events.empty() && std::ranges::find(hook_->events, name) == hook_->events.end())) {
    return;
  }
  if (queue_.offer()) {
    waiting_.push_back(event);
  }
}

bool Hooks::proceed(Instant now) {
  for (core::HookQueue::Step step = queue_.next(now); step != core::HookQueue::Step::nothing; step = queue_.next(now)) {
    switch (step) {
      case core::HookQueue::Step::launch: start(now); break;
      case core::HookQueue::Step::kill:
        took_too_long_ = now >= out_of_time_;
        processes_.signal({slot, incarnation_}, SIGKILL);
        break;
      case core::HookQueue::Step::drop_rest: drop_rest(); break;
      case core::HookQueue::Step::nothing: break;
    }
  }
  report_drops();
  if (look_again_ > now) {
    return false;
  }
  look_again_ = after(now, between_looks);
  return true;
}

void Hooks::start(Instant now) {
  const SharedEvent event = std::move(waiting_.front());
  waiting_.pop_front();
  if (!hook_) {
    return queue_.ended();  // A reload has taken it away.
  }
  incarnation_ = next(incarnation_);
  if (!null_) {
    null_ = FileDescriptor(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  }
  const Result<FileDescriptor> input = memory_file(to_json(*event, narrator_) + "\n");
  if (!input || !null_) {
    queue_.ended();
    return fail(input ? system_error("cannot open '/dev/null'", errno).message : input.error().message);
  }
  const Result<int> error_output = words_ ? words_->write_end() : -1;
  if (!error_output) {
    queue_.ended();
    return fail(error_output.error().message);
  }
  process::LaunchRequest request;
  request.life = {slot, incarnation_};
  request.program = launch_.get();
  request.stdin_fd = input->get();
  request.stdout_fd = null_.get();
  request.stderr_fd = *error_output;
  if (const auto launched = processes_.launch(request); !launched) {
    queue_.ended();
    return fail(describe(launched.error()));
  }
  allowed_ = hook_->timeout;
  out_of_time_ = after(now, allowed_);
  queue_.launched(now);
}

void Hooks::launch_failed(const core::LaunchFailure& failure) {
  queue_.ended();
  fail(describe(failure));
}

void Hooks::died(const process::Death& death, Instant now) {
  if (words_) {
    words_->finish();
  }
  if (queue_.was_killed()) {
    fail(took_too_long_ ? fmt::format("killed: it took longer than {}", describe_duration(allowed_))
                        : "killed: everything else has stopped, and it is not waited for any longer");
  } else if (death.status != ExitStatus(ExitedWith{0})) {
    fail(describe(death.status));
  } else if (!failure_.empty()) {
    say_(Weight::notable, "hook_works",
         fmt::format("on_event works again, after {} failure{}", failures_ + 1, failures_ == 0 ? "" : "s"));
    failure_.clear();
    failures_ = 0;
  }
  processes_.sweep(death.life);
  look_again_ = after(now, between_looks);  // A first look comes by itself.
}

void Hooks::swept() {
  look_again_ = never;
  queue_.ended();
}

/// Said when it begins and when it changes: a hook that always fails would say so for each event.
void Hooks::fail(std::string why) {
  if (why == failure_) {
    ++failures_;
    return;
  }
  failure_ = std::move(why);
  say_(Weight::trouble, "hook_failed", "on_event: " + failure_);
}

/// It was not too slow for these: there is no time left.
void Hooks::drop_rest() {
  const std::size_t rest = std::exchange(waiting_, {}).size();
  drops_said_ += rest;
  report_drops();
  say_(Weight::trouble, "hook_events_dropped",
       fmt::format("on_event was not told of the last {}: everything else has stopped",
                   rest == 1 ? "event" : fmt::format("{} events", rest)));
}

/// Once when it begins, and once how many when it is over.
void Hooks::report_drops() {
  const std::uint64_t fresh = queue_.dropped() - drops_said_;
  if (fresh == 0) {
    return;
  }
  if (!std::exchange(is_dropping_, true)) {
    say_(Weight::trouble, "hook_events_dropped", "on_event is slower than events come: some are not told to it");
  }
  if (queue_.waiting() == 0) {
    is_dropping_ = false;
    drops_said_ += fresh;
    say_(Weight::trouble, "hook_events_dropped",
         fmt::format("on_event was not told of {} event{}", fresh, fresh == 1 ? "" : "s"));
  }
}

}  // namespace corral::shell
