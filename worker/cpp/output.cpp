#include "worker/cpp/output.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>

namespace corral::worker {

void Output::write_out(std::size_t end, std::string_view payload) {
  writing_.store(true, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  const std::size_t begin = begin_.load(std::memory_order_relaxed);
  // sendmsg() does not write through its pointers; iovec has no const.
  std::array<iovec, 2> parts{{{held_.data() + begin, end - begin}, {const_cast<char*>(payload.data()), payload.size()}}};
  while (!broken() && parts[0].iov_len + parts[1].iov_len > 0) {
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    ssize_t sent = payload.empty() ? send(fd_, parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL)  // Costs the kernel less.
                                   : sendmsg(fd_, &message, MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR) {
      error_number_ = errno;
    }
    for (iovec& part : parts) {
      const std::size_t gone = sent > 0 ? std::min(static_cast<std::size_t>(sent), part.iov_len) : 0;
      part.iov_base = static_cast<char*>(part.iov_base) + gone;
      part.iov_len -= gone;
      sent -= static_cast<ssize_t>(gone);
    }
  }
  begin_.store(0, std::memory_order_relaxed);
  end_.store(0, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  writing_.store(false, std::memory_order_relaxed);
}

bool Output::flush_from_signal() {
  if (writing_.load(std::memory_order_relaxed)) {
    return true;
  }
  const std::size_t end = end_.load(std::memory_order_relaxed);
  std::size_t begin = begin_.load(std::memory_order_relaxed);
  while (begin < end) {
    const ssize_t sent = send(fd_, held_.data() + begin, end - begin, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EINTR) {
      break;  // Full, or broken: flush() will see.
    }
    begin += sent > 0 ? static_cast<std::size_t>(sent) : 0;
    begin_.store(begin, std::memory_order_relaxed);
  }
  return begin == end;
}

}  // namespace corral::worker
