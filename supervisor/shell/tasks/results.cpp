#include "supervisor/shell/tasks/results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <utility>

#include "common/base/text.hpp"

namespace corral::shell {
namespace {

constexpr std::size_t most_unwritten = std::size_t{1} << 20U;

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

/// The beginning of a task, on one line: what cannot be seen in it becomes a blank.
void append_tag(std::string& out, std::string_view task) {
  constexpr std::size_t longest = 100;
  for (std::size_t at = 0; at < task.size();) {
    const std::size_t length = std::max<std::size_t>(1, utf8_length(task.substr(at)));
    if (at + length > longest) {
      out += "…";
      break;
    }
    const auto first = static_cast<unsigned char>(task[at]);
    first < ' ' || first == 0x7F ? out += ' ' : out += task.substr(at, length);
    at += length;
  }
  out += '\t';
}

// A million results a second are little else than these numbers: the library's formatting would take a third of the time.
void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits{};
  out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

/// "0.000012345": to the nanosecond, without zeros at its end.
void append_seconds(std::string& out, Duration duration) {
  const auto all = static_cast<std::uint64_t>(std::max<Duration::rep>(std::chrono::nanoseconds(duration).count(), 0));
  constexpr std::uint64_t in_a_second = 1'000'000'000;
  append_number(out, all / in_a_second);
  std::uint64_t rest = all % in_a_second;
  if (rest == 0) {
    return;
  }
  std::size_t places = 9;
  for (; rest % 10 == 0; rest /= 10) {
    --places;
  }
  const std::size_t begin = out.size();
  out.append(places + 1, '0');
  out[begin] = '.';
  for (std::size_t at = begin + places; rest > 0; rest /= 10) {
    out[at--] = static_cast<char>('0' + rest % 10);
  }
}

/// As a shell has it in $(...), for one line break.
std::string_view without_line_end(std::string_view text) { return text.substr(0, text.size() - (text.ends_with('\n') ? 1 : 0)); }

/// Each line with its task in front.
std::string tagged(std::string_view tag, std::string_view lines) {
  std::string out;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    append_tag(out, tag);
    out.append(lines.substr(0, end)) += '\n';
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return out;
}

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
    : options_(std::move(options)), writer_(loop, options_.fd, std::move(drained)) {
  writer_.keep_lines_whole();
}

bool Results::congested() const { return writer_.pending() > most_unwritten; }

std::string Results::raw_lines(const core::RecordTask& record, std::string_view payload) const {
  const bool done = record.outcome == core::Outcome::done;
  if (!done && !(options_.as_output && record.mishap == core::Mishap::reported)) {
    return {};
  }
  if (options_.tag) {
    return tagged(options_.text_of(record.slot), options_.as_output || !payload.empty() ? payload : "\n");
  }
  std::string out;
  out.reserve(payload.size() + 1);
  out.append(payload);
  return options_.as_output ? out : out += '\n';
}

std::string Results::to_line(const core::RecordTask& record, std::uint64_t line, std::string_view payload, bool raw) const {
  const bool done = record.outcome == core::Outcome::done;
  if (raw) {
    return raw_lines(record, payload);
  }
  std::string out;
  out.reserve(payload.size() + 128);
  out += R"({"task":)";
  append_number(out, line);
  out += done ? R"(,"ok":true,)" : R"(,"ok":false,)";
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
    if (record.outcome == core::Outcome::quarantined && options_.last_words) {
      out += options_.last_words(record.life);
    }
    out += '}';
  }
  out += R"(,"attempts":)";
  append_number(out, record.attempts);
  out += R"(,"seconds":)";
  append_seconds(out, record.seconds);
  out += R"(,"worker":)";
  append_number(out, record.life.worker.index % options_.workers);
  out += "}\n";
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
