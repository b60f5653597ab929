#include "supervisor/shell/tasks/trace.hpp"

#include <fmt/format.h>

#include <iterator>

#include "common/base/text.hpp"

namespace corral::shell {
namespace {

/// Of the one process that the workers are threads of.
constexpr int process = 1;

/// Microseconds: what the format counts in.
std::string micros(Duration duration) { return fmt::format("{}.{:03}", duration.count() / 1000, duration.count() % 1000); }

}  // namespace

Trace::Trace(boost::asio::io_context& loop, ReportPlace place, std::function<void()> drained, const SpanFacts& facts)
    : SpanListener(loop, std::move(place), std::move(drained)), begun_(facts.begun) {
  out_ = fmt::format(R"([
{{"ph":"M","pid":{},"name":"process_name","args":{{"name":)",
                     process);
  append_json_string(out_, "corral map: " + facts.title);
  out_ += "}}";
  for (std::uint32_t worker = 0; worker < facts.cores.size(); ++worker) {
    name_thread(worker, facts.cores[worker]);
  }
}

void Trace::name_thread(std::uint32_t worker, std::string_view cores) {
  fmt::format_to(std::back_inserter(out_), R"(,
{{"ph":"M","pid":{},"tid":{},"name":"thread_name","args":{{"name":)",
                 process, worker);
  append_json_string(out_, cores.empty() ? fmt::format("worker {}", worker) : fmt::format("worker {} (core {})", worker, cores));
  fmt::format_to(std::back_inserter(out_), R"(}}}},
{{"ph":"M","pid":{},"tid":{},"name":"thread_sort_index","args":{{"sort_index":{}}}}})",
                 process, worker, worker);
  end_event();
}

void Trace::end_event() {
  constexpr std::size_t enough = std::size_t{64} << 10U;
  if (out_.size() > enough) {
    file_.append(out_);
    out_.clear();
  }
}

void Trace::hear(const Span& span) {
  fmt::format_to(std::back_inserter(out_), R"(,
{{"ph":"X","pid":{},"tid":{},"ts":{},"dur":{},"name":"task {}","cat":"{}","args":{{"task":{},"attempt":{},"outcome":"{}","pid":{})",
                 process, span.worker, micros(std::max(Duration::zero(), span.begin - begun_)), micros(span.end - span.begin),
                 span.task, name_of(span.how), span.task, span.attempt, name_of(span.how), span.pid);
  if (!span.message.empty()) {
    out_ += R"(,"message":)";
    append_json_string(out_, span.message);
  }
  out_ += "}}";
  end_event();
}

void Trace::hear(const LifeChange& change) {
  fmt::format_to(std::back_inserter(out_), R"(,
{{"ph":"i","s":"t","pid":{},"tid":{},"ts":{},"name":"{}","args":{{"pid":{})",
                 process, change.worker, micros(change.at - begun_), change.began ? "worker started" : "worker ended",
                 change.pid);
  if (!change.began) {
    out_ += R"(,"how":)";
    append_json_string(out_, change.how);
  }
  out_ += "}}";
  end_event();
}

void Trace::pause(Instant /*now*/) {
  file_.append(out_);
  out_.clear();
}

void Trace::close(std::string_view summary) {
  fmt::format_to(std::back_inserter(out_), R"(,
{{"ph":"M","pid":{},"name":"summary","args":{}}}
]
)",
                 process, summary);
  file_.append(out_);
  out_.clear();
}

}  // namespace corral::shell
