// What workers write: to a file, or among the supervisor's own words.
#include <fcntl.h>

#include <cerrno>
#include <utility>

#include <boost/asio/post.hpp>

#include "supervisor/shell/pump.hpp"

namespace corral::shell {

namespace {
/// How long disks are waited for at the end.
constexpr Duration last_lines = std::chrono::seconds(1);
}  // namespace

void Pump::hear(const WorkerOutput& output) {
  const WorkerId worker = output.life.worker;
  if (output.stream == Stream::err && (!feed_ || crash_folder_)) {
    last_words_.hear_all(output.life, output.bytes);
  }
  if (logs_ && logs_->takes(worker)) {
    if (logs_->write(now(), {worker, output.stream == Stream::err, output.goes_on, output.bytes})) {
      relay_->hold(worker);
    }
    return;
  }
  const bool merges = programs_[number(worker.program)].log.merges();
  for_each_line(output, [&](WorkerLine line) {
    if (feed_ && line.stream == Stream::err) {
      feed_->heard(line.life, line.text);
    }
    line.stream = merges ? Stream::out : line.stream;
    voice_->worker_line(line);
  });
}

/// From now on its lines go where its definition says.
void Pump::define_log(ProgramId id) {
  const Program& program = programs_[number(id)];
  if (!logs_ && program.log.to == core::LogTo::file && relay_) {
    logs_ = std::make_unique<logs::LogFiles>([this] {
      boost::asio::post(loop_, [this] {
        take_log_news();
        turn();
      });
    });
  }
  if (logs_) {
    logs_->define(id, program.name, program.log, static_cast<std::uint32_t>(program.placements.size()));
  }
}

void Pump::take_log_news() {
  logs::News news = logs_->take();
  for (logs::Notice& notice : news.notices) {
    say(notice.trouble ? Weight::trouble : Weight::notable, notice.event, std::move(notice.text));
  }
  for (const WorkerId worker : news.may_go_on) {
    relay_->resume(worker);
  }
  if (news.reopened) {
    tell_reopened(news.reopen_trouble);
  }
}

void Pump::finish_logs() {
  if (logs_) {
    logs_->finish(last_lines);
    take_log_news();
  }
}

void Pump::reopen_logs(std::optional<core::CommandId> asked_by) {
  if (asked_by) {
    reopening_.push_back(*asked_by);
  }
  if (!logs_ || !logs_->reopen()) {
    tell_reopened({});
  }
}

void Pump::tell_reopened(std::string_view trouble) {
  for (const core::CommandId id : std::exchange(reopening_, {})) {
    answer(id, control::reopened(trouble));
  }
}

void Pump::perform(const core::ReopenLogs&) { reopen_logs({}); }

logs::Counts Pump::log_counts(ProgramId program) const { return logs_ ? logs_->counts(program) : logs::Counts{}; }

Result<int> Pump::nowhere() {
  if (!nowhere_) {
    nowhere_ = FileDescriptor(::open("/dev/null", O_WRONLY | O_CLOEXEC | O_NOCTTY));
  }
  return nowhere_ ? Result<int>(nowhere_.get()) : system_failure("cannot open /dev/null for its output", errno);
}

}  // namespace corral::shell
