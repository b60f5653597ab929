// Bytes of the channel -> the frames in hand, in order, without copying them.
//
// Frames lie in one block and are taken from there; the payload of the frame taken last stays where it is until release(), even
// while more is read. Whoever looks for cancels finds those among the bytes in hand: a task that has not been taken yet then
// turns into `given_back`.
//
// This must not know what becomes of a task, nor write anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "common/wire/frame.hpp"

namespace corral::worker {

/// A TASK that a CANCEL has overtaken. On the wire it would be no frame.
inline constexpr wire::FrameType given_back{0};

class Input {
 public:
  enum class Outcome : std::uint8_t { some, nothing, end };

  explicit Input(int fd) : fd_(fd) {}

  /// One read; with `wait`, of at least a byte. `nothing`: there is none now, or a signal came.
  Outcome read(bool wait);

  /// A whole frame is in hand.
  [[nodiscard]] bool has_frame() {
    const char* const frame = block_.get() + begin_;
    const std::size_t size = end_ - begin_;
    if (size < wire::header_size || (kind_at(frame) != task_kind && !is_frame(frame))) {
      return false;
    }
    return size - wire::header_size >= length_at(frame);
  }
  /// More is in hand than the one frame that has_frame() told of.
  [[nodiscard]] bool has_more() const { return end_ - begin_ > wire::header_size + length_at(block_.get() + begin_); }

  /// The next frame, after has_frame(). CANCEL frames come too and mean nothing any more.
  wire::Frame take() {
    taken_ = block_.get() + begin_;
    const std::size_t length = length_at(taken_);
    begin_ += wire::header_size + length;
    return {static_cast<wire::FrameType>(taken_[4]), wire::load<std::uint64_t>(taken_ + 8), {taken_ + wire::header_size, length}};
  }

  /// Lets each CANCEL in hand find its task, be it still in hand or the one that was taken last.
  void look_for_cancels();

  /// The payload of the frame taken last is not needed any more. To be said before a read, not for every frame.
  void release() {
    taken_ = nullptr;
    parked_.reset();
  }

  /// The frame taken last, a TASK, was asked back.
  [[nodiscard]] bool cancelled() const { return taken_ != nullptr && kind_at(taken_) == given_back_kind; }

  /// What follows the frames in hand is none, or half a one and the end: a clause for "the supervisor ...". Empty until then.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  using Block = std::unique_ptr<char[]>;

  /// Type, flags and zero of a header in one.
  static constexpr auto task_kind = static_cast<std::uint32_t>(wire::FrameType::task);
  /// Written over that of a task; nothing that a stream gone astray is likely to hold.
  static constexpr std::uint32_t given_back_kind = 0x7c9d6b00;

  static std::uint32_t kind_at(const char* frame) { return wire::load<std::uint32_t>(frame + 4); }
  static std::size_t length_at(const char* frame) { return wire::load<std::uint32_t>(frame); }
  static std::uint64_t task_at(const char* frame) { return wire::load<std::uint64_t>(frame + 8); }

  void make_room();
  void move_to(std::size_t capacity);
  /// Whether this is the header of one. Says what the problem is where not.
  bool is_frame(const char* frame);
  /// Whether this is the header of a TASK with this id, which then is given back.
  static bool give_back(char* frame, std::uint64_t task);
  /// Bytes that the frame at the front still lacks; 0 where that cannot be told.
  [[nodiscard]] std::size_t lacking() const;

  int fd_;
  Block block_;
  Block parked_;  ///< Holds the frame that was taken last, where block_ does not.
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;      ///< The next frame.
  std::size_t looked_at_ = 0;  ///< No CANCEL lies before it that has not found its task.
  std::size_t end_ = 0;        ///< Behind the last byte.
  char* taken_ = nullptr;      ///< The frame that was taken last; in block_ or parked_.
  bool ended_ = false;
  std::string problem_;
};

}  // namespace corral::worker
