#include "worker/cpp/input.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <system_error>

namespace corral::worker {
namespace {

constexpr std::size_t usual_capacity = std::size_t{64} << 10U;
constexpr std::size_t least_room = usual_capacity / 2;
/// A worker takes what its supervisor sends.
constexpr std::uint32_t most = std::numeric_limits<std::uint32_t>::max();

}  // namespace

Input::Outcome Input::read(bool wait) {
  if (ended_ || !problem_.empty()) {
    if (wait && begin_ != end_ && problem_.empty()) {
      problem_ = "has closed the channel in the middle of a frame";
    }
    return Outcome::end;
  }
  make_room();
  const ssize_t size = recv(fd_, block_.get() + end_, capacity_ - end_, wait ? 0 : MSG_DONTWAIT);
  if (size > 0) {
    end_ += static_cast<std::size_t>(size);
    return Outcome::some;
  }
  if (size < 0 && (errno == EINTR || errno == EAGAIN)) {
    return Outcome::nothing;
  }
  // A supervisor that is gone before it has read everything leaves ECONNRESET behind, and not the end.
  if (size < 0 && errno != ECONNRESET) {
    problem_ = "cannot be heard: " + std::generic_category().message(errno);
  }
  ended_ = true;
  return wait ? read(wait) : Outcome::end;
}

std::size_t Input::lacking() const {
  const std::size_t size = end_ - begin_;
  const std::size_t whole = size < wire::header_size ? 0 : wire::header_size + length_at(block_.get() + begin_);
  return whole - std::min(whole, size);
}

void Input::make_room() {
  const std::size_t wanted = std::max(lacking(), least_room);
  if (begin_ == end_ && taken_ == nullptr) {
    begin_ = looked_at_ = end_ = 0;
    if (capacity_ != usual_capacity) {
      block_ = std::make_unique_for_overwrite<char[]>(usual_capacity);
      capacity_ = usual_capacity;
    }
  } else if (capacity_ - end_ < wanted) {
    const std::size_t needed = end_ - begin_ + wanted;
    // What piles up while a handler looks for its CANCEL shall not be copied each time.
    move_to(needed <= capacity_ ? capacity_ : std::max(needed, wanted > least_room ? needed : 2 * (end_ - begin_)));
  }
}

void Input::move_to(std::size_t capacity) {
  const std::size_t kept = end_ - begin_;
  const bool holds_payload = taken_ != nullptr && !parked_;
  if (capacity == capacity_ && !holds_payload) {
    std::memmove(block_.get(), block_.get() + begin_, kept);
  } else {
    Block larger = std::make_unique_for_overwrite<char[]>(capacity);
    std::memcpy(larger.get(), block_.get() + begin_, kept);
    std::swap(block_, larger);
    capacity_ = capacity;
    if (holds_payload) {
      parked_ = std::move(larger);
    }
  }
  looked_at_ -= std::min(looked_at_, begin_);
  end_ = kept;
  begin_ = 0;
}

bool Input::is_frame(const char* frame) {
  wire::Header header;
  const wire::HeaderFault fault = wire::decode(frame, most, header);
  if (fault == wire::HeaderFault::none || kind_at(frame) == given_back_kind) {
    return true;
  }
  problem_ = wire::describe(fault, header, most);
  return false;
}

void Input::look_for_cancels() {
  constexpr auto cancel_kind = static_cast<std::uint32_t>(wire::FrameType::cancel);
  std::size_t at = std::max(looked_at_, begin_);
  for (std::size_t size = 0; end_ - at >= wire::header_size; at += size) {
    const char* const frame = block_.get() + at;
    size = wire::header_size + length_at(frame);
    if (size > end_ - at) {
      break;
    }
    if (kind_at(frame) == cancel_kind) {
      const std::uint64_t task = task_at(frame);
      std::size_t before = begin_;
      while (before < at && !give_back(block_.get() + before, task)) {
        before += wire::header_size + length_at(block_.get() + before);
      }
      if (before == at && taken_ != nullptr) {
        give_back(taken_, task);
      }
    }
  }
  looked_at_ = at;
}

bool Input::give_back(char* frame, std::uint64_t task) {
  if (kind_at(frame) != task_kind || task_at(frame) != task) {
    return false;
  }
  wire::store(frame + 4, given_back_kind);
  return true;
}

}  // namespace corral::worker
