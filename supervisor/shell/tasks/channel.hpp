// How one life of a worker is given tasks and answers them: frames over a socket, or lines through its stdin and stdout.
//
// Nothing here blocks: what does not fit into the kernel's buffer is kept and written later. What this must not do: decide
// what to send, or what an answer means.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/file_descriptor.hpp"
#include "common/base/ids.hpp"
#include "common/base/result.hpp"
#include "common/wire/frame.hpp"
#include "supervisor/core/tasks/task.hpp"

namespace corral::shell {

/// What a worker has said. Views are valid during the call.
struct Message {
  enum class Kind : std::uint8_t { greeted, answered, progressed, resigned, broken, too_long, closed };
  Kind kind = Kind::answered;
  core::TaskId task{};
  core::Answer answer = core::Answer::result;
  std::string_view payload;  ///< Of the answer; why the channel is broken or the answer too long; whom a greeting comes from.
};
using MessageSink = std::function<void(Life, const Message&)>;

/// The ends that a launch needs: they become the worker's 0, 1, 3 and 4. -1: nothing of that.
struct WorkerEnds {
  int in = -1;
  int out = -1;
  int task = -1;
  int mark = -1;
};

class Channel {
 public:
  virtual ~Channel() = default;
  [[nodiscard]] Life life() const { return life_; }
  /// The worker's ends; closed by launched().
  [[nodiscard]] virtual WorkerEnds ends() const = 0;
  virtual void launched() = 0;

  virtual void deliver(core::TaskId task, std::string_view payload) = 0;
  virtual void recall(core::TaskId task) = 0;
  /// No more tasks come. What was delivered is still sent.
  virtual void close_input() = 0;

  /// To be watched for input, and where there is something to write for output. -1: nothing to watch.
  [[nodiscard]] virtual int read_end() const = 0;
  [[nodiscard]] virtual int write_end() const = 0;
  [[nodiscard]] bool has_to_write() const { return !out_.empty() || closing_; }
  /// Writes what goes now. False when nobody reads any more: what is left is dropped, the worker's death tells the rest.
  virtual bool flush() = 0;
  /// Reads once. False at the end.
  virtual bool read_some(std::vector<char>& buffer, const MessageSink& sink) = 0;
  /// Tasks that could not be delivered, since the worker takes none of that size.
  [[nodiscard]] virtual std::vector<core::TaskId> take_refused() { return {}; }
  /// At its end: it has answered more tasks than it had, or fewer although it ended well, so that answers and tasks may not
  /// belong together.
  [[nodiscard]] virtual bool has_miscounted() const { return false; }
  /// The task that it has marked as the one in work.
  [[nodiscard]] virtual std::optional<core::TaskId> marked() const { return std::nullopt; }
  /// What it wrote that is no message.
  [[nodiscard]] virtual std::string take_output() { return {}; }

 protected:
  explicit Channel(Life life) : life_(life) {}
  /// Takes what was written from the front of `out_`.
  void sent(std::size_t bytes);

  Life life_;
  std::string out_;
  std::size_t done_ = 0;  ///< Of out_.
  bool closing_ = false;  ///< The end of the input is to be sent behind out_.
};

/// "the 64 MiB that a result may have (--max-payload)".
[[nodiscard]] std::string longest_result(std::size_t bytes);

/// `longest`: of the payload of an answer.
[[nodiscard]] Result<std::unique_ptr<Channel>> open_frame_channel(Life life, std::size_t longest);
/// Likewise of a line of output.
[[nodiscard]] Result<std::unique_ptr<Channel>> open_line_channel(Life life, std::size_t longest);
/// `longest`: of all its output.
[[nodiscard]] Result<std::unique_ptr<Channel>> open_output_channel(Life life, std::size_t longest);

}  // namespace corral::shell
