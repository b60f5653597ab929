#include "supervisor/shell/tasks/ledger.hpp"

#include <cerrno>
#include <utility>

#include <boost/asio/post.hpp>

#include "common/base/check.hpp"

namespace corral::shell {
namespace {

constexpr std::size_t most_lines_asked = 1024;                  // Looked up at once.
constexpr std::size_t most_bytes = std::size_t{4} << 20U;       // Likewise; one line may be longer.
constexpr std::size_t most_asked = 2;                           // So that the thread has the next block while we hand out one.
constexpr std::size_t most_unrecorded = std::size_t{8} << 20U;  // Results that are not on the disk yet.

}  // namespace

Ledger::Ledger(boost::asio::io_context& loop, LedgerOptions options, ResultOptions results, std::shared_ptr<TaskSource> input,
               bool keep_empty, LedgerHooks hooks)
    : Results(loop, results, hooks.awake),
      name_(options.recorder.file->path()),
      form_(results),
      input_(std::move(input)),
      keep_empty_(keep_empty),
      retry_only_(options.retry_only),
      hooks_(std::move(hooks)),
      recorder_(std::move(options.recorder), [this, &loop, alive = std::weak_ptr<bool>(alive_)] {
        boost::asio::post(loop, [this, alive] {
          if (!alive.expired()) {
            hear();
            hooks_.awake();
          }
        });
      }) {}

Ledger::~Ledger() = default;

// ---- Input ----------------------------------------------------------------------------------------------------------

void Ledger::ask() {
  if (!retry_only_) {
    return ask_about_lines();
  }
  if (ready_.empty() && !failed_asked_ && !failed_over_) {
    failed_asked_ = true;
    recorder_.look_for_failed();
  }
}

void Ledger::ask_about_lines() {
  while (asked_.size() < most_asked && ready_.size() < most_lines_asked) {
    Block block;
    state::Lines lines;
    std::size_t bytes = 0;
    while (block.size() < most_lines_asked && bytes < most_bytes) {
      std::optional<InputLine> line = input_->next();
      if (!line) {
        break;
      }
      if (line->bytes.empty() && !line->too_long && !keep_empty_) {
        continue;
      }
      bytes += line->bytes.size();
      lines.lines.push_back({line->bytes, line->too_long});
      block.push_back(std::move(*line));
    }
    if (block.empty()) {
      return;
    }
    const auto kept = std::make_shared<const Block>(std::move(block));
    lines.owner = kept;
    asked_.push_back(kept);
    recorder_.look_up(std::move(lines));
  }
}

bool Ledger::ended() const { return ready_.empty() && (retry_only_ ? failed_over_ : asked_.empty() && input_->ended()); }

std::optional<InputLine> Ledger::next() {
  ask();
  if (ready_.empty()) {
    return std::nullopt;
  }
  Found found = std::move(ready_.front());
  ready_.pop_front();
  InputLine line = found.line;
  open_.emplace(handed_out_++, std::move(found));
  return line;
}

void Ledger::hear() {
  state::Recorder::News news = recorder_.take();
  for (std::vector<state::Finding>& findings : news.findings) {
    const auto block = std::move(asked_.front());
    asked_.pop_front();
    hear(*block, std::move(findings));
  }
  for (std::vector<state::FailedTask>& failed : news.failed) {
    hear(std::move(failed));
  }
  if (!news.committed.empty()) {
    write(news.committed);
  }
  for (std::string& notice : news.notices) {
    hooks_.say(std::move(notice));
  }
}

void Ledger::hear(const Block& block, std::vector<state::Finding> findings) {
  for (std::size_t at = 0; at < findings.size(); ++at) {
    if (findings[at].known) {
      ++known_;
      known_failed_ += findings[at].failed ? 1U : 0U;
    } else {
      ready_.push_back({block[at], findings[at].key});
    }
  }
}

void Ledger::hear(std::vector<state::FailedTask> failed) {
  failed_asked_ = false;
  failed_over_ = failed.empty();
  for (state::FailedTask& task : failed) {
    InputLine line{std::make_shared<const std::string>(std::move(task.task)), {}, task.line, false};
    line.bytes = *line.owner;
    ready_.push_back({std::move(line), task.key});
  }
}

// ---- Results --------------------------------------------------------------------------------------------------------

void Ledger::add(const core::RecordTask& record, std::uint64_t line, std::string_view payload) {
  auto opened = open_.extract(number(record.task));
  CORRAL_CHECK(!opened.empty());
  const Found& found = opened.mapped();
  state::TaskRow row;
  row.key = found.key;
  row.line = line;
  row.outcome = record.outcome;
  if (form_.raw) {
    append_line(row.result, record, line, payload);
  }
  if (record.outcome != core::Outcome::done && !found.line.too_long) {
    row.task.emplace(found.line.bytes);
  }
  ended_.emplace(number(record.task), std::move(row));
  Results::add(record, line, payload);
}

/// Its turn has come.
void Ledger::put(core::TaskId task, std::string_view text) {
  auto ended = ended_.extract(number(task));
  if (ended.empty()) {
    return;  // It was left.
  }
  state::TaskRow& row = ended.mapped();
  if (form_.raw) {
    row.output.emplace(text);
  } else {
    row.result = text;
  }
  recorder_.record(std::move(row));
}

void Ledger::skip(core::TaskId task, std::uint64_t line) {
  open_.erase(number(task));
  ++left_;
  Results::skip(task, line);
}

void Ledger::flush() {
  recorder_.flush();
  Results::flush();
}

bool Ledger::congested() const { return recorder_.pending() > most_unrecorded || Results::congested(); }

int Ledger::write_error() const {
  const auto failed = recorder_.failure();
  if (!failed) {
    return Results::write_error();
  }
  return failed->error_number != 0 && failed->error_number != EPIPE ? failed->error_number : EIO;
}

std::optional<std::string> Ledger::failure() const {
  const auto failed = recorder_.failure();
  return failed ? std::optional(failed->message) : std::nullopt;
}

bool Ledger::wait(Duration patience) {
  const bool all_read = ended() && read_error() == 0;
  if (!recorder_.finish(all_read ? std::optional(left_) : std::nullopt, patience)) {
    return false;
  }
  hear();
  return Results::wait(patience);
}

}  // namespace corral::shell
