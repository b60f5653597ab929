#include "worker/cpp/signals.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "common/base/check.hpp"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

namespace corral::worker {
namespace {

/// How long an answer may be held while a task is in work.
constexpr std::chrono::nanoseconds pulse = std::chrono::milliseconds{2};

/// What signal handlers find.
std::atomic<Signals*> present{nullptr};
static_assert(std::atomic<Signals*>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

}  // namespace

Signals::Signals(int channel, Output& output, const Options& options) : channel_(channel), output_(output), thread_(gettid()) {
  CORRAL_CHECK(present.exchange(this) == nullptr);
  if (options.handle_sigterm) {
    struct sigaction action{};
    action.sa_handler = on_stop;
    action.sa_flags = SA_RESTART;
    install(SIGTERM, action);
  }
  if (options.batch) {
    make_pulse();
  }
  if (has_pulse_) {
    catch_crashes();
  }
}

Signals::~Signals() {
  if (has_pulse_) {
    timer_delete(timer_);  // What is still on its way is ignored below, as SIGURG was before.
  }
  for (const Old& old : old_) {
    sigaction(old.signal, &old.action, nullptr);
  }
  present.store(nullptr);
}

void Signals::install(int signal, struct sigaction action) {
  Old old{signal, {}};
  sigfillset(&action.sa_mask);  // A pulse within a crash would write the same answers once more.
  if (sigaction(signal, &action, &old.action) == 0) {
    old_.push_back(old);
  }
}

void Signals::make_pulse() {
  struct sigaction before{};
  if (sigaction(SIGURG, nullptr, &before) != 0 || (before.sa_flags & SA_SIGINFO) != 0 ||
      (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN)) {
    return;  // Somebody's. Without a pulse nothing is held, which is slower for tiny tasks and right for all.
  }
  sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;  // This thread alone: it cannot be in two places of the output.
  event.sigev_signo = SIGURG;
  event.sigev_notify_thread_id = thread_;
  has_pulse_ = timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0;
  if (has_pulse_) {
    struct sigaction action{};
    action.sa_handler = on_pulse;
    action.sa_flags = SA_RESTART;
    install(SIGURG, action);
  }
}

void Signals::catch_crashes() {
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    struct sigaction before{};
    if (sigaction(signal, nullptr, &before) == 0 && (before.sa_flags & SA_SIGINFO) == 0 && before.sa_handler == SIG_DFL) {
      struct sigaction action{};
      action.sa_sigaction = on_crash;
      // Once: what caused it happens again when the handler returns, and then kills with a core dump of the very place.
      action.sa_flags = static_cast<int>(SA_SIGINFO | SA_RESETHAND | SA_ONSTACK);
      install(signal, action);
    }
  }
}

void Signals::arm() {
  itimerspec spec{};
  spec.it_value.tv_nsec = pulse.count();
  armed_.store(true, std::memory_order_relaxed);
  timer_settime(timer_, 0, &spec, nullptr);
}

void Signals::on_stop(int /*signal*/) {
  const int error_number = errno;
  if (Signals* const self = present.load()) {
    self->stop_.store(true);
    self->attention_.store(true);
    if (self->idle_.load()) {
      shutdown(self->channel_, SHUT_RD);
    }
  }
  errno = error_number;
}

void Signals::on_pulse(int /*signal*/) {
  const int error_number = errno;
  if (Signals* const self = present.load()) {
    self->armed_.store(false, std::memory_order_relaxed);
    self->beaten_.store(true, std::memory_order_relaxed);
    self->attention_.store(true, std::memory_order_relaxed);
    if (!self->output_.flush_from_signal()) {
      self->arm();
    }
  }
  errno = error_number;
}

void Signals::on_crash(int signal, siginfo_t* info, void* /*context*/) {
  Signals* const self = present.load();
  if (self != nullptr && gettid() == self->thread_) {
    self->output_.flush_from_signal();
  }
  if (info->si_code <= 0) {
    raise(signal);  // Sent by somebody: nothing would cause it again. It comes when this handler returns.
  }
}

}  // namespace corral::worker
