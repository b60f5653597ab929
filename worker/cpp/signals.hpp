// The signals of a worker: SIGTERM, the pulse of the batch, and the last words of a crash.
//
// SIGTERM sets a flag; while the loop waits for bytes, it also ends the wait, for which the reading side is shut down: a
// read that has not begun yet returns as well, and no system call is spent on closing that gap. The pulse (a timer's SIGURG) says
// that a while has passed: answers that are held are then written in the middle of a handler. A crash writes
// them out as well, so that the supervisor sees which task was in work; then it takes its course.
//
// One instance at a time. Signal handlers are as before when it is gone.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <csignal>
#include <ctime>
#include <vector>

#include "worker/cpp/output.hpp"
#include "worker/cpp/worker.hpp"

namespace corral::worker {

class Signals {
 public:
  Signals(int channel, Output& output, const Options& options);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  [[nodiscard]] bool stop_requested() const { return stop_.load(); }

  /// Around a wait in which nothing is held and no task is in hand. Ask stop_requested() between this and the wait.
  void idle(bool is) { idle_.store(is); }

  /// Before each task: whether there is anything to see to. Says yes as long as no pulse is to come.
  [[nodiscard]] bool want_attention() const { return attention_.load(std::memory_order_relaxed); }
  /// From here on want_attention() says no, unless a signal comes or somebody says otherwise. Before anything is looked at.
  void have_attention() { attention_.store(false); }
  void keep_attention() { attention_.store(true); }

  [[nodiscard]] bool has_pulse() const { return has_pulse_; }
  /// The pulse shall come a moment from now. False when there is none: then nothing must be held while a handler runs.
  bool want_pulse() {
    if (has_pulse_) {
      arm();
    }
    return has_pulse_;
  }
  /// It will come anyway.
  [[nodiscard]] bool expects_pulse() const { return armed_.load(std::memory_order_relaxed); }
  /// Whether it has come since the last time somebody asked.
  [[nodiscard]] bool take_pulse() {
    if (!beaten_.load(std::memory_order_relaxed)) {
      return false;
    }
    beaten_.store(false, std::memory_order_relaxed);
    return true;
  }

 private:
  struct Old {
    int signal;
    struct sigaction action;
  };

  static void on_stop(int signal);
  static void on_pulse(int signal);
  static void on_crash(int signal, siginfo_t* info, void* context);
  void install(int signal, struct sigaction action);
  void make_pulse();
  void catch_crashes();
  void arm();

  int channel_;
  Output& output_;
  pid_t thread_;
  timer_t timer_{};
  bool has_pulse_ = false;
  std::atomic<bool> stop_{false};
  std::atomic<bool> idle_{false};
  std::atomic<bool> attention_{true};
  std::atomic<bool> armed_{false};
  std::atomic<bool> beaten_{false};
  std::vector<Old> old_;
};

}  // namespace corral::worker
