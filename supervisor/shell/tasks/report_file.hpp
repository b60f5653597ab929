// A file beside the results: written while tasks run, off the loop where it is a regular file, and never at their cost. Once it
// cannot be written it stays as it is, which is said once.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/io_context.hpp>

#include "common/base/result.hpp"
#include "supervisor/shell/io/writer.hpp"

namespace corral::shell {

/// Where to. Not wanted: -1.
struct ReportPlace {
  int fd = -1;       ///< The caller's, open as long as the report is written.
  std::string what;  ///< For messages: "the timeline 'run.html'".
};

class ReportFile {
 public:
  /// `drained`: congested() may have become false.
  ReportFile(boost::asio::io_context& loop, ReportPlace place, std::function<void()> drained)
      : what_(std::move(place.what)), writer_(loop, place.fd, std::move(drained)) {}

  /// What is appended is a line: where the disk has no room for all of it, none of it stays.
  void keep_lines_whole() { writer_.keep_lines_whole(); }
  void append(std::string_view bytes) {
    if (!failed() && !broken_) {
      writer_.append(bytes);
    }
  }
  void flush() { writer_.flush(); }
  /// Whoever writes so much more than the disk takes has to wait: nothing is left out.
  [[nodiscard]] bool congested() const { return writer_.pending() > most_pending; }
  [[nodiscard]] std::size_t pending() const { return writer_.pending(); }
  bool wait(Duration patience) { return writer_.wait(patience); }
  /// Once, when it cannot be written any more: a sentence.
  [[nodiscard]] std::optional<std::string> take_trouble() {
    if (!failed() || std::exchange(broken_, true)) {
      return std::nullopt;
    }
    const int error = writer_.error_number();
    const std::string what = "cannot write " + what_;
    return (error == 0 ? what : system_error(what, error).message) + "; it is incomplete, the tasks go on";
  }

 private:
  /// What came behind a piece that was lost may have been written: then there is no error any more, but a hole.
  [[nodiscard]] bool failed() const { return writer_.error_number() != 0 || writer_.dropped() > 0; }

  static constexpr std::size_t most_pending = std::size_t{4} << 20U;
  std::string what_;
  Writer writer_;
  bool broken_ = false;
};

}  // namespace corral::shell
