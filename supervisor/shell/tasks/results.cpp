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

/// A line break is white space in JSON, or it is no JSON: what was appended from `begin` on stays one line.
void keep_on_one_line(std::string& out, std::size_t begin, std::string_view json) {
  if (json.find('\n') != std::string_view::npos || json.find('\r') != std::string_view::npos) {
    std::replace_if(
        out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  }
}

void append_json(std::string& out, std::string_view json) {
  const std::size_t begin = out.size();
  out += json.empty() ? "null" : json;  // Nothing is no JSON, and this line shall be.
  keep_on_one_line(out, begin, json);
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

/// Writes into room that is there. A million results a second are little else than this: a library's formatting, or a string for
/// each line, would take a third of the time.
class Pen {
 public:
  explicit Pen(char* at) : at_(at) {}

  void text(std::string_view text) { at_ = std::ranges::copy(text, at_).out; }
  void number(std::uint64_t number) { at_ = std::to_chars(at_, at_ + longest_number, number).ptr; }

  /// "0.000012345": to the nanosecond, without zeros at its end.
  void seconds(Duration duration) {
    const auto all = static_cast<std::uint64_t>(std::max<Duration::rep>(std::chrono::nanoseconds(duration).count(), 0));
    constexpr std::uint64_t in_a_second = 1'000'000'000;
    number(all / in_a_second);
    std::uint64_t rest = all % in_a_second;
    if (rest == 0) {
      return;
    }
    std::ptrdiff_t places = 9;
    for (; rest % 10 == 0; rest /= 10) {
      --places;
    }
    *at_ = '.';
    for (char* digit = at_ + places; digit != at_; --digit, rest /= 10) {
      *digit = static_cast<char>('0' + rest % 10);
    }
    at_ += places + 1;
  }

  /// How the line of every task ends.
  void end(const core::RecordTask& record, std::uint32_t workers) {
    text(R"(,"attempts":)");
    number(record.attempts);
    text(R"(,"seconds":)");
    seconds(record.seconds);
    text(R"(,"worker":)");
    number(record.life.worker.index % workers);
    text("}\n");
  }

  [[nodiscard]] std::size_t written_since(const char* begin) const { return static_cast<std::size_t>(at_ - begin); }

 private:
  static constexpr std::size_t longest_number = 20;
  char* at_;
};

constexpr std::size_t room_around = 160;  ///< What a line of JSON has beside the result is never longer.

template <class Write>
void append_written(std::string& out, std::size_t room, Write&& write) {
  const std::size_t begin = out.size();
  out.resize_and_overwrite(begin + room, [&](char* data, std::size_t) {
    Pen pen(data + begin);
    write(pen);
    return pen.written_since(data);
  });
}

/// As a shell has it in $(...), for one line break.
std::string_view without_line_end(std::string_view text) { return text.substr(0, text.size() - (text.ends_with('\n') ? 1 : 0)); }

/// Each line with its task in front.
void append_tagged(std::string& out, std::string_view tag, std::string_view lines) {
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    append_tag(out, tag);
    out.append(lines.substr(0, end)) += '\n';
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
}

}  // namespace

std::string_view name_of(core::Mishap mishap) {
  switch (mishap) {
    case core::Mishap::reported: return "Error";
    case core::Mishap::died: return "WorkerDied";
    case core::Mishap::garbage: return "ProtocolError";
    case core::Mishap::too_long: return "ResultTooLong";
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

void Results::append_raw(std::string& out, const core::RecordTask& record, std::string_view payload) const {
  const bool done = record.outcome == core::Outcome::done;
  if (!done && !(options_.as_output && record.mishap == core::Mishap::reported)) {
    return;
  }
  if (options_.tag) {
    append_tagged(out, options_.text_of(record.slot), options_.as_output || !payload.empty() ? payload : "\n");
    return;
  }
  out.append(payload);
  if (!options_.as_output) {
    out += '\n';
  }
}

void Results::append_done(std::string& out, const core::RecordTask& record, std::uint64_t line, std::string_view json) const {
  const std::size_t begin = out.size();
  append_written(out, json.size() + room_around, [&](Pen& pen) {
    pen.text(R"({"task":)");
    pen.number(line);
    pen.text(R"(,"ok":true,"result":)");
    pen.text(json.empty() ? "null" : json);
    pen.end(record, options_.workers);
  });
  out.pop_back();
  keep_on_one_line(out, begin, json);
  out += '\n';
}

void Results::append_error(std::string& out, const core::RecordTask& record, std::string_view payload) const {
  if (record.mishap == core::Mishap::reported && options_.as_output) {
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
}

void Results::append_line(std::string& out, const core::RecordTask& record, std::uint64_t line, std::string_view payload) const {
  const bool done = record.outcome == core::Outcome::done;
  if (done && !options_.as_text) {
    return append_done(out, record, line, payload);
  }
  fmt::format_to(std::back_inserter(out), R"({{"task":{},"ok":{},)", line, done);
  if (done) {
    out += R"("result":)";
    append_json_string(out, without_line_end(payload));
  } else {
    append_error(out, record, payload);
  }
  append_written(out, room_around, [&](Pen& pen) { pen.end(record, options_.workers); });
}

void Results::add(const core::RecordTask& record, std::uint64_t line, std::string_view payload) {
  text_.clear();
  options_.raw ? append_raw(text_, record, payload) : append_line(text_, record, line, payload);
  append(record.task, text_);
  if (text_.capacity() > most_unwritten) {
    std::string().swap(text_);
  }
}

void Results::skip(core::TaskId task, std::uint64_t /*line*/) { append(task, {}); }

void Results::put(core::TaskId /*task*/, std::string_view text) { writer_.append(text); }

void Results::append(core::TaskId task, std::string_view text) {
  if (!options_.ordered) {
    return put(task, text);
  }
  if (number(task) != next_) {
    held_ += text.size();
    waiting_.emplace(number(task), text);
    return;
  }
  put(task, text);
  ++next_;
  release();
}

void Results::release() {
  for (auto first = waiting_.begin(); first != waiting_.end() && first->first == next_; first = waiting_.erase(first)) {
    held_ -= first->second.size();
    put(core::TaskId{first->first}, first->second);
    ++next_;
  }
}

}  // namespace corral::shell
