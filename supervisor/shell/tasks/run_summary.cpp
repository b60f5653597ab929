#include "supervisor/shell/tasks/run_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "common/base/units.hpp"

namespace corral::shell {
RunSummary::Worker& RunSummary::at(WorkerId worker) {
  if (worker.index >= workers_.size()) {
    workers_.resize(worker.index + std::size_t{1});
  }
  return workers_[worker.index];
}

/// Both slots of each together.
std::vector<RunSummary::Worker> RunSummary::by_worker() const {
  std::vector<Worker> all(workers_.begin(),
                          workers_.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(count_, workers_.size())));
  for (std::size_t slot = all.size(); slot < workers_.size(); ++slot) {
    Worker& worker = all[slot % count_];
    worker.lived += workers_[slot].lived;
    worker.cpu += workers_[slot].cpu;
    worker.tasks += workers_[slot].tasks;
  }
  return all;
}

void RunSummary::launched(Life life, Instant now) {
  at(life.worker).began = now;
  begun_ = std::min(begun_, now);
  ended_ = std::max(ended_, now);
}

void RunSummary::lost(const core::WorkerLost& death, Instant now) {
  Worker& worker = at(death.life.worker);
  if (worker.began != never) {
    worker.lived += now - worker.began;
    worker.cpu += death.usage.user + death.usage.system;
    worker.began = never;
  }
}

void RunSummary::end_batch() {
  if (batch_.tasks > 0) {
    const auto tasks = static_cast<std::uint64_t>(batch_.tasks);
    tasks_ += tasks;
    at(batch_.worker).tasks += tasks;
    work_ += batch_.sum;
    longest_ = std::max(longest_, batch_.longest);
    durations_.add(batch_.sum / batch_.tasks, tasks);
  }
  batch_ = {};
}

double RunSummary::speed_up() const { return wall() > Duration::zero() ? in_seconds(work_) / in_seconds(wall()) : 0; }

std::vector<std::string> RunSummary::lines() const {
  if (tasks_ == 0) {
    return {};
  }
  std::vector<std::string> lines;
  lines.push_back(fmt::format("half of the tasks took at most {}, 95 % at most {}, the longest {}",
                              describe_duration(durations_.quantile(0.5)), describe_duration(durations_.quantile(0.95)),
                              describe_duration(longest_)));
  lines.push_back(
      fmt::format("{} of work in {}: speed-up {:.3g}", describe_duration(work_), describe_duration(wall()), speed_up()));
  lines.push_back(use_line());
  return lines;
}

std::string RunSummary::use_line() const {
  constexpr std::size_t most_named = 16;
  const std::vector<Worker> workers = by_worker();
  if (workers.size() <= most_named) {
    std::string text = "CPU use of the workers:";
    for (std::size_t i = 0; i < workers.size(); ++i) {
      fmt::format_to(std::back_inserter(text), "{} {} {:.0f} %", i == 0 ? "" : ",", i, workers[i].use() * 100);
    }
    return text;
  }
  double sum = 0;
  std::size_t least = 0;
  for (std::size_t i = 0; i < workers.size(); ++i) {
    sum += workers[i].use();
    least = workers[i].use() < workers[least].use() ? i : least;
  }
  return fmt::format("CPU use of the {} workers: {:.0f} % on average, the least {:.0f} % (worker {})", workers.size(),
                     100 * sum / static_cast<double>(workers.size()), 100 * workers[least].use(), least);
}

std::string RunSummary::members(const core::TaskCounts& counts) const {
  std::string out =
      fmt::format(R"("tasks":{},"done":{},"failed":{},"quarantined":{},"retries":{},"left":{},"cancelled":{},"dropped":{})",
                  counts.accepted, counts.done, counts.failed, counts.quarantined, counts.retries,
                  counts.left + counts.queued + counts.in_work, counts.cancelled, counts.dropped);
  fmt::format_to(std::back_inserter(out),
                 R"(,"p50_seconds":{:.6g},"p95_seconds":{:.6g},"max_seconds":{:.6g},"work_seconds":{:.6g},"wall_seconds":{:.6g})",
                 in_seconds(durations_.quantile(0.5)), in_seconds(durations_.quantile(0.95)), in_seconds(longest_),
                 in_seconds(work_), in_seconds(wall()));
  fmt::format_to(std::back_inserter(out), R"(,"speed_up":{:.4g},"workers":[)", speed_up());
  for (const Worker& worker : by_worker()) {
    fmt::format_to(std::back_inserter(out), R"({}{{"tasks":{},"cpu_seconds":{:.6g},"seconds":{:.6g},"cpu":{:.4g}}})",
                   out.back() == '[' ? "" : ",", worker.tasks, in_seconds(worker.cpu), in_seconds(worker.lived), worker.use());
  }
  return out += ']';
}

}  // namespace corral::shell
