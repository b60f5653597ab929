// What `exec` does when its command has been stopped, or another of its job: every case of a small table.
#include <doctest/doctest.h>

#include <array>
#include <csignal>

#include "supervisor/core/job_control.hpp"

using namespace corral::core;

namespace {

constexpr std::array everybody{Foreground::nobody, Foreground::supervisor, Foreground::command, Foreground::stranger};
constexpr std::array stops{SIGTSTP, SIGSTOP, SIGTTIN, SIGTTOU};

}  // namespace

TEST_CASE("without a terminal whoever stopped the command will continue it") {
  for (const int signal : stops) {
    CHECK(on_command_stopped(signal, Foreground::nobody) == JobReaction::leave);
  }
}

TEST_CASE("a command that wants the terminal gets it when the job is in the foreground, though nobody said that it is") {
  for (const int signal : {SIGTTIN, SIGTTOU}) {
    CHECK(on_command_stopped(signal, Foreground::supervisor) == JobReaction::hand_over);
    CHECK(on_command_stopped(signal, Foreground::command) == JobReaction::resume);  // It has got it meanwhile.
  }
}

TEST_CASE("a command that wants the terminal in the background stops the job, as it would have without a supervisor") {
  for (const int signal : {SIGTTIN, SIGTTOU}) {
    CHECK(on_command_stopped(signal, Foreground::stranger) == JobReaction::stop_along);
  }
}

TEST_CASE("where nothing could continue the job, a command that wants the terminal stays stopped: continued, it would spin") {
  for (const int signal : {SIGTTIN, SIGTTOU}) {
    CHECK(on_stop_refused(signal, Foreground::stranger) == JobReaction::leave);
    CHECK(on_stop_refused(signal, Foreground::supervisor) == JobReaction::leave);
  }
}

TEST_CASE("Ctrl-Z stops the job, whichever of its two groups has got it") {
  for (const Foreground foreground : {Foreground::command, Foreground::supervisor, Foreground::stranger}) {
    CHECK(on_command_stopped(SIGTSTP, foreground) == JobReaction::stop_along);
    CHECK(on_stop_refused(SIGTSTP, foreground) == JobReaction::resume);
  }
}

TEST_CASE("SIGSTOP of the command stops the job in the foreground, where the shell waits for it, and only there") {
  CHECK(on_command_stopped(SIGSTOP, Foreground::command) == JobReaction::stop_along);
  CHECK(on_command_stopped(SIGSTOP, Foreground::supervisor) == JobReaction::stop_along);
  CHECK(on_command_stopped(SIGSTOP, Foreground::stranger) == JobReaction::leave);
  CHECK(on_stop_refused(SIGSTOP, Foreground::command) == JobReaction::resume);  // A terminal that nobody could get back.
  CHECK(on_stop_refused(SIGSTOP, Foreground::supervisor) == JobReaction::leave);
}

TEST_CASE("a terminal is handed over only by those in its foreground") {
  for (const int signal : stops) {
    for (const Foreground foreground : everybody) {
      CHECK((on_command_stopped(signal, foreground) != JobReaction::hand_over || foreground == Foreground::supervisor));
      CHECK(on_stop_refused(signal, foreground) != JobReaction::hand_over);
      CHECK(on_stop_refused(signal, foreground) != JobReaction::stop_along);
    }
  }
}

TEST_CASE("the rest of the job gets the terminal back from the command, when it was the terminal that asked") {
  for (const int signal : {SIGTTIN, SIGTTOU}) {
    CHECK(is_wanted_back(signal, true, Foreground::command));
    CHECK_FALSE(is_wanted_back(signal, false, Foreground::command));
    CHECK_FALSE(is_wanted_back(signal, true, Foreground::stranger));
    CHECK_FALSE(is_wanted_back(signal, true, Foreground::supervisor));
    CHECK_FALSE(is_wanted_back(signal, true, Foreground::nobody));
  }
  CHECK_FALSE(is_wanted_back(SIGTSTP, true, Foreground::command));
}
