#include "supervisor/control/metrics.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "supervisor/control/exposition.hpp"

using namespace corral;
using namespace corral::control;
using namespace std::chrono_literals;

namespace {

MetricsView view_of(std::uint32_t workers) {
  MetricsView view;
  view.version = "0.1.0";
  view.uptime = 1500ms;
  ProgramMetrics program;
  program.name = "crunch";
  for (std::uint32_t index = 0; index < workers; ++index) {
    program.workers.push_back({index, core::StateKind::running, index, 2500ms, 4096});
  }
  program.tally.cpu_of_the_dead = 10s;
  program.tally.restarts[static_cast<std::size_t>(RestartCause::signal)] = 7;
  view.programs.push_back(program);
  return view;
}

bool has_line(std::string_view text, std::string_view line) {
  const std::string whole = "\n" + std::string(line) + "\n";
  return ("\n" + std::string(text)).find(whole) != std::string::npos;
}

std::string seconds(Duration duration) {
  std::string text;
  append_seconds(text, duration);
  return text;
}

}  // namespace

TEST_CASE("OpenMetrics names the family, the older format the samples") {
  const std::string text = render_metrics(view_of(2));
  CHECK(has_line(text, "# TYPE corral_program_restarts counter"));
  CHECK(has_line(text, R"(corral_program_restarts_total{program="crunch",cause="signal"} 7)"));
  CHECK(has_line(text, "# UNIT corral_uptime_seconds seconds"));
  CHECK(has_line(text, "# TYPE corral_build info"));
  CHECK(text.ends_with("\n# EOF\n"));
  const std::string older = render_metrics(view_of(2), MetricsFormat::prometheus);
  CHECK(has_line(older, "# TYPE corral_program_restarts_total counter"));
  CHECK(has_line(older, "# TYPE corral_build_info gauge"));
  CHECK(older.find("# EOF") == std::string::npos);
  CHECK(older.find("# UNIT") == std::string::npos);
}

TEST_CASE("what is measured of a program and its workers") {
  MetricsView view = view_of(2);
  view.programs[0].workers[1].state = core::StateKind::backoff;
  view.programs[0].workers[1].memory_bytes.reset();
  const std::string text = render_metrics(view);
  for (const std::string_view line :
       {R"(corral_build_info{version="0.1.0"} 1)", "corral_uptime_seconds 1.5", R"(corral_phase{phase="running"} 1)",
        R"(corral_phase{phase="stopping"} 0)", R"(corral_program_workers{program="crunch",state="running"} 1)",
        R"(corral_program_workers{program="crunch",state="backoff"} 1)",
        R"(corral_program_workers{program="crunch",state="failed"} 0)", R"(corral_program_failed{program="crunch"} 0)",
        R"(corral_program_cpu_seconds_total{program="crunch"} 15.0)", R"(corral_program_memory_bytes{program="crunch"} 4096)",
        R"(corral_worker_state{program="crunch",worker="crunch/1",state="backoff"} 1)",
        R"(corral_worker_state{program="crunch",worker="crunch/1",state="running"} 0)",
        R"(corral_worker_restarts_total{program="crunch",worker="crunch/1"} 1)",
        R"(corral_worker_cpu_seconds_total{program="crunch",worker="crunch/0"} 2.5)",
        R"(corral_worker_memory_bytes{program="crunch",worker="crunch/0"} 4096)", "corral_workers_not_listed 0"}) {
    CHECK_MESSAGE(has_line(text, line), line);
  }
  CHECK(text.find(R"(corral_worker_memory_bytes{program="crunch",worker="crunch/1"})") == std::string::npos);
}

