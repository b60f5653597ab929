// The worker's end of the task protocol (docs/protocol.md): the loop between Input, the handler and Output.
//
// Answers are held while frames are in hand and written before anything is waited for; a pulse bounds how long. Once
// stopped, what has not begun is given back. What this must not do: look into payloads, start threads.
#pragma once

#include <cstdint>
#include <ctime>
#include <string_view>

#include "worker/cpp/input.hpp"
#include "worker/cpp/mark.hpp"
#include "worker/cpp/output.hpp"
#include "worker/cpp/signals.hpp"
#include "worker/cpp/worker.hpp"

namespace corral::worker {

/// The descriptor that CORRAL_TASK_FD names, made our own: closed on exec, its variable unset. -1 with a line on stderr when
/// it names none.
[[nodiscard]] int take_channel(std::string_view named);

class Channel final : public detail::Port {
 public:
  Channel(int fd, detail::Call call, void* handler, const Options& options);

  /// Until there are no more tasks. The exit status.
  [[nodiscard]] int run();

  void answer(std::uint64_t id, std::string_view result) override;
  void progress(std::uint64_t id, std::string_view note) override;
  [[nodiscard]] bool cancelled() override;
  [[nodiscard]] bool stop_requested() const override { return signals_.stop_requested(); }

 private:
  /// Says HELLO and waits for the supervisor's. False when the loop shall not begin.
  [[nodiscard]] bool greet(std::string_view name);
  /// Writes out all that is held and waits for a whole frame. False when none will come, or the worker was told to stop.
  [[nodiscard]] bool wait_for_frame();
  /// Sees to signals and to what is held, before a task. False when it shall not begin.
  [[nodiscard]] bool attend();
  /// What is no TASK. False when it was the last one.
  [[nodiscard]] bool handle(const wire::Frame& frame);
  void work(const wire::Frame& frame);
  /// Instead of a result of so many bytes.
  void refuse(std::uint64_t id, std::size_t size);
  void give_everything_back();
  /// The exit status, with a line on stderr where it is not 0.
  [[nodiscard]] int status();

  detail::Call call_;
  void* handler_;
  std::string_view name_;
  Mark mark_;
  Output output_;
  Input input_;
  Signals signals_;
  std::uint32_t longest_payload_ = wire::longest_payload;  ///< That the supervisor takes.
  std::time_t looked_at_ = 0;
  long looked_at_ns_ = 0;
  std::string problem_;
};

}  // namespace corral::worker
