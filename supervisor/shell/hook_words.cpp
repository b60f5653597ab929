#include "supervisor/shell/hook_words.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace corral::shell {

HookWords::HookWords(boost::asio::io_context& loop, std::function<void(std::string_view)> line, std::function<void()> heard)
    : reader_(loop), line_(std::move(line)), heard_(std::move(heard)) {}

Result<int> HookWords::write_end() {
  if (write_end_) {
    return write_end_.get();
  }
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return system_failure("cannot hear what it says", errno);
  }
  FileDescriptor read_end(ends[0]);
  FileDescriptor write_end(ends[1]);
  static_cast<void>(::fcntl(read_end.get(), F_SETFL, O_NONBLOCK));
  boost::system::error_code ec;
  if (reader_.assign(read_end.get(), ec); ec) {
    return system_failure("cannot hear what it says", ec.value());
  }
  static_cast<void>(read_end.release());
  write_end_ = std::move(write_end);
  listen();
  return write_end_.get();
}

void HookWords::finish() {
  if (write_end_) {
    read();
    lines_.finish([this](std::string_view line, bool) { line_(line); });
  }
}

void HookWords::listen() {
  reader_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code ec) {
    if (!ec) {
      read();
      listen();
      heard_();
    }
  });
}

/// As much as a pipe holds.
void HookWords::read() {
  std::array<char, std::size_t{64} * 1024> bytes;  // NOLINT: filled by read.
  const ssize_t count = ::read(reader_.native_handle(), bytes.data(), bytes.size());
  if (count > 0) {
    lines_.feed({bytes.data(), static_cast<std::size_t>(count)}, [this](std::string_view line, bool) { line_(line); });
  }
}

}  // namespace corral::shell
