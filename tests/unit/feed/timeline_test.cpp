#include "supervisor/shell/tasks/timeline.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <string>

using namespace corral;
using namespace corral::shell;
using namespace std::chrono_literals;

namespace {

/// What a timeline with these bounds writes behind its page.
class Written {
 public:
  explicit Written(TimelineBounds bounds)
      : timeline_(loop_, {::fileno(file_), "the timeline"}, [] {}, {{"0", "1"}, "title", Instant(0s)}, bounds) {}
  ~Written() { std::fclose(file_); }
  Written(const Written&) = delete;
  Written& operator=(const Written&) = delete;

  Timeline* operator->() { return &timeline_; }
  std::string chunks() {
    timeline_.close("{}");
    timeline_.file().flush();
    REQUIRE(timeline_.file().wait(10s));
    std::string text(1'000'000, '\0');
    const ssize_t got = ::pread(::fileno(file_), text.data(), text.size(), 0);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    const std::size_t begin = text.find("class=\"chunk\"");
    return begin == std::string::npos ? std::string() : text.substr(begin);
  }

 private:
  std::FILE* file_ = std::tmpfile();
  boost::asio::io_context loop_;
  Timeline timeline_;
};

Span span(std::uint64_t task, Duration begin, Duration end, SpanEnd how = SpanEnd::done) {
  return {0, 42, task, 1, how, Instant(begin), Instant(end), "why", "task"};
}

std::size_t count(const std::string& text, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
    ++found;
  }
  return found;
}

}  // namespace

TEST_CASE("what is beyond the bound becomes few blocks, and no task is lost") {
  Written page({.exact = 2, .share = 0.1});
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const auto at = 1s + std::chrono::microseconds(i);
    page->hear(span(i, at, at + 1us, i == 500 ? SpanEnd::failed : SpanEnd::done));
  }
  const std::string text = page.chunks();
  // Worker, begin, duration, first, last, count, troubles, the worst, busy.
  CHECK(text.find(R"("b":[0,1000000,1,0,1,0,42,0,1,1,1,1,0,42],"g":[0,1000002,998,2,999,998,1,2,998])") != std::string::npos);
}

TEST_CASE("merged blocks end where they would be too long to tell anything") {
  Written page({.exact = 0, .share = 0.1});
  page->hear(span(0, 1000ms, 1050ms));
  page->hear(span(1, 1050ms, 1090ms));
  page->hear(span(2, 1090ms, 1200ms));  // 120 ms at most by now.
  const std::string text = page.chunks();
  CHECK(text.find(R"("g":[0,1000000,90000,0,1,2,0,0,90000,0,1090000,110000,2,2,1,0,0,110000])") != std::string::npos);
}

TEST_CASE("messages and changes have a bound too") {
  Written page({.messages = 1, .changes = 2});
  page->hear(span(0, 1s, 2s, SpanEnd::failed));
  page->hear(span(1, 2s, 3s, SpanEnd::failed));
  for (int i = 0; i < 5; ++i) {
    page->hear(LifeChange{0, 42, Instant(1s), true, {}});
  }
  const std::string text = page.chunks();
  CHECK(count(text, "why") == 1);
  CHECK(count(text, "[0,1000000,1,42]") == 2);
}

TEST_CASE("nothing in a text can end the element that it is in") {
  CHECK(for_script(R"({"a":"</script><!--"})") == R"({"a":"\u003c/script>\u003c!--"})");
  Written page({});
  Span nasty = span(0, 1s, 2s, SpanEnd::failed);
  nasty.message = "</script>";
  page->hear(nasty);
  CHECK(count(page.chunks(), "</script") == 2);  // Of the chunk, and of the end.
}
