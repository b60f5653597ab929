#include <doctest/doctest.h>

#include <csignal>
#include <cstring>
#include <string>

#include "common/base/exit_status.hpp"
#include "common/base/signals.hpp"

using namespace corral;

TEST_CASE("a signal is known by its name in any case, with and without SIG, and by its number") {
  for (const char* text : {"TERM", "SIGTERM", "term", "sigterm", "15"}) {
    CHECK_MESSAGE(parse_signal(text) == SIGTERM, text);
  }
  CHECK(parse_signal("KILL") == SIGKILL);
  CHECK(parse_signal("POLL") == SIGIO);
  CHECK(parse_signal("IOT") == SIGABRT);
  CHECK(parse_signal("RTMIN") == SIGRTMIN);
  CHECK(parse_signal("RTMIN+3") == SIGRTMIN + 3);
  CHECK(parse_signal("SIGRTMAX-1") == SIGRTMAX - 1);
  CHECK(parse_signal("RTMAX") == SIGRTMAX);
  CHECK(parse_signal("64") == 64);
}

TEST_CASE("what is no signal is none") {
  for (const char* text : {"", "0", "-1", "65", "100000000000", "TERMX", "SIG", "SIG15", "15 ", " 15", "TER", "RTMIN-1", "RTMIN+",
                           "RTMIN+-1", "RTMIN+99", "RTMAX+1", "RTMAX-99", "+15"}) {
    CHECK_MESSAGE(!parse_signal(text).has_value(), text);
  }
}

TEST_CASE("every signal's name leads back to its number, and its description is the C library's") {
  for (int number = 1; number <= 31; ++number) {
    CHECK(parse_signal(signal_name(number)) == number);
    CHECK(parse_signal("SIG" + signal_name(number)) == number);
    CHECK(signal_description(number) == strsignal(number));
  }
  for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) {
    CHECK(parse_signal(signal_name(number)) == number);
  }
  CHECK(standard_signals().size() == 31);
  CHECK(signal_name(15) == "TERM");
  CHECK(signal_name(200) == "200");
  CHECK(signal_name(SIGRTMIN + 3) == "RTMIN+3");
  CHECK(signal_description(200) == "Unknown signal 200");
}

TEST_CASE("an exit status tells how a process ended, and what a shell would show") {
  const ExitStatus left{ExitedWith{3}};
  CHECK(describe(left) == "exited with status 3");
  CHECK(left.shell_code() == 3);
  CHECK(left.killed() == nullptr);
  const ExitStatus crashed{KilledBy{SIGSEGV, true}};
  CHECK(describe(crashed) == "killed by signal 11 (Segmentation fault), core dumped");
  CHECK(crashed.shell_code() == 139);
  CHECK(crashed.exited() == nullptr);
  CHECK(describe(ExitStatus{KilledBy{SIGKILL}}) == "killed by signal 9 (Killed)");
  CHECK(left != ExitStatus{ExitedWith{4}});
  CHECK(left != ExitStatus{KilledBy{3}});
}
