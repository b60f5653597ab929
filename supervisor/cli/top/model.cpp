#include "supervisor/cli/top/model.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <tuple>
#include <unordered_map>

namespace corral::cli::top {
namespace {

/// As the core names them, in the order of a worker's life.
constexpr std::array<std::string_view, 10> all_states{"running", "starting", "waiting", "backoff", "stopping",
                                                      "killing", "draining", "stopped", "exited",  "failed"};

/// A second sample that follows sooner than this would make rates of rounding errors.
constexpr double shortest_span = 0.05;

bool same_life(const WorkerSample& before, const WorkerSample& now) {
  return before.pid && before.pid == now.pid && before.incarnation == now.incarnation;
}

template <class Number>
std::optional<double> rate(std::optional<Number> before, std::optional<Number> now, double span) {
  if (!before || !now || *now < *before) {
    return std::nullopt;
  }
  return static_cast<double>(*now - *before) / span;
}

void add(std::optional<double>& sum, std::optional<double> more) {
  if (more) {
    sum = sum.value_or(0) + *more;
  }
}

bool passes(const WorkerSample& worker, std::string_view filter) {
  return worker.name.find(filter) != std::string::npos || worker.state.find(filter) != std::string::npos;
}

auto by_name(const Row& row) { return std::tie(row.worker.program, row.worker.index, row.worker.name); }

/// Lanes: workers of the same cores are neighbours.
bool in_lanes(const Row& left, const Row& right) {
  const std::uint64_t left_cpu = first_cpu(left.worker.cores);
  const std::uint64_t right_cpu = first_cpu(right.worker.cores);
  return std::tie(left_cpu, left.worker.cores) < std::tie(right_cpu, right.worker.cores);
}

/// The greatest first; those without it last.
template <class Value>
void sort_down(std::vector<Row>& rows, Value value) {
  std::ranges::stable_sort(rows, std::greater{}, value);
}

void sort(std::vector<Row>& rows, Order order) {
  std::ranges::sort(rows, {}, by_name);
  switch (order) {
    case Order::name: break;
    case Order::cores: std::ranges::stable_sort(rows, in_lanes); break;
    case Order::cpu: sort_down(rows, [](const Row& row) { return row.cpu_share.value_or(-1); }); break;
    case Order::memory: sort_down(rows, [](const Row& row) { return row.worker.memory_bytes.value_or(0); }); break;
    case Order::restarts: sort_down(rows, [](const Row& row) { return row.worker.restarts; }); break;
  }
}

}  // namespace

std::string_view name(Order order) {
  switch (order) {
    case Order::cores: return "cores";
    case Order::name: return "name";
    case Order::cpu: return "CPU";
    case Order::memory: return "memory";
    case Order::restarts: return "restarts";
  }
  return "";
}

std::uint64_t first_cpu(std::string_view cores) {
  std::uint64_t number = std::numeric_limits<std::uint64_t>::max();
  static_cast<void>(std::from_chars(cores.data(), cores.data() + cores.size(), number));
  return number;
}

void Model::take(Sample sample, Instant now) {
  const double span = in_seconds(now - sampled_at_);
  if (sample_ && span >= shortest_span) {
    std::unordered_map<std::string_view, const WorkerSample*> before;
    for (const WorkerSample& worker : sample_->workers) {
      before.emplace(worker.name, &worker);
    }
    rates_.clear();
    for (const WorkerSample& worker : sample.workers) {
      const auto found = before.find(worker.name);
      if (found != before.end() && same_life(*found->second, worker)) {
        rates_[worker.name] = {rate(found->second->cpu_seconds, worker.cpu_seconds, span),
                               rate(found->second->tasks_done, worker.tasks_done, span)};
      }
    }
  }
  if (!sample_ || span >= shortest_span) {
    sampled_at_ = now;
    sample_ = std::move(sample);
  }
  missing_.clear();
  rebuild();
}

void Model::take(LastEvents events) {
  events.merge(events_);  // Of those that are in both, the new ones stay.
  events_.clear();
  if (sample_) {
    for (const WorkerSample& worker : sample_->workers) {  // Of workers that are no more, nothing is kept.
      if (auto found = events.extract(worker.name)) {
        events_.insert(std::move(found));
      }
    }
  } else {
    events_ = std::move(events);
  }
  rebuild();
}

void Model::rebuild() {
  const std::size_t last = selected().value_or(0);
  rows_.clear();
  if (!sample_) {
    return;
  }
  for (const WorkerSample& worker : sample_->workers) {
    if (passes(worker, filter_)) {
      const auto rates = rates_.find(worker.name);
      const auto event = events_.find(worker.name);
      rows_.push_back({worker, rates == rates_.end() ? std::nullopt : rates->second.cpu_share,
                       rates == rates_.end() ? std::nullopt : rates->second.task_rate,
                       event == events_.end() ? std::string() : event->second, false});
    }
  }
  sort(rows_, order_);
  for (std::size_t at = 0; at < rows_.size(); ++at) {
    rows_[at].begins_lane = order_ != Order::cores || at == 0 || rows_[at].worker.cores != rows_[at - 1].worker.cores;
  }
  keep_selection(last);
}

/// Who was selected stays so; where it is gone, whoever is in its line now.
void Model::keep_selection(std::size_t last) {
  if (!rows_.empty() && !selected()) {
    selected_ = rows_[std::min(last, rows_.size() - 1)].worker.name;
  }
  fit(visible_);
}

std::optional<std::size_t> Model::selected() const {
  const auto found = std::ranges::find(rows_, selected_, [](const Row& row) -> const std::string& { return row.worker.name; });
  return found == rows_.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - rows_.begin()));
}

void Model::fit(std::size_t visible) {
  visible_ = std::max<std::size_t>(1, visible);
  first_visible_ = std::min(first_visible_, rows_.size() - std::min(visible_, rows_.size()));
  if (const auto at = selected()) {
    first_visible_ = std::clamp(first_visible_, *at + 1 - std::min(*at + 1, visible_), *at);
  }
}

Totals Model::totals() const {
  Totals totals;
  if (!sample_) {
    return totals;
  }
  std::map<std::string_view, std::size_t> counts;
  for (const WorkerSample& worker : sample_->workers) {
    ++totals.workers;
    ++counts[worker.state];
    totals.memory_bytes += worker.memory_bytes.value_or(0);
    if (const auto rates = rates_.find(worker.name); rates != rates_.end()) {
      add(totals.cpu_share, rates->second.cpu_share);
      add(totals.task_rate, rates->second.task_rate);
    }
  }
  for (const std::string_view state : all_states) {
    if (const auto found = counts.find(state); found != counts.end()) {
      totals.states.emplace_back(state, found->second);
    }
  }
  return totals;
}

}  // namespace corral::cli::top
