// What the command of `on_event` writes to stderr, line by line: where corral's own lines are JSON, no other may stand between.
#pragma once

#include <functional>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "common/base/file_descriptor.hpp"
#include "common/base/result.hpp"
#include "common/wire/line_splitter.hpp"

namespace corral::shell {

class HookWords {
 public:
  /// `heard` is called after lines that nobody has asked for.
  HookWords(boost::asio::io_context& loop, std::function<void(std::string_view)> line, std::function<void()> heard);
  HookWords(const HookWords&) = delete;
  HookWords& operator=(const HookWords&) = delete;

  /// For the stderr of a launch: the same for all of them, one after another.
  [[nodiscard]] Result<int> write_end();
  /// The command has ended: what it has written is handed on, half a line too.
  void finish();

 private:
  void listen();
  void read();

  boost::asio::posix::stream_descriptor reader_;
  std::function<void(std::string_view)> line_;
  std::function<void()> heard_;
  FileDescriptor write_end_;
  wire::LineSplitter lines_;
};

}  // namespace corral::shell
