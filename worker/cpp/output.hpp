// Answers on their way to the supervisor, gathered so that many tiny ones leave in one write.
//
// Small answers are copied together and leave when somebody says flush(), or when 64 KiB are held. A large one is
// written from where it lies, after those before it. Once a write has failed everything is dropped and broken() says so.
// A signal handler may write out what is held, at any moment: an answer counts as held from one store on.
// What this must not do: decide when to wait, know what a task is.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "common/wire/frame.hpp"

namespace corral::worker {

class Output {
 public:
  explicit Output(int fd) : fd_(fd) {}

  /// `payload` may go away as soon as this returns.
  void append(wire::FrameType type, std::uint64_t task, std::string_view payload) {
    const std::size_t begin = end_.load(std::memory_order_relaxed);
    std::size_t end = begin + wire::header_size;
    wire::encode(wire::Header{static_cast<std::uint32_t>(payload.size()), type, task}, held_.data() + begin);
    if (payload.size() > small) [[unlikely]] {
      write_out(end, payload);
      return;
    }
    if (!payload.empty()) {
      std::memcpy(held_.data() + end, payload.data(), payload.size());
      end += payload.size();
    }
    std::atomic_signal_fence(std::memory_order_release);
    end_.store(end, std::memory_order_relaxed);
    if (end >= most_held) [[unlikely]] {
      write_out(end, {});
    }
  }

  /// Writes out all that is held, however long the supervisor takes to read it.
  void flush() {
    if (!empty()) {
      write_out(end_.load(std::memory_order_relaxed), {});
    }
  }

  /// The same from a signal handler of this thread, of what can be written without waiting. True when nothing is held any more,
  /// or is being written out anyway.
  bool flush_from_signal();

  [[nodiscard]] bool empty() const { return begin_.load(std::memory_order_relaxed) == end_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool broken() const { return error_number_ != 0; }
  [[nodiscard]] int error_number() const { return error_number_; }

 private:
  static constexpr std::size_t most_held = std::size_t{64} << 10U;
  static constexpr std::size_t small = std::size_t{16} << 10U;

  /// Writes what is held, up to `end`, and then `payload`, without copying it.
  void write_out(std::size_t end, std::string_view payload);

  int fd_;
  int error_number_ = 0;
  std::atomic<bool> writing_{false};
  std::atomic<std::size_t> begin_{0};  ///< What is before it has been written.
  std::atomic<std::size_t> end_{0};
  std::array<char, most_held + wire::header_size + small> held_;  // Not cleared: pages are touched when needed.
};

}  // namespace corral::worker
