// A program in the place of the files: it gives tasks and takes what becomes of them over one socket, in frames
// (docs/protocol.md, "A client"). Its payloads are not looked into.
//
// It is read no further than somebody takes its tasks. When it is gone, its process or its end of the socket, whoever owns this
// is told so: nobody has use for the workers any more. What this must not do: decide what becomes of a task.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "common/base/file_descriptor.hpp"
#include "common/base/result.hpp"
#include "common/wire/frame.hpp"
#include "supervisor/shell/io/writer.hpp"
#include "supervisor/shell/tasks/result_sink.hpp"
#include "supervisor/shell/tasks/task_source.hpp"

namespace corral::shell {

class Client : public TaskSource, public ResultSink {
 public:
  /// `socket` is the caller's, and open as long as this lives. `awake` is called in the loop when there is something to take, or
  /// congested() may have become false.
  [[nodiscard]] static Result<std::unique_ptr<Client>> open(boost::asio::io_context& loop, int socket,
                                                            std::function<void()> awake);

  // As a source. What next() has handed out is accepted() before the next event.
  [[nodiscard]] std::optional<InputLine> next() override;
  [[nodiscard]] std::optional<double> taken() const override { return std::nullopt; }
  [[nodiscard]] bool ended() const override { return over_ && waiting_.empty(); }
  [[nodiscard]] int read_error() const override { return 0; }
  void accepted(std::uint64_t number, core::TaskSlot slot, core::TaskId task);
  /// Tasks that were accepted, and that the client has no use for any more.
  [[nodiscard]] std::vector<core::CancelAsked> take_cancels() { return std::exchange(cancels_, {}); }
  struct End {
    std::string why;     ///< One clause, for "the client ...".
    bool early = false;  ///< It had not said that it has no more tasks.
    bool fault = false;  ///< It has written what is no protocol.
  };
  /// Once, when it takes no answers any more.
  [[nodiscard]] std::optional<End> take_end() { return std::exchange(end_, {}); }

  // As a sink.
  void add(const core::RecordTask& record, std::uint64_t number, std::string_view payload) override;
  void skip(core::TaskId task, std::uint64_t number) override;
  void flush() override { writer_.flush(); }
  [[nodiscard]] bool congested() const override;
  [[nodiscard]] std::size_t pending() const override { return gone_ ? 0 : writer_.pending(); }
  [[nodiscard]] std::size_t held() const override { return 0; }
  [[nodiscard]] int write_error() const override { return writer_.error_number(); }
  bool wait(Duration patience) override;

  /// A worker is at it.
  void begun(std::uint64_t number) { send(wire::FrameType::begun, number, {}); }
  /// It says that it is still at it.
  void progressed(std::uint64_t number, std::string_view payload) { send(wire::FrameType::progress, number, payload); }

 private:
  struct Place {
    core::TaskSlot slot{};
    core::TaskId task{};
    bool accepted = false;
  };

  Client(boost::asio::io_context& loop, int socket, FileDescriptor own, std::function<void()> awake);
  void watch();
  void watch_for_hang_up();
  void watch_process();
  void read_some();
  void receive(const wire::Frame& frame);
  void greet(const wire::Frame& frame);
  void take_task(const wire::Frame& frame);
  void take_cancel(std::uint64_t number);
  void be_gone(std::string why, bool fault = true);
  [[nodiscard]] bool full() const;
  void send(wire::FrameType type, std::uint64_t number, std::string_view payload);

  std::function<void()> awake_;
  boost::asio::posix::stream_descriptor socket_;   ///< A copy of the caller's, to be watched.
  boost::asio::posix::stream_descriptor process_;  ///< Its end is that of the client.
  Writer writer_;
  wire::FrameParser parser_{UINT32_MAX};
  std::vector<char> buffer_;
  std::deque<InputLine> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::unordered_map<std::uint64_t, Place> open_;  ///< By what the client calls them: those without an answer.
  std::uint32_t longest_ = wire::longest_payload;  ///< What the client takes.
  std::vector<core::CancelAsked> cancels_;
  std::optional<End> end_;
  bool greeted_ = false;
  bool watching_ = false;
  bool over_ = false;  ///< It gives no more tasks.
  bool shut_ = false;  ///< It says nothing any more.
  bool gone_ = false;
};

}  // namespace corral::shell
