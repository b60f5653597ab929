#include "supervisor/shell/tasks/reports.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "supervisor/shell/tasks/story.hpp"
#include "supervisor/shell/tasks/timeline.hpp"
#include "supervisor/shell/tasks/trace.hpp"

namespace corral::shell {
namespace {

/// The loop's clock: everything in a report counts from here.
Instant now() { return Instant(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch())); }

}  // namespace

Reports::Reports(boost::asio::io_context& loop, ReportOptions options, bool each, Say say, std::function<void()> drained)
    : say_(std::move(say)),
      summarizes_(options.summary),
      workers_(static_cast<std::uint32_t>(options.cores.size())),
      summary_(workers_),
      launched_(2 * options.cores.size()) {
  const SpanFacts facts{std::move(options.cores), std::move(options.title), now(), each};
  std::vector<std::unique_ptr<SpanListener>> listeners;
  if (options.timeline) {
    listeners.push_back(std::make_unique<Timeline>(loop, std::move(*options.timeline), drained, facts));
  }
  if (options.trace) {
    listeners.push_back(std::make_unique<Trace>(loop, std::move(*options.trace), drained, facts));
  }
  if (!listeners.empty()) {
    spans_ = std::make_unique<Spans>(facts, std::move(listeners),
                                     [this](std::string text) { say_(true, "report_failed", std::move(text)); });
  }
  if (options.quarantine) {
    quarantine_ = std::make_unique<ReportFile>(loop, std::move(*options.quarantine), drained);
    quarantine_->keep_lines_whole();
  }
  if (options.stories) {
    stories_ = std::make_unique<ReportFile>(loop, std::move(*options.stories), drained);
    stories_->keep_lines_whole();
  }
}

void Reports::launched(Life life, std::int32_t pid) {
  if (life.worker.index < launched_.size()) {
    launched_[life.worker.index] = pid;
    summary_.launched(life, now());
  }
}

void Reports::opened(Life life, Instant now) {
  if (spans_) {
    spans_->started(life, launched_[life.worker.index], now);
  }
}

void Reports::tell(const core::RecordTask& record, std::uint64_t task, std::string_view message, std::string_view text,
                   Instant now) {
  if (spans_) {
    const bool by_status = record.mishap == core::Mishap::reported && record.death;
    spans_->recorded(record, task, by_status ? std::string_view(describe(record.death->status)) : message, text, now);
  }
  if (quarantine_ && record.outcome == core::Outcome::quarantined) {
    quarantine(record, task, message, text);
  }
}

void Reports::retried(const core::TellRetry& retry, std::uint64_t task, std::string_view text, Instant now) {
  if (spans_) {
    spans_->retried(retry, task, text, now);
  }
}

/// The task as it stood in the input and nothing else, so that the file can be the input of another run, of whatever kind.
void Reports::quarantine(const core::RecordTask& record, std::uint64_t task, std::string_view message, std::string_view text) {
  const std::string more = fmt::format(R"(,"line":{}{})", task, last_words(record.life));
  stories_->append(story_json(record, record.life.worker.index % workers_, message, more) + "\n");
  quarantine_->append(std::string(text) + "\n");
}

void Reports::lost(const core::WorkerLost& death, Instant now) {
  summary_.lost(death, now);
  if (spans_) {
    spans_->lost(death, now);
  }
}

void Reports::flush(Instant now) {
  if (spans_) {
    spans_->flush(now);
  }
  for (ReportFile* file : {stories_.get(), quarantine_.get()}) {
    if (file != nullptr) {
      file->flush();
      if (auto trouble = file->take_trouble()) {
        say_(true, "report_failed", std::move(*trouble));
      }
    }
  }
}

bool Reports::any_congested() const {
  return (spans_ && spans_->congested()) || (quarantine_ && quarantine_->congested()) || (stories_ && stories_->congested());
}

void Reports::close(const core::TaskCounts& counts) {
  summary_.close();
  if (spans_) {
    spans_->close("{" + summary_.members(counts) + "}");
  }
}

bool Reports::wait(Duration patience) {
  const bool all = (!spans_ || spans_->wait(patience)) && (!quarantine_ || quarantine_->wait(patience)) &&
                   (!stories_ || stories_->wait(patience));
  flush({});
  return all;
}

}  // namespace corral::shell
