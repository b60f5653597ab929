// The results of tasks, as lines: to stdout or a file, in the order in which they come or in that of the input.
//
// A line is written whole.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>

#include "supervisor/shell/io/writer.hpp"
#include "supervisor/shell/tasks/result_sink.hpp"

namespace corral::shell {

struct ResultOptions {
  std::uint32_t workers = 1;  ///< Some have two slots: it is the worker that is named.
  int fd = 1;                 ///< The caller's, open as long as this lives.
  bool raw = false;           ///< The payload alone; tasks that were not done have no line.
  bool ordered = false;
  bool as_text = false;    ///< Payloads are text and no JSON: written as a JSON string.
  bool tag = false;        ///< Raw: each line has its task in front, and a tabulator.
  bool as_output = false;  ///< They are the whole output of a process: raw, they are written as they are, failed ones too.
  std::function<std::string(Life)> last_words;              ///< LastWords::member(); may be empty.
  std::function<std::string_view(core::TaskSlot)> text_of;  ///< The task itself.
};

class Results : public ResultSink {
 public:
  /// `drained`: congested() may have become false.
  Results(boost::asio::io_context& loop, ResultOptions options, std::function<void()> drained);

  void add(const core::RecordTask& record, std::uint64_t line, std::string_view payload) override;
  void skip(core::TaskId task, std::uint64_t line) override;
  void flush() override { writer_.flush(); }
  [[nodiscard]] bool congested() const override;
  [[nodiscard]] std::size_t pending() const override { return writer_.pending(); }
  [[nodiscard]] std::size_t held() const override { return held_; }
  [[nodiscard]] int write_error() const override { return writer_.error_number(); }
  bool wait(Duration patience) override { return writer_.wait(patience); }

 protected:
  /// A result whose turn has come.
  virtual void put(core::TaskId task, std::string_view text);
  void write(std::string_view text) { writer_.append(text); }
  /// Appends it as a line of JSON.
  void append_line(std::string& out, const core::RecordTask& record, std::uint64_t line, std::string_view payload) const;

 private:
  void append(core::TaskId task, std::string_view text);
  void release();
  void append_done(std::string& out, const core::RecordTask& record, std::uint64_t line, std::string_view json) const;
  void append_raw(std::string& out, const core::RecordTask& record, std::string_view payload) const;
  void append_error(std::string& out, const core::RecordTask& record, std::string_view payload) const;

  ResultOptions options_;
  Writer writer_;
  std::uint64_t next_ = 0;  ///< In order: whose turn it is.
  std::map<std::uint64_t, std::string> waiting_;
  std::size_t held_ = 0;
  std::string text_;  ///< Of the latest one: its room is used again.
};

}  // namespace corral::shell
