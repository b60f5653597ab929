#include "supervisor/cli/top/columns.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>

#include "supervisor/cli/top/cells.hpp"
#include "supervisor/cli/top/quantities.hpp"

namespace corral::cli::top {
namespace {

struct Kind {
  Field field;
  std::string_view title;
  std::size_t width;
  int worth;  ///< Of what does not fit, the least goes first.
  bool right;
};

constexpr std::size_t shortest_name = 8;
constexpr std::size_t longest_name = 28;
constexpr std::size_t shortest_event = 10;

/// In the order in which they stand.
constexpr std::array<Kind, 11> kinds{{{Field::cores, "CORES", 6, 90, false},
                                      {Field::worker, "WORKER", shortest_name, 100, false},
                                      {Field::state, "STATE", 8, 99, false},
                                      {Field::bar, "", 12, 10, false},
                                      {Field::cpu, "CPU%", 6, 80, true},
                                      {Field::memory, "MEMORY", 6, 70, true},
                                      {Field::tasks, "TASK/S", 6, 60, true},
                                      {Field::restarts, "RESTARTS", 8, 50, true},
                                      {Field::uptime, "UP", 6, 30, true},
                                      {Field::pid, "PID", 7, 20, true},
                                      {Field::event, "LAST EVENT", shortest_event, 40, false}}};

const Kind& kind_of(Field field) { return *std::ranges::find(kinds, field, &Kind::field); }

bool has_tasks(const Model& model) {
  const Sample* sample = model.sample();
  return sample != nullptr &&
         std::ranges::any_of(sample->workers, [](const WorkerSample& worker) { return worker.tasks_done.has_value(); });
}

std::size_t widest_name(const Model& model, const Look& look) {
  std::size_t widest = shortest_name;
  for (const Row& row : model.rows()) {
    widest = std::max(widest, width_of(printable(row.worker.name, look.utf8)));
  }
  return std::min(widest, longest_name);
}

std::string bar(double share, std::size_t cells) {
  const auto inside = cells - 2;
  const auto full = static_cast<std::size_t>(std::lround(std::clamp(share, 0.0, 1.0) * static_cast<double>(inside)));
  return "[" + std::string(full, '|') + std::string(inside - full, ' ') + "]";
}

/// What comes next is worth more than what was.
std::string event_text(const Row& row) {
  if (!row.worker.next_start_seconds) {
    return row.event;
  }
  const auto seconds = static_cast<long>(std::ceil(std::clamp(*row.worker.next_start_seconds, 0.0, 1e6)));
  return "starts in " + std::to_string(seconds) + " s" + (row.event.empty() ? "" : "; " + row.event);
}

std::string content(const Row& row, const Column& column) {
  const WorkerSample& worker = row.worker;
  switch (column.field) {
    case Field::cores: return !row.begins_lane ? "" : worker.cores.empty() ? "any" : worker.cores;
    case Field::worker: return worker.name;
    case Field::state: return worker.state;
    case Field::bar: return row.cpu_share ? bar(*row.cpu_share, column.width) : "";
    case Field::cpu: return row.cpu_share ? short_share(*row.cpu_share) : "-";
    case Field::memory: return worker.memory_bytes ? short_size(*worker.memory_bytes) : "-";
    case Field::tasks: return row.task_rate ? short_rate(*row.task_rate) : "-";
    case Field::restarts: return std::to_string(worker.restarts);
    case Field::uptime: return worker.uptime_seconds ? short_time(*worker.uptime_seconds) : "-";
    case Field::pid: return worker.pid ? std::to_string(*worker.pid) : "-";
    case Field::event: return event_text(row);
  }
  return "";
}

Style style_of_state(std::string_view state) {
  if (state == "running") {
    return Style::good;
  }
  if (state == "failed" || state == "killing") {
    return Style::bad;
  }
  return state == "stopped" || state == "exited" ? Style::faint : Style::warn;
}

Style style_of(const Row& row, Field field) {
  switch (field) {
    case Field::state: return style_of_state(row.worker.state);
    case Field::bar: return Style::bar;
    case Field::restarts: return row.worker.restarts > 0 ? Style::warn : Style::plain;
    case Field::event: return Style::faint;
    case Field::cores:
    case Field::worker:
    case Field::cpu:
    case Field::memory:
    case Field::tasks:
    case Field::uptime:
    case Field::pid: return Style::plain;
  }
  return Style::plain;
}

}  // namespace

std::vector<Column> choose_columns(const Model& model, const Look& look) {
  std::vector<Kind> by_worth(kinds.begin(), kinds.end());
  std::ranges::sort(by_worth, std::greater{}, &Kind::worth);
  const std::size_t name = widest_name(model, look);
  const bool tasks = has_tasks(model);
  std::vector<Column> chosen;
  std::size_t used = 0;
  for (const Kind& kind : by_worth) {
    const std::size_t width =
        kind.field == Field::worker ? std::min(name, std::max(shortest_name, look.size.columns / 4)) : kind.width;
    const bool wanted = kind.field != Field::tasks || tasks;
    if (wanted && (chosen.size() < 2 || used + 1 + width <= look.size.columns)) {
      chosen.push_back({kind.field, width});
      used += width + (chosen.size() > 1 ? 1 : 0);
    }
  }
  std::ranges::sort(chosen, {}, &Column::field);
  // What is left over is the event's; where there is none, the name's.
  const std::size_t left = look.size.columns - std::min(used, look.size.columns);
  if (chosen.back().field == Field::event) {
    chosen.back().width += left;
  } else if (const auto worker = std::ranges::find(chosen, Field::worker, &Column::field); worker != chosen.end()) {
    worker->width = std::min(worker->width + left, name);
  }
  return chosen;
}

Line title_line(const std::vector<Column>& columns) {
  std::string text;
  for (const Column& column : columns) {
    const Kind& kind = kind_of(column.field);
    text += text.empty() ? "" : " ";
    text += kind.right ? padded_left(kind.title, column.width) : padded(kind.title, column.width);
  }
  return {{Style::strong, text}};
}

Line row_line(const Row& row, const std::vector<Column>& columns, bool selected, const Look& look) {
  Line line;
  for (const Column& column : columns) {
    const std::string text = printable(content(row, column), look.utf8);
    const std::string cell = kind_of(column.field).right ? padded_left(text, column.width) : padded(text, column.width);
    const Style style = selected ? Style::selected : style_of(row, column.field);
    const std::string gap = line.empty() ? "" : " ";
    if (!line.empty() && line.back().style == style) {
      line.back().text += gap + cell;
    } else {
      if (!line.empty()) {
        line.back().text += gap;
      }
      line.push_back({style, cell});
    }
  }
  return line;
}

}  // namespace corral::cli::top
