#include "worker/cpp/channel.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <system_error>

#include "common/wire/mark.hpp"
#include "worker/cpp/fault.hpp"
#include "worker/cpp/forks.hpp"

namespace corral::worker {

using wire::FrameType;

int take_channel(std::string_view named) {
  int fd = -1;
  const auto [end, failed] = std::from_chars(named.data(), named.data() + named.size(), fd);
  struct stat status{};
  const bool usable = failed == std::errc{} && end == named.data() + named.size() && fd >= 0 && fstat(fd, &status) == 0 &&
                      S_ISSOCK(status.st_mode) && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
  if (!usable) {
    std::fprintf(stderr, "corral::worker: CORRAL_TASK_FD is '%.*s', which is no open socket\n", static_cast<int>(named.size()),
                 named.data());
    fd = -1;
  }
  unsetenv("CORRAL_TASK_FD");
  return fd;
}

Channel::Channel(int fd, detail::Call call, void* handler, const Options& options)
    : call_(call), handler_(handler), name_(options.name), output_(fd), input_(fd), signals_(fd, output_, options) {}

// Inlined, since everything that a tiny task costs is seen: a frame is then taken apart in registers.
[[gnu::always_inline]] inline void Channel::work(const wire::Frame& frame) {
  Task task(*this, frame.task, frame.payload);
  mark_.set(frame.task);
  try {
    call_(handler_, task, *this);
  } catch (...) {
    end_if_forked();
    output_.append(FrameType::error, frame.task, to_json(current_fault(), longest_payload_));
  }
}

int Channel::run() {
  const bool greeted = greet(name_);
  while (greeted && (input_.has_frame() || wait_for_frame())) {
    if (signals_.want_attention() && !attend()) {
      break;
    }
    const wire::Frame frame = input_.take();
    if (frame.type == FrameType::task) [[likely]] {
      work(frame);
    } else if (!handle(frame)) {
      break;
    }
  }
  if (signals_.stop_requested()) {
    give_everything_back();
    output_.append(FrameType::drain, 0, {});  // What is on its way meanwhile was not begun either.
  }
  output_.flush();
  return status();
}

bool Channel::greet(std::string_view name) {
  output_.append(FrameType::hello, 0,
                 wire::encode(wire::Hello{wire::protocol_version, std::numeric_limits<std::uint32_t>::max(), name}));
  if (!wait_for_frame()) {
    return false;
  }
  const wire::Frame frame = input_.take();
  const auto hello = frame.type == FrameType::hello ? wire::decode_hello(frame.payload) : std::nullopt;
  const std::uint32_t version = hello ? hello->version : 0;
  if (hello) {
    longest_payload_ = hello->longest_payload;
  }
  if (frame.type == FrameType::drain) {
    return false;
  }
  if (version != wire::protocol_version) {
    problem_ = hello ? "speaks version " + std::to_string(version) + " of the task protocol, and this worker only version 1"
                     : "did not begin with a HELLO";
    return false;
  }
  return true;
}

bool Channel::wait_for_frame() {
  mark_.set(wire::no_task);
  output_.flush();
  input_.release();
  while (!input_.has_frame() && !output_.broken()) {
    signals_.idle(true);
    const auto outcome = signals_.stop_requested() ? Input::Outcome::end : input_.read(true);
    signals_.idle(false);
    if (outcome == Input::Outcome::end || signals_.stop_requested()) {
      return false;
    }
  }
  return !output_.broken();
}

bool Channel::attend() {
  signals_.have_attention();
  if (signals_.stop_requested() || output_.broken()) {
    return false;
  }
  if (signals_.take_pulse() || !signals_.has_pulse()) {
    output_.flush();
    input_.release();
    static_cast<void>(input_.read(false));
  }
  input_.look_for_cancels();
  const bool wanted = !output_.empty() || input_.has_more();
  if (!signals_.expects_pulse() && !(wanted && signals_.want_pulse())) {
    signals_.keep_attention();
  }
  return true;
}

bool Channel::handle(const wire::Frame& frame) {
  if (frame.type == given_back) {
    output_.append(FrameType::cancel, frame.task, {});
  } else if (frame.type == FrameType::drain) {
    return false;
  } else if (frame.type != FrameType::cancel) {
    problem_ = "sent a " + std::string(wire::name(frame.type)) + ", which it never does";
    return false;
  }
  return true;
}

void Channel::answer(std::uint64_t id, std::string_view result) {
  end_if_forked();
  if (result.size() <= longest_payload_) [[likely]] {
    output_.append(FrameType::result, id, result);
  } else {
    refuse(id, result.size());
  }
}

void Channel::refuse(std::uint64_t id, std::size_t size) {
  const Fault fault{"corral::worker::TooLong",
                    "the result has " + std::to_string(size) + " bytes, and a frame at most " + std::to_string(longest_payload_)};
  output_.append(FrameType::error, id, to_json(fault, longest_payload_));
}

void Channel::progress(std::uint64_t id, std::string_view note) {
  output_.append(FrameType::progress, id, note.substr(0, longest_payload_));
  output_.flush();
}

bool Channel::cancelled() {
  // The coarse clock is a load from memory, and ticks every 1 to 4 ms.
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  if (now.tv_nsec != looked_at_ns_ || now.tv_sec != looked_at_) {
    looked_at_ = now.tv_sec;
    looked_at_ns_ = now.tv_nsec;
    while (input_.read(false) == Input::Outcome::some) {
    }
    input_.look_for_cancels();
  }
  return input_.cancelled() || output_.broken();
}

void Channel::give_everything_back() {
  input_.release();
  while (input_.read(false) == Input::Outcome::some) {
  }
  while (input_.has_frame()) {
    const wire::Frame frame = input_.take();
    if (frame.type == FrameType::task || frame.type == given_back) {
      output_.append(FrameType::cancel, frame.task, {});
    }
  }
}

int Channel::status() {
  if (problem_.empty() && !signals_.stop_requested()) {
    problem_ = input_.problem();
  }
  if (output_.broken()) {
    std::fprintf(stderr, "corral::worker: cannot answer the supervisor: %s\n",
                 std::generic_category().message(output_.error_number()).c_str());
  } else if (!problem_.empty()) {
    std::fprintf(stderr, "corral::worker: the supervisor %s\n", problem_.c_str());
  } else {
    return 0;
  }
  return 1;
}

}  // namespace corral::worker
