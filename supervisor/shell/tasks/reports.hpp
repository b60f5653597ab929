// What is told of a run beside its results: the summary at its end, a timeline, a trace, and the tasks in quarantine with their
// stories. Called from the loop alone; only wait() waits.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "supervisor/shell/io/last_words.hpp"
#include "supervisor/shell/tasks/report_file.hpp"
#include "supervisor/shell/tasks/run_summary.hpp"
#include "supervisor/shell/tasks/spans.hpp"

namespace corral::shell {

struct ReportOptions {
  std::optional<ReportPlace> timeline;
  std::optional<ReportPlace> trace;
  std::optional<ReportPlace> quarantine;  ///< The tasks, as they stood in the input.
  std::optional<ReportPlace> stories;     ///< Line by line, why.
  bool summary = true;                    ///< Figures for people at the end.
  std::string title;                      ///< The command.
  std::vector<std::string> cores;         ///< By worker, as text; empty: any.
};

class Reports {
 public:
  using Say = std::function<void(bool trouble, std::string_view event, std::string text)>;
  /// `drained`: congested() may have become false.
  Reports(boost::asio::io_context& loop, ReportOptions options, bool each, Say say, std::function<void()> drained);

  /// A line that a worker has written to its stderr.
  void heard(Life life, std::string_view line) { last_words_.hear(life, line); }
  [[nodiscard]] std::string last_words(Life life) const { return last_words_.member(life); }

  void launched(Life life, std::int32_t pid);
  void opened(Life life, Instant now);
  void recorded(const core::RecordTask& record, std::uint64_t task, std::string_view message, std::string_view text,
                Instant now) {
    summary_.recorded(record, now);
    if (spans_ || quarantine_) {
      tell(record, task, message, text, now);
    }
  }
  void retried(const core::TellRetry& retry, std::uint64_t task, std::string_view text, Instant now);
  void lost(const core::WorkerLost& death, Instant now);

  /// Once a turn.
  void flush(Instant now);
  [[nodiscard]] bool congested() const { return (spans_ || quarantine_) && any_congested(); }
  /// The figures of the run as lines for people; none where nobody wants them. As members of a JSON object for machines.
  [[nodiscard]] std::vector<std::string> summary() const { return summarizes_ ? summary_.lines() : std::vector<std::string>(); }
  [[nodiscard]] std::string summary_members(const core::TaskCounts& counts) const { return summary_.members(counts); }
  /// All is over.
  void close(const core::TaskCounts& counts);
  /// Waits for the disk at most that long, and may be called again. True when nothing is left.
  bool wait(Duration patience);

 private:
  [[nodiscard]] bool any_congested() const;
  void tell(const core::RecordTask& record, std::uint64_t task, std::string_view message, std::string_view text, Instant now);
  void quarantine(const core::RecordTask& record, std::uint64_t task, std::string_view message, std::string_view text);

  Say say_;
  bool summarizes_;
  std::uint32_t workers_;
  RunSummary summary_;
  LastWords last_words_;
  std::vector<std::int32_t> launched_;  ///< By slot: the pid of its last life.
  std::unique_ptr<Spans> spans_;        ///< Where anybody listens.
  std::unique_ptr<ReportFile> quarantine_;
  std::unique_ptr<ReportFile> stories_;
};

}  // namespace corral::shell