TEST_CASE("histograms sum up") {
  MetricsView view = view_of(1);
  view.restart_latency.observe(50us);
  view.restart_latency.observe(700us);
  view.restart_latency.observe(100s);
  const std::string text = render_metrics(view);
  for (const std::string_view line :
       {R"(corral_restart_latency_seconds_bucket{le="0.0001"} 1)", R"(corral_restart_latency_seconds_bucket{le="0.001"} 2)",
        R"(corral_restart_latency_seconds_bucket{le="60.0"} 2)", R"(corral_restart_latency_seconds_bucket{le="+Inf"} 3)",
        "corral_restart_latency_seconds_sum 100.00075", "corral_restart_latency_seconds_count 3"}) {
    CHECK_MESSAGE(has_line(text, line), line);
  }
}

TEST_CASE("tasks and logs have metrics where there are any") {
  MetricsView view = view_of(1);
  CHECK(render_metrics(view).find("corral_task") == std::string::npos);
  CHECK(render_metrics(view).find("corral_log") == std::string::npos);
  core::TaskCounts counts;
  counts.accepted = 9;
  counts.done = 5;
  counts.quarantined = 1;
  counts.in_work = 3;
  view.programs[0].tasks = counts;
  view.programs[0].log = LogMetrics{90, 10, 1, 3};
  const std::string text = render_metrics(view);
  for (const std::string_view line :
       {R"(corral_tasks_accepted_total{program="crunch"} 9)", R"(corral_tasks_in_work{program="crunch"} 3)",
        R"(corral_tasks_ended_total{program="crunch",outcome="done"} 5)",
        R"(corral_tasks_ended_total{program="crunch",outcome="quarantined"} 1)",
        R"(corral_log_written_bytes_total{program="crunch"} 90)", R"(corral_log_dropped_lines_total{program="crunch"} 1)"}) {
    CHECK_MESSAGE(has_line(text, line), line);
  }
}

TEST_CASE("ten thousand workers have no lines of their own") {
  const std::string text = render_metrics(view_of(10'000));
  CHECK(text.size() < 10'000);
  CHECK(text.find("corral_worker_state") == std::string::npos);
  CHECK(has_line(text, "corral_workers_not_listed 10000"));
  CHECK(has_line(text, R"(corral_program_workers{program="crunch",state="running"} 10000)"));
  CHECK(has_line(render_metrics(view_of(1000)), "corral_workers_not_listed 0"));
}

TEST_CASE("values of labels are escaped") {
  std::string text;
  append_label_value(text, "a\"b\\c\nd\xff é");
  CHECK(text == "a\\\"b\\\\c\\nd\xef\xbf\xbd é");
  CHECK(label_set({}).empty());
  CHECK(label_set({{"a", "x"}, {"b", "\""}}) == R"({a="x",b="\""})");
}

TEST_CASE("seconds are exact") {
  CHECK(seconds(0s) == "0.0");
  CHECK(seconds(1ns) == "0.000000001");
  CHECK(seconds(2500ms) == "2.5");
  CHECK(seconds(60s) == "60.0");
  CHECK(seconds(-1500ms) == "-1.5");
}

TEST_CASE("who asks for OpenMetrics gets it") {
  const auto open = MetricsFormat::openmetrics;
  const auto older = MetricsFormat::prometheus;
  CHECK(metrics_format("") == older);
  CHECK(metrics_format("*/*") == older);
  CHECK(metrics_format("application/openmetrics-text") == open);
  CHECK(metrics_format("Application/OpenMetrics-Text; version=1.0.0; charset=utf-8") == open);
  CHECK(metrics_format("application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1") == open);
  CHECK(metrics_format("text/plain;q=0.9, application/openmetrics-text;q=0.5") == older);
  CHECK(metrics_format("application/openmetrics-text;q=0") == older);
  CHECK(metrics_format("application/openmetrics-text;q=nan") == older);
  CHECK(metrics_format(",;,=;q=,") == older);
  CHECK(content_type(open) == "application/openmetrics-text; version=1.0.0; charset=utf-8");
  CHECK(content_type(older) == "text/plain; version=0.0.4; charset=utf-8");
}
