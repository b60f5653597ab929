#include "supervisor/shell/tasks/timeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "common/base/text.hpp"
#include "supervisor/shell/tasks/timeline_page.hpp"

namespace corral::shell {
namespace {

constexpr std::size_t chunk_size = std::size_t{64} << 10U;
/// What is there is written after that time at the latest, as far as anything happens.
constexpr Duration chunk_pause = std::chrono::milliseconds(200);

template <class... Numbers>
void append_row(std::string& out, Numbers... numbers) {
  const auto append = [&](auto value) {
    std::array<char, 24> digits{};
    if (!out.empty()) {
      out += ',';
    }
    out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr);
  };
  (append(numbers), ...);
}

void append_text(std::string& out, std::string_view text) {
  std::string json;
  append_json_string(json, text);
  out += ',';
  out += for_script(json);
}

}  // namespace

std::string for_script(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (const char c : json) {
    // In JSON it stands in strings alone.
    c == '<' ? out += "\\u003c" : out += c;
  }
  return out;
}

Timeline::Timeline(boost::asio::io_context& loop, ReportPlace place, std::function<void()> drained, const SpanFacts& facts,
                   TimelineBounds bounds)
    : SpanListener(loop, std::move(place), std::move(drained)),
      bounds_(bounds),
      begun_(facts.begun),
      chunk_ended_(facts.begun),
      merged_(facts.cores.size()) {
  file_.append(timeline_page);
  std::string about = R"({"title":)";
  append_json_string(about, facts.title);
  const auto wall = std::chrono::system_clock::now().time_since_epoch();  // For people.
  about += fmt::format(R"(,"each":{},"begun":{},"cores":[)", facts.each,
                       std::chrono::duration_cast<std::chrono::milliseconds>(wall).count());
  for (const std::string& cores : facts.cores) {
    about += about.back() == '[' ? "" : ",";
    append_json_string(about, cores);
  }
  about += "]}";
  file_.append(fmt::format("<script type=\"application/json\" class=\"about\">{}</script>\n", for_script(about)));
}

std::int64_t Timeline::micros(Instant at) const {
  return std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::microseconds>(at - begun_).count());
}

void Timeline::hear(const Span& span) {
  if (blocks_ < bounds_.exact) {
    ++blocks_;
    write_block(span);
  } else {
    merge(span);
  }
  if (rows_.size() + messages_text_.size() > chunk_size) {
    end_chunk();
  }
}

void Timeline::write_block(const Span& span) {
  const std::int64_t begin = micros(span.begin);
  append_row(rows_, span.worker, begin - last_begin_, micros(span.end) - begin, span.task, span.attempt,
             static_cast<unsigned>(span.how), span.pid);
  last_begin_ = begin;
  if (span.how != SpanEnd::done && messages_ < bounds_.messages) {
    ++messages_;
    messages_text_ += fmt::format("{}[{}", messages_text_.empty() ? "" : ",", rows_count_);
    append_text(messages_text_, span.message);
    append_text(messages_text_, span.text);
    messages_text_ += ']';
  }
  ++rows_count_;
}

void Timeline::merge(const Span& span) {
  constexpr Duration least = std::chrono::milliseconds(1);
  const auto longest = std::max(least, std::chrono::duration_cast<Duration>((span.end - begun_) * bounds_.share));
  Merged& merged = merged_[span.worker];
  if (merged.count > 0 && span.end - merged.begin > longest) {
    write_merged(span.worker);
  }
  if (merged.count == 0) {
    merged.begin = span.begin;
    merged.first = span.task;
  }
  merged.end = span.end;
  merged.last = span.task;
  ++merged.count;
  merged.troubles += span.how == SpanEnd::done ? 0 : 1;
  merged.busy += span.end - span.begin;
  merged.worst = std::max(merged.worst, span.how);
}

void Timeline::write_merged(std::uint32_t worker) {
  const Merged merged = std::exchange(merged_[worker], {});
  if (merged.count > 0) {
    append_row(merged_rows_, worker, micros(merged.begin), micros(merged.end) - micros(merged.begin), merged.first, merged.last,
               merged.count, merged.troubles, static_cast<unsigned>(merged.worst),
               std::chrono::duration_cast<std::chrono::microseconds>(merged.busy).count());
  }
}

void Timeline::hear(const LifeChange& change) {
  if (changes_ >= bounds_.changes) {
    return;
  }
  ++changes_;
  changes_text_ += fmt::format("{}[{},{},{},{}", changes_text_.empty() ? "" : ",", change.worker, micros(change.at),
                               change.began ? 1 : 0, change.pid);
  if (!change.began) {
    append_text(changes_text_, change.how);
  }
  changes_text_ += ']';
}

void Timeline::end_chunk() {
  if (rows_.empty() && merged_rows_.empty() && changes_text_.empty()) {
    return;
  }
  file_.append(
      fmt::format("<script type=\"application/json\" class=\"chunk\">{{\"b\":[{}],\"g\":[{}],\"l\":[{}],\"m\":[{}]}}</script>\n",
                  rows_, merged_rows_, changes_text_, messages_text_));
  rows_.clear();
  merged_rows_.clear();
  changes_text_.clear();
  messages_text_.clear();
  rows_count_ = 0;
  last_begin_ = 0;
}

void Timeline::pause(Instant now) {
  if (now - chunk_ended_ >= chunk_pause) {
    chunk_ended_ = now;
    end_chunk();
  }
}

void Timeline::close(std::string_view summary) {
  for (std::uint32_t worker = 0; worker < merged_.size(); ++worker) {
    write_merged(worker);
  }
  end_chunk();
  file_.append(fmt::format("<script type=\"application/json\" class=\"end\">{}</script>\n</body></html>\n", for_script(summary)));
}

}  // namespace corral::shell
