// A worker for `corral map`: a handler that turns a task into its result, and the loop around it.
//
//     #include <corral/worker.hpp>
//
//     int main() {
//       return corral::worker::serve([](corral::worker::Task& task) { return crunch(task.payload()); });
//     }
//
// serve() talks to the supervisor over the task protocol until no more tasks come, and returns what main should return. In a
// process that no supervisor has started it filters stdin to stdout instead, a task a line, so that the same program can
// be tried and debugged by hand: `echo 1000 | ./worker`.
//
// Payloads and results are bytes; nothing here looks into them. `corral map` hands on a line of its input as it stands, and
// wants one JSON value as the result: a number, json_string(text), an object.
//
// Everything happens on the thread that calls serve(), one task after another, and a Task belongs to that thread. A handler may
// start threads of its own. A crash takes down the worker with the one task in work; the supervisor starts another one.
//
// This header needs C++20 and nothing else.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace corral::worker {

namespace detail {

/// What stands behind a Task: the channel to a supervisor, or stdin and stdout. Not for handlers.
class Port {
 public:
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  virtual ~Port() = default;

  /// The handler has returned this. Called once for each task, unless the handler has thrown.
  virtual void answer(std::uint64_t id, std::string_view result) = 0;
  virtual void progress(std::uint64_t id, std::string_view note) = 0;
  [[nodiscard]] virtual bool cancelled() = 0;
  [[nodiscard]] virtual bool stop_requested() const = 0;

 protected:
  Port() = default;
};

}  // namespace detail

/// What a handler gets: one task, for as long as the handler runs.
class Task {
 public:
  /// The supervisor's number for it; where stdin is filtered, the number of the line, from 0.
  [[nodiscard]] std::uint64_t id() const { return id_; }

  /// The task itself. Valid, and at the same place, until the handler returns.
  [[nodiscard]] std::string_view payload() const { return payload_; }

  /// Says that the task gets on: its timeout begins anew. A system call, so a few times a second is plenty.
  void progress(std::string_view note = {}) { port_.progress(id_, note); }

  /// Whether nobody wants the result any more: the supervisor has asked for the task back, or is gone. Cheap enough for an
  /// inner loop: it looks at the channel every few milliseconds at most. A handler that ends early throws anything, such as
  /// Failure("Cancelled", "..."); one that never asks goes on, and its result counts.
  [[nodiscard]] bool cancelled() { return port_.cancelled(); }

  /// Whether the worker was told to stop (SIGTERM). The loop ends after this task whatever the handler does; until its grace
  /// is over the worker may finish it. One that cannot make it in time throws, or returns what it has.
  [[nodiscard]] bool stop_requested() const { return port_.stop_requested(); }

  /// serve() does.
  Task(detail::Port& port, std::uint64_t id, std::string_view payload) : port_(port), id_(id), payload_(payload) {}
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

 private:
  detail::Port& port_;
  std::uint64_t id_;
  std::string_view payload_;
};

/// Thrown by a handler: the task has failed, and these words say how. Any other exception fails the task too, with the name of
/// its class as type and its what() as message. A failed task does not harm the worker.
class Failure : public std::exception {
 public:
  Failure(std::string type, std::string message);
  [[nodiscard]] const std::string& type() const noexcept { return text_->first; }
  [[nodiscard]] const std::string& message() const noexcept { return text_->second; }
  [[nodiscard]] const char* what() const noexcept override { return text_->second.c_str(); }

 private:
  std::shared_ptr<const std::pair<std::string, std::string>> text_;  // Copying an exception must not throw.
};

struct Options {
  /// What the supervisor calls this kind of worker in messages.
  std::string name = "c++";

  /// SIGTERM while a handler runs sets stop_requested(), and the loop ends once that task is answered; between tasks it ends
  /// the loop at once. Tasks that have not begun are given back, and serve() returns 0. Without this, SIGTERM is left as it
  /// was found, which kills.
  bool handle_sigterm = true;

  /// Answers of tiny tasks leave together. None waits for longer than about 2 ms: a timer writes them out while a long task
  /// runs. The timer's signal is SIGURG (nobody else's by default, and ignored), so that a system call of a handler may end
  /// with EINTR, as with any signal. Without this, every answer is written before the next task begins, and there
  /// is no timer. A program that has a SIGURG handler of its own gets that by itself.
  bool batch = true;
};

namespace detail {

using Call = void (*)(void* handler, Task& task, Port& port);

int serve(Call call, void* handler, const Options& options);

template <class Handler>
void call(void* handler, Task& task, Port& port) {
  Handler& function = *static_cast<Handler*>(handler);
  // Whatever the handler returns lives until the answer is written or copied.
  if constexpr (std::is_invocable_v<Handler&, Task&>) {
    static_assert(std::is_convertible_v<std::invoke_result_t<Handler&, Task&>, std::string_view>,
                  "a handler returns its result: a std::string, or anything else that converts to std::string_view");
    port.answer(task.id(), std::invoke(function, task));
  } else {
    static_assert(std::is_invocable_r_v<std::string_view, Handler&, std::string_view>,
                  "a handler takes a corral::worker::Task& or the payload as std::string_view, and returns its result: "
                  "a std::string, or anything else that converts to std::string_view");
    port.answer(task.id(), std::invoke(function, task.payload()));
  }
}

}  // namespace detail

/// Works until no more tasks come. `handler` is called with a Task& (or, if it does not take one, with the payload) and returns
/// the result: a std::string, or, where nothing shall be allocated, a std::string_view of something that outlives the call.
///
/// Returns 0 when the supervisor has no more tasks, has closed the channel, or has sent SIGTERM; 1, with a line on stderr, when
/// the channel has broken or does not speak the protocol. As a filter: 1 when any task has failed.
///
/// CORRAL_TASK_FD and CORRAL_MARK_FD are taken out of the environment and their descriptors are closed on exec; start other
/// processes after serve() has begun, or in handlers. The descriptor stays open when serve() returns, so that the supervisor sees
/// the worker end and not a worker that has hung up. Signal handlers are then as they were before. Call it once.
template <class Handler>
[[nodiscard]] int serve(Handler&& handler, const Options& options = {}) {
  using Function = std::remove_reference_t<Handler>;
  if constexpr (std::is_function_v<Function>) {
    auto* pointer = &handler;
    return detail::serve(&detail::call<decltype(pointer)>, &pointer, options);
  } else {
    return detail::serve(&detail::call<Function>, const_cast<void*>(static_cast<const void*>(std::addressof(handler))), options);
  }
}

/// `text` as a JSON string, quotes included; bytes that are no UTF-8 become U+FFFD.
[[nodiscard]] std::string json_string(std::string_view text);

}  // namespace corral::worker
