#include "supervisor/shell/tasks/results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/base/text.hpp"

namespace corral::shell {
namespace {

constexpr std::size_t most_pending = std::size_t{1} << 20U;

/// One line of JSON: a line break is white space there, or it is no JSON.
void append_json(std::string& out, std::string_view json) {
  if (json.empty()) {
    out += "null";  // Nothing is no JSON, and this line shall be.
    return;
  }
  const std::size_t begin = out.size();
  out.append(json);
  if (json.find('\n') != std::string_view::npos || json.find('\r') != std::string_view::npos) {
    std::replace_if(
        out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  }
}

/// As a shell has it in $(...), for one line break.
std::string_view without_line_end(std::string_view text) { return text.substr(0, text.size() - (text.ends_with('\n') ? 1 : 0)); }

}  // namespace

std::string_view name_of(core::Mishap mishap) {
  switch (mishap) {
    case core::Mishap::reported: return "Error";
    case core::Mishap::died: return "WorkerDied";
    case core::Mishap::garbage: return "ProtocolError";
    case core::Mishap::timeout: return "Timeout";
    case core::Mishap::unfit: return "TaskTooLong";
  }
  return "Error";
}

Results::Results(boost::asio::io_context& loop, ResultOptions options, std::function<void()> drained)
    : options_(options), writer_(loop, options.fd, std::move(drained)) {
  writer_.keep_lines_whole();
}

bool Results::congested() const { return writer_.pending() > most_pending; }

std::string Results::to_line(const core::RecordTask& record, std::uint64_t line, std::string_view payload, bool raw) const {
  const bool done = record.outcome == core::Outcome::done;
  std::string out;
  if (raw && options_.as_output) {
    return done || record.mishap == core::Mishap::reported ? std::string(payload) : out;
  }
  if (raw) {
    if (done) {
      out.reserve(payload.size() + 1);
      out.append(payload);
      out += '\n';
    }
    return out;
  }
  out.reserve(payload.size() + 128);
  fmt::format_to(std::back_inserter(out), R"({{"task":{},"ok":{},)", line, done);
  if (done) {
    out += R"("result":)";
    options_.as_text ? append_json_string(out, without_line_end(payload)) : append_json(out, payload);
  } else if (record.mishap == core::Mishap::reported && options_.as_output) {
    out += R"("error":{"type":"ExitStatus","message":)";
    append_json_string(out, record.death ? describe(record.death->status) : std::string());
    out += R"(,"output":)";
    append_json_string(out, without_line_end(payload));
    out += '}';
  } else if (record.mishap == core::Mishap::reported) {
    out += R"("error":)";
    append_json(out, payload);
  } else {
    fmt::format_to(std::back_inserter(out), R"({}"error":{{"type":"{}","message":)",
                   record.outcome == core::Outcome::quarantined ? R"("quarantined":true,)" : "",
                   name_of(record.mishap.value_or(core::Mishap::died)));
    append_json_string(out, payload);
    out += '}';
  }
  const double seconds = std::chrono::duration<double>(record.seconds).count();
  fmt::format_to(std::back_inserter(out), R"(,"attempts":{},"seconds":{:.6g},"worker":{}}})", record.attempts, seconds,
                 record.life.worker.index);
  out += '\n';
  return out;
}

void Results::add(const core::RecordTask& record, std::uint64_t line, std::string_view payload) {
  append(record.task, to_line(record, line, payload, options_.raw));
}

void Results::skip(core::TaskId task, std::uint64_t /*line*/) { append(task, {}); }

void Results::put(core::TaskId /*task*/, std::string text) { writer_.append(text); }

void Results::append(core::TaskId task, std::string line) {
  if (!options_.ordered) {
    return put(task, std::move(line));
  }
  if (number(task) != next_) {
    held_ += line.size();
    waiting_.emplace(number(task), std::move(line));
    return;
  }
  put(task, std::move(line));
  ++next_;
  release();
}

void Results::release() {
  for (auto first = waiting_.begin(); first != waiting_.end() && first->first == next_; first = waiting_.erase(first)) {
    held_ -= first->second.size();
    put(core::TaskId{first->first}, std::move(first->second));
    ++next_;
  }
}

}  // namespace corral::shell
