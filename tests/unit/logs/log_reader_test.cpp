// A log as its reader sees it: last lines, times, files that are put aside under its eyes.
#include "supervisor/shell/logs/log_reader.hpp"

#include "supervisor/shell/logs/format.hpp"
#include "tests/unit/logs/support.hpp"

using namespace corral::logs;
using corral::logs::test::Folder;

namespace {

std::string all(LogReader& reader) {
  std::string text;
  for (LogLine line; reader.next(line);) {
    text.append(line.text) += ' ';
  }
  return text;
}

}  // namespace

TEST_CASE("the last lines are found through older files") {
  const Folder folder;
  folder.write("x.2", "a\nb\n");
  folder.write("x.1", "c\nd\n");
  folder.write("x", "e\nhalf");
  for (const auto& [last, text] : std::vector<std::pair<std::size_t, std::string>>{
           {0, ""}, {1, "e "}, {2, "d e "}, {4, "b c d e "}, {9, "a b c d e "}, {SIZE_MAX, "a b c d e "}}) {
    CAPTURE(last);
    LogReader reader(folder / "x", {.last = last, .since_ms = {}, .keep = {}});
    CHECK(all(reader) == text);
  }
  LogReader odd(folder / "x", {.last = 2, .since_ms = {}, .keep = [](std::string_view line) { return line != "d"; }});
  CHECK(all(odd) == "c e ");
}

TEST_CASE("how many lines are of the past is known, whatever is written meanwhile") {
  const Folder folder;
  folder.write("x.1", "a\nb\n");
  folder.write("x", "c\n");
  LogReader reader(folder / "x", {.last = 2, .since_ms = {}, .keep = {}});
  CHECK(reader.past() == 2);
  CHECK(LogReader(folder / "x", {.last = 9, .since_ms = {}, .keep = {}}).past() == 3);
  CHECK(LogReader(folder / "x", {.last = 0, .since_ms = {}, .keep = {}}).past() == 0);
  CHECK(LogReader(folder / "x", {}).past() == SIZE_MAX);
  CHECK(LogReader(folder / "none", {.last = 9, .since_ms = {}, .keep = {}}).past() == 0);
  folder.write("x", "c\nd\n");
  std::filesystem::rename(folder / "x.1", folder / "x.2");
  std::filesystem::rename(folder / "x", folder / "x.1");
  folder.write("x", "e\n");
  CHECK(all(reader) == "b c d e ");
}

TEST_CASE("half a line is told when it is whole, and a rotation misses nothing") {
  const Folder folder;
  folder.write("x", "a\nha");
  LogReader reader(folder / "x", {.last = 1, .since_ms = {}, .keep = {}});
  CHECK(all(reader) == "a ");
  folder.write("x", "a\nhalf\nlast\n");
  std::filesystem::rename(folder / "x", folder / "x.1");
  folder.write("x", "new\n");
  std::filesystem::rename(folder / "x.1", folder / "x.2");
  std::filesystem::rename(folder / "x", folder / "x.1");
  folder.write("x", "newer\n");
  CHECK(all(reader) == "half last new newer ");
  CHECK_FALSE(reader.take_gap());
}

TEST_CASE("what another program puts aside by a name of its own is no gap") {
  const Folder folder;
  folder.write("x", "a\n");
  LogReader reader(folder / "x", {});
  CHECK(all(reader) == "a ");
  std::filesystem::rename(folder / "x", folder / "x-20260131");
  folder.write("x", "b\n");
  CHECK(all(reader) == "b ");
  CHECK_FALSE(reader.take_gap());
}

TEST_CASE("a gap is told of") {
  const Folder folder;
  folder.write("x", "a\n");
  LogReader reader(folder / "x", {});
  CHECK(all(reader) == "a ");
  folder.write("new", "z\n");
  std::filesystem::rename(folder / "new", folder / "x");
  CHECK(all(reader) == "z ");
  CHECK(reader.take_gap());
  CHECK_FALSE(reader.take_gap());
}

TEST_CASE("what comes to be later is read from its beginning") {
  const Folder folder;
  LogReader reader(folder / "x", {.last = 0, .since_ms = {}, .keep = {}});
  CHECK(all(reader).empty());
  folder.write("x.1", "a\n");
  folder.write("x", "b\n");
  CHECK(all(reader) == "a b ");
}

TEST_CASE("marks tell the times of lines") {
  const Folder folder;
  folder.write("x", "a\nb\nc\n");
  append_mark(folder / "x", {1000, 0}, true);
  append_mark(folder / "x", {5000, 2}, false);
  append_mark(folder / "x", {9000, 4}, false);
  LogReader reader(folder / "x", {});
  std::vector<std::int64_t> times;
  for (LogLine line; reader.next(line);) {
    times.push_back(line.time_ms);
  }
  CHECK(times == std::vector<std::int64_t>{1000, 5000, 9000});
  LogReader later(folder / "x", {.last = SIZE_MAX, .since_ms = 5500, .keep = {}});
  CHECK(all(later) == "b c ");
  LogReader latest(folder / "x", {.last = SIZE_MAX, .since_ms = 6500, .keep = {}});
  CHECK(all(latest) == "c ");
}

TEST_CASE("a time goes into JSON and comes back") {
  const std::int64_t time = 1'769'860'800'123;
  CHECK(time_in(R"({"time":")" + time_text(time) + R"(","worker")") == time);
  CHECK_FALSE(time_in("{\"time\":\"yesterday\""));
  CHECK_FALSE(time_in("plain"));
}
