#include "supervisor/shell/tasks/spans.hpp"

#include <algorithm>
#include <utility>

#include "supervisor/shell/tasks/result_sink.hpp"

namespace corral::shell {

namespace {
/// Of a message, and of a task.
constexpr std::size_t longest_excerpt = 300;
}  // namespace

std::string_view name_of(SpanEnd how) {
  switch (how) {
    case SpanEnd::done: return "done";
    case SpanEnd::retried: return "retried";
    case SpanEnd::failed: return "failed";
    case SpanEnd::quarantined: return "quarantined";
  }
  return "done";
}

Spans::Spans(SpanFacts facts, std::vector<std::unique_ptr<SpanListener>> listeners, Say say)
    : listeners_(std::move(listeners)), pids_(2 * facts.cores.size()), say_(std::move(say)), each_(facts.each) {}

void Spans::tell(Span span) {
  span.pid = pids_[span.worker];
  span.worker = seat(span.worker);
  if (span.how == SpanEnd::done) {
    span.message = span.text = {};
  }
  span.message = span.message.substr(0, longest_excerpt);
  span.text = span.text.substr(0, longest_excerpt);
  for (const auto& listener : listeners_) {
    listener->hear(span);
  }
}

void Spans::tell(const LifeChange& change) {
  for (const auto& listener : listeners_) {
    listener->hear(change);
  }
}

void Spans::started(Life life, std::int32_t pid, Instant now) {
  pids_[life.worker.index] = pid;
  if (!each_) {
    tell(LifeChange{seat(life.worker.index), pid, now, true, {}});
  }
}

void Spans::lost(const core::WorkerLost& death, Instant now) {
  if (!each_) {
    const std::string how = describe(death.status);
    tell(LifeChange{seat(death.life.worker.index), pids_[death.life.worker.index], now, false, how});
  }
}

void Spans::recorded(const core::RecordTask& record, std::uint64_t task, std::string_view message, std::string_view text,
                     Instant now) {
  if (record.mishap == core::Mishap::unfit) {
    return;  // No worker was ever at it.
  }
  const SpanEnd how = record.outcome == core::Outcome::done     ? SpanEnd::done
                      : record.outcome == core::Outcome::failed ? SpanEnd::failed
                                                                : SpanEnd::quarantined;
  tell(Span{record.life.worker.index, 0, task, record.attempts, how, now - record.seconds, now, message, text});
}

void Spans::retried(const core::TellRetry& retry, std::uint64_t task, std::string_view text, Instant now) {
  const std::string message = retry.death ? describe(retry.death->status) : std::string(shell::name_of(retry.mishap));
  tell(Span{retry.life.worker.index, 0, task, retry.attempt, SpanEnd::retried, now - retry.seconds, now, message, text});
}

void Spans::flush(Instant now) {
  for (const auto& listener : listeners_) {
    listener->pause(now);
    listener->file().flush();
  }
  look_at_files();
}

void Spans::look_at_files() {
  for (const auto& listener : listeners_) {
    if (auto trouble = listener->file().take_trouble()) {
      say_(std::move(*trouble));
    }
  }
}

bool Spans::congested() const {
  return std::ranges::any_of(listeners_, [](const auto& listener) { return listener->file().congested(); });
}

void Spans::close(std::string_view summary) {
  for (const auto& listener : listeners_) {
    listener->close(summary);
  }
}

bool Spans::wait(Duration patience) {
  const bool all = std::ranges::all_of(listeners_, [&](const auto& listener) { return listener->file().wait(patience); });
  look_at_files();
  return all;
}

}  // namespace corral::shell
