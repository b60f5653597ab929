#include "supervisor/cli/top/painter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "common/base/units.hpp"
#include "supervisor/cli/top/cells.hpp"
#include "supervisor/cli/top/columns.hpp"
#include "supervisor/cli/top/quantities.hpp"

namespace corral::cli::top {
namespace {

constexpr std::array<std::string_view, 16> help{
    "Keys",
    "",
    "  Up, Down       select a worker; PgUp, PgDn, Home, End",
    "  r              restart it",
    "  s              stop it; start it, where it is stopped",
    "  k              send it a signal, by name or number",
    "  l              follow its log; Ctrl-C comes back",
    "  /              show only workers whose name or state contains a text; Esc: all",
    "  o              another order: cores, name, CPU, memory, restarts",
    "  q, Ctrl-C      leave; workers are not touched",
    "",
    "CORES are the CPUs a worker is bound to; those that share them are neighbours.",
    "CPU% is of one CPU, since the last look. MEMORY is resident memory.",
    "",
    "Every other key leaves this page.",
    ""};

/// What a screen of so many rows has room for.
struct Parts {
  std::size_t header;
  std::size_t titles;
  std::size_t footer;
};

constexpr Parts parts_of(std::size_t rows) {
  return {rows >= 8 ? 2U : rows >= 4 ? 1U : 0U, rows >= 6 ? 1U : 0U, rows >= 2 ? 1U : 0U};
}

Line fitted(Style style, std::string_view text, const Look& look) {
  return {{style, clipped(printable(text, look.utf8), look.size.columns)}};
}

std::string counts(const Totals& totals) {
  std::string text = fmt::format("{} worker{}", totals.workers, totals.workers == 1 ? "" : "s");
  std::string_view before = ": ";
  for (const auto& [state, count] : totals.states) {
    text += fmt::format("{}{} {}", before, count, state);
    before = ", ";
  }
  return text;
}

std::string measures(const Totals& totals) {
  std::string text;
  if (totals.cpu_share) {
    text += fmt::format("CPU {}%", short_share(*totals.cpu_share));
  }
  text += fmt::format("{}memory {}", text.empty() ? "" : "  ", short_size(totals.memory_bytes));
  if (totals.task_rate) {
    text += fmt::format("  {} tasks/s", short_rate(*totals.task_rate));
  }
  return text;
}

std::string who(const Sample& sample) {
  std::string text = fmt::format("corral {}  pid {}  {}  up {}  {}", sample.version, sample.pid, sample.phase,
                                 short_time(sample.uptime_seconds), sample.config);
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

/// With `right` at the right end where both fit, two blanks between them.
std::string spread(const std::string& left, const std::string& right, const Look& look) {
  const std::size_t width = width_of(left) + width_of(right);
  const bool fits = width + 2 <= look.size.columns;
  return fits ? left + std::string(look.size.columns - width, ' ') + right : left + "  " + right;
}

void header(Screen& screen, const Model& model, const Look& look, std::size_t lines) {
  const Sample* sample = model.sample();
  if (lines == 0) {
    return;
  }
  if (sample == nullptr) {
    screen.push_back(fitted(Style::strong, model.missing().empty() ? "corral: asking the supervisor" : model.missing(), look));
  } else if (!model.missing().empty()) {
    screen.push_back(fitted(Style::bad, model.missing(), look));
  } else {
    screen.push_back(fitted(Style::strong, lines > 1 ? who(*sample) : counts(model.totals()), look));
  }
  if (lines > 1) {
    const Totals totals = model.totals();
    screen.push_back(fitted(Style::plain, sample == nullptr ? "" : spread(counts(totals), measures(totals), look), look));
  }
}

std::string_view question(Act::Kind kind) {
  switch (kind) {
    case Act::Kind::start: return "start";
    case Act::Kind::stop: return "stop";
    case Act::Kind::restart: return "restart";
    case Act::Kind::signal:
    case Act::Kind::follow_log:
    case Act::Kind::quit: break;
  }
  return "";
}

std::string hints(const Model& model) {
  const std::string filter = model.filter().empty() ? "" : fmt::format("only '{}' (Esc: all)  ", model.filter());
  const std::string order = model.order() == Order::cores ? "" : fmt::format("by {}  ", name(model.order()));
  return filter + order + "? help  r restart  s stop/start  l log  k signal  / filter  o order  q quit";
}

Line footer(const Model& model, const Look& look) {
  if (const auto* confirming = std::get_if<Confirming>(&model.mode())) {
    return fitted(Style::warn,
                  fmt::format("{} {}? y: yes, any other key: no", question(confirming->act.kind), confirming->act.worker), look);
  }
  if (const auto* choosing = std::get_if<ChoosingSignal>(&model.mode())) {
    return fitted(Style::warn, fmt::format("signal to {} (TERM, HUP, 9, ...): {}_", choosing->worker, choosing->text), look);
  }
  if (std::holds_alternative<Filtering>(model.mode())) {
    return fitted(Style::warn, fmt::format("show only: {}_", model.filter()), look);
  }
  if (!model.message().empty()) {
    return fitted(Style::warn, model.message(), look);
  }
  return fitted(Style::faint, hints(model), look);
}

void table(Screen& screen, const Model& model, const Look& look, std::size_t titles, std::size_t end) {
  const std::vector<Column> columns = choose_columns(model, look);
  if (titles > 0) {
    screen.push_back(fitted(Style::strong, text_of(title_line(columns)), look));
  }
  if (model.rows().empty() && model.sample() != nullptr && screen.size() < end) {
    screen.push_back(
        fitted(Style::faint, model.filter().empty() ? "no workers" : "no worker has this in its name or state", look));
  }
  const auto selected = model.selected();
  for (std::size_t at = model.first_visible(); at < model.rows().size() && screen.size() < end; ++at) {
    Line line = row_line(model.rows()[at], columns, at == selected, look);
    if (width_of(text_of(line)) > look.size.columns) {  // Narrower than the two columns that are always there.
      line = fitted(line.front().style, text_of(line), look);
    }
    screen.push_back(std::move(line));
  }
}

}  // namespace

std::size_t visible_workers(Size size) {
  const Parts parts = parts_of(size.rows);
  const std::size_t others = parts.header + parts.titles + parts.footer;
  return size.rows > others ? size.rows - others : 0;
}

Screen paint(const Model& model, const Look& look) {
  const Parts parts = parts_of(look.size.rows);
  const std::size_t end = look.size.rows - std::min(parts.footer, look.size.rows);
  Screen screen;
  header(screen, model, look, parts.header);
  if (std::holds_alternative<Helping>(model.mode())) {
    for (std::size_t at = 0; at < help.size() && screen.size() < end; ++at) {
      screen.push_back(fitted(Style::plain, help[at], look));
    }
  } else {
    table(screen, model, look, parts.titles, end);
  }
  screen.resize(end);
  if (parts.footer > 0) {
    screen.push_back(footer(model, look));
  }
  return screen;
}

std::string text_of(const Line& line) {
  std::string text;
  for (const Span& span : line) {
    text += span.text;
  }
  return text;
}

}  // namespace corral::cli::top
