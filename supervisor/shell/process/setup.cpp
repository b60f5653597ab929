#include "supervisor/shell/process/setup.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace corral::process {
namespace {

/// A descriptor opened later must not become 0, 1 or 2: what somebody prints would end up in it.
Result<> fill_standard_descriptors(unsigned& closed) {
  for (int fd = 0; fd < 3; ++fd) {
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
      closed |= 1U << static_cast<unsigned>(fd);
      const int opened = open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
      if (opened < 0) {
        return system_failure("cannot open '/dev/null' in place of a closed standard descriptor", errno);
      }
    }
  }
  return {};
}

}  // namespace

Result<ProcessSetup> ProcessSetup::begin() {
  ProcessSetup setup;
  if (const auto filled = fill_standard_descriptors(setup.was_closed_); !filled) {
    return std::unexpected(filled.error());
  }
  sigfillset(&setup.blocked_);
  sigdelset(&setup.blocked_, SIGKILL);
  sigdelset(&setup.blocked_, SIGSTOP);
  sigprocmask(SIG_SETMASK, &setup.blocked_, &setup.inherited_mask_);
  struct sigaction standard{};
  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    struct sigaction before{};
    // libc refuses its own two real-time signals; nobody ignores them.
    if (sigaction(signal, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) {
      setup.was_ignored_ |= std::uint64_t{1} << static_cast<unsigned>(signal - 1);
      sigaction(signal, &standard, nullptr);
    }
  }
  struct sigaction ignored{};
  ignored.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignored, nullptr);

  getrlimit(RLIMIT_NOFILE, &setup.inherited_open_files_);
  rlimit raised = setup.inherited_open_files_;
  raised.rlim_cur = raised.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &raised) != 0) {
    setup.notices_.push_back(system_error("cannot raise the limit of open files", errno).message);
  }
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
    setup.notices_.push_back(
        system_error("cannot become the subreaper: descendants that leave their process group cannot be stopped", errno).message);
  }
  return setup;
}

bool ProcessSetup::was_ignored(int signal) const {
  return signal >= 1 && signal <= 64 && ((was_ignored_ >> static_cast<unsigned>(signal - 1)) & 1U) != 0;
}

}  // namespace corral::process
