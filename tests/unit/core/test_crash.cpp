#include <doctest/doctest.h>

#include <csignal>

#include "supervisor/core/crash.hpp"
#include "tests/unit/core/driver.hpp"

using namespace corral;
using namespace corral::core;

namespace {

bool abnormal(ExitStatus status, Verdict::Kind verdict, bool success = false, bool out_of_memory = false) {
  Ended end{{}, 0, status, {}, {}, false, {}};
  end.verdict.kind = verdict;
  end.success = success;
  end.out_of_memory = out_of_memory;
  return is_abnormal(end);
}

}  // namespace

TEST_CASE("an end is abnormal when it was neither a success nor asked for") {
  CHECK(abnormal(ExitedWith{3}, Verdict::Kind::restart));
  CHECK(abnormal(ExitedWith{3}, Verdict::Kind::not_restarted));
  CHECK(abnormal(ExitedWith{3}, Verdict::Kind::program_failed));
  CHECK(abnormal(KilledBy{SIGTERM}, Verdict::Kind::restart));
  CHECK_FALSE(abnormal(ExitedWith{0}, Verdict::Kind::restart, true));
  CHECK_FALSE(abnormal(ExitedWith{3}, Verdict::Kind::finished, true));
  CHECK_FALSE(abnormal(KilledBy{SIGTERM}, Verdict::Kind::stopped));
  CHECK_FALSE(abnormal(KilledBy{SIGKILL}, Verdict::Kind::stopped));
  CHECK_FALSE(abnormal(ExitedWith{1}, Verdict::Kind::replaced));
}

TEST_CASE("a fault is abnormal, whatever was asked for") {
  for (const int signal : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSYS, SIGTRAP, SIGXCPU}) {
    CHECK(abnormal(KilledBy{signal}, Verdict::Kind::stopped));
  }
  CHECK(abnormal(KilledBy{SIGQUIT, true}, Verdict::Kind::replaced));
  CHECK(abnormal(KilledBy{SIGKILL}, Verdict::Kind::stopped, false, true));
  CHECK(abnormal(ExitedWith{0}, Verdict::Kind::survivors, true));
}
