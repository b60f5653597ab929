// Everything that appears on the supervisor's stdout and stderr: the workers' lines and its own.
//
// Lines are whole, whoever else writes. Nothing here waits for a reader: workers' output is held back in their pipes while
// congested() is true (nothing is lost, they slow down), the supervisor's own lines are dropped and counted beyond
// a bound, the least important first. Whatever is said here is an event of the chronicle too, also what is not said aloud.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "supervisor/shell/events/chronicle.hpp"
#include "supervisor/shell/io/relay.hpp"
#include "supervisor/shell/io/writer.hpp"

namespace corral::shell {

struct VoiceOptions {
  LogFormat format = LogFormat::text;
  Weight least = Weight::routine;  ///< What is less important is not said.
  bool colour_out = false;
  bool colour_err = false;
  bool all_to_stderr = false;  ///< stdout is somebody else's: workers' lines go to stderr, whichever they wrote to.
  bool endings = true;         ///< Say how workers ended. Not for the one command of `exec`: its exit status says it.
};

class Voice {
 public:
  Voice(boost::asio::io_context& loop, VoiceOptions options, Chronicle& chronicle, const std::function<void()>& drained);

  void worker_line(const WorkerLine& line);
  /// What the command of `on_event` says, where lines are JSON.
  void hook_line(std::string_view text);
  void notice(core::Notice notice);
  /// A sentence of the shell's own.
  void say(Weight weight, std::string_view event, std::string text);
  /// What all came to: a line each for people, one event with these members of a JSON object for machines.
  void sum_up(const std::vector<std::string>& lines, std::string members);

  /// A line at the bottom of the terminal that is drawn anew, below whatever else is said; empty: none. Only where stderr is
  /// a terminal.
  void show(std::string line);

  /// So much is unwritten that no more of the workers' output should be read.
  [[nodiscard]] bool congested() const;
  /// Once a turn of the loop.
  void flush();
  /// The end. Waits at most that long for the readers of both streams.
  void finish(Duration patience);

 private:
  void tell(const Event& event);
  void append_err(std::string_view text);
  void report_losses();
  void report_reader_gone(const Writer& writer, std::string_view name, bool& reported);
  void append_prefix(std::string& out, const WorkerLine& line, bool colour) const;
  void append_json(std::string& out, const WorkerLine& line) const;

  VoiceOptions options_;
  Chronicle& chronicle_;
  Writer out_;
  bool one_place_ = false;  ///< stdout and stderr lead to the same place, where the order of lines is to be seen.
  Writer err_;
  std::string line_;   ///< Scratch.
  bool said_ = false;  ///< Something, since the last flush.
  std::uint64_t unsaid_ = 0;
  bool hook_unsaid_ = false;  ///< Some of them are the hook's.
  bool out_gone_ = false;
  std::string shown_;  ///< At the bottom of the terminal.
  bool is_drawn_ = false;
};

}  // namespace corral::shell
