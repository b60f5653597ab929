#include "supervisor/shell/io/signal_source.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace corral::shell {

Result<SignalSource> SignalSource::open(const sigset_t& signals) {
  SignalSource source;
  source.fd_ = FileDescriptor(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!source.fd_) {
    return system_failure("cannot receive signals", errno);
  }
  return source;
}

void SignalSource::read(std::vector<ReceivedSignal>& out) {
  std::array<signalfd_siginfo, 32> batch;  // Not initialised: 4 KiB that the kernel fills.
  const ssize_t got = ::read(fd_.get(), batch.data(), sizeof(batch));
  if (got <= 0) {
    return;
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(got) / sizeof(signalfd_siginfo); ++i) {
    const signalfd_siginfo& signal = batch[i];
    const int number = static_cast<int>(signal.ssi_signo);
    out.push_back({number, static_cast<pid_t>(signal.ssi_pid), number == SIGCHLD && signal.ssi_code == CLD_EXITED,
                   signal.ssi_code == SI_KERNEL});
  }
}

}  // namespace corral::shell
