#include "supervisor/shell/voice.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "common/base/result.hpp"
#include "common/base/text.hpp"

namespace corral::shell {
namespace {

/// Beyond it workers wait.
constexpr std::size_t most_pending = std::size_t{1} << 20U;
/// Beyond these the supervisor's own lines are dropped: routine ones early, trouble last.
constexpr std::array<std::size_t, 3> most_said{std::size_t{1} << 20U, std::size_t{2} << 20U, std::size_t{4} << 20U};

/// What workers' output may take of a place that both streams share: most_pending, and one more turn of reading.
constexpr std::size_t out_of_workers = std::size_t{8} << 20U;

constexpr std::string_view own_name = "corral: ";

std::string_view colour_of(WorkerId worker) {
  constexpr std::array<std::string_view, 6> colours{"\x1b[36m", "\x1b[33m", "\x1b[32m", "\x1b[35m", "\x1b[34m", "\x1b[31m"};
  return colours[(number(worker.program) + worker.index) % colours.size()];
}

}  // namespace

Voice::Voice(boost::asio::io_context& loop, VoiceOptions options, Chronicle& chronicle, const std::function<void()>& drained)
    : options_(options),
      chronicle_(chronicle),
      out_(loop, STDOUT_FILENO, drained),
      one_place_(Writer::is_same_place(STDOUT_FILENO, STDERR_FILENO)),
      err_(one_place_ ? out_.same() : Writer(loop, STDERR_FILENO, drained)) {}

void Voice::worker_line(const WorkerLine& line) {
  if (said_ && !one_place_) {
    flush();  // Whoever reads both streams shall find what was said before this line before it.
  }
  const bool to_out = line.stream == Stream::out && !options_.all_to_stderr;
  line_.clear();
  if (options_.format == LogFormat::json) {
    append_json(line_, line);
  } else {
    append_prefix(line_, line, to_out ? options_.colour_out : options_.colour_err);
    line_ += line.text;
    line_ += '\n';
  }
  to_out ? out_.append(line_) : append_err(line_);
}

/// `crunch/0 | `, or `crunch/0 > ` where the line goes on in the next one.
void Voice::append_prefix(std::string& out, const WorkerLine& line, bool colour) const {
  if (colour) {
    out += colour_of(line.life.worker);
  }
  out += chronicle_.narrator().worker(line.life.worker);
  out += line.goes_on ? " > " : " | ";
  if (colour) {
    out += "\x1b[0m";
  }
}

void Voice::append_json(std::string& out, const WorkerLine& line) const {
  out += R"({"time":)";
  append_json_string(out, rfc3339(stamp_now().wall_ms));
  out += R"(,"source":"worker","worker":)";
  append_json_string(out, chronicle_.narrator().worker(line.life.worker));
  out += line.stream == Stream::out ? R"(,"stream":"stdout","line":)" : R"(,"stream":"stderr","line":)";
  append_json_string(out, line.text);
  out += line.goes_on ? ",\"goes_on\":true}\n" : "}\n";
}

void Voice::hook_line(std::string_view text) {
  if (err_.pending() > (one_place_ ? out_of_workers : 0) + most_said.front()) {
    ++unsaid_;
    hook_unsaid_ = true;
    return;
  }
  line_ = R"({"time":)";
  append_json_string(line_, rfc3339(stamp_now().wall_ms));
  line_ += R"(,"source":"on_event","stream":"stderr","line":)";
  append_json_string(line_, text);
  line_ += "}\n";
  append_err(line_);
}

void Voice::notice(core::Notice notice) {
  const SharedEvent event = chronicle_.add(std::move(notice));
  if (options_.least > Weight::routine && std::holds_alternative<core::Started>(*event->notice())) {
    return;  // Not even put into words: there may be ten thousand of them.
  }
  if (options_.endings || !std::holds_alternative<core::Ended>(*event->notice())) {
    tell(*event);
  }
}

void Voice::say(Weight weight, std::string_view event, std::string text) {
  tell(*chronicle_.add(Said{weight, std::string(event), std::move(text)}));
}

void Voice::sum_up(const std::vector<std::string>& lines, std::string members) {
  if (options_.format == LogFormat::json) {
    std::string all;
    for (const std::string& line : lines) {
      all += (all.empty() ? "" : "; ") + line;
    }
    return tell(*chronicle_.add(Said{Weight::notable, "summary", std::move(all), std::move(members)}));
  }
  for (const std::string& line : lines) {
    say(Weight::notable, "summary", line);
  }
}

void Voice::tell(const Event& event) {
  const Story story = story_of(event, chronicle_.narrator());
  if (story.weight < options_.least) {
    return;
  }
  said_ = true;
  const std::size_t of_workers = one_place_ ? out_of_workers : 0;
  if (err_.pending() > of_workers + most_said[static_cast<std::size_t>(story.weight)]) {
    ++unsaid_;
    return;
  }
  if (options_.format == LogFormat::json) {
    append_err(to_log_line(event, story, chronicle_.narrator()));
    return;
  }
  line_.clear();
  if (options_.colour_err) {
    line_ += story.weight == Weight::trouble ? "\x1b[1;31m" : "\x1b[1m";
  }
  line_ += own_name;
  if (options_.colour_err) {
    line_ += "\x1b[0m";
  }
  append_printable(line_, story.text);
  line_ += '\n';
  append_err(line_);
}

constexpr std::string_view clear_line = "\r\x1b[K";

void Voice::append_err(std::string_view text) {
  if (std::exchange(is_drawn_, false)) {
    err_.append(clear_line);
  }
  err_.append(text);
}

void Voice::show(std::string line) {
  append_err({});
  shown_ = std::move(line);
}

bool Voice::congested() const { return out_.pending() > most_pending || err_.pending() > most_pending; }

void Voice::flush() {
  out_.flush();
  report_losses();
  if (!shown_.empty() && !std::exchange(is_drawn_, true)) {
    err_.append(shown_);
  }
  err_.flush();
  said_ = false;
}

void Voice::report_losses() {
  if (unsaid_ > 0 && err_.pending() < most_pending) {
    const std::uint64_t count = std::exchange(unsaid_, 0);
    say(Weight::trouble, "lines_dropped",
        fmt::format("{} lines of corral's own{} were dropped: nobody read stderr fast enough", count,
                    std::exchange(hook_unsaid_, false) ? " or of on_event" : ""));
  }
  report_reader_gone(out_, "stdout", out_gone_);
}

void Voice::report_reader_gone(const Writer& writer, std::string_view name, bool& reported) {
  const int error = writer.error_number();
  if (error != 0 && !reported) {
    say(Weight::trouble, "reader_gone",
        system_error(fmt::format("cannot write to {}", name), error).message + "; what workers write there is dropped");
  }
  reported = error != 0;
}

void Voice::finish(Duration patience) {
  show({});
  Writer::finish(out_, err_, patience, [this] { report_losses(); });  // The last lines may be the ones that could not be written.
}

}  // namespace corral::shell
