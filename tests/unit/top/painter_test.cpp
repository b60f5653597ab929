#include <doctest/doctest.h>

#include <algorithm>

#include "supervisor/cli/top/cells.hpp"
#include "tests/unit/top/support.hpp"

namespace corral::cli::top::test {
namespace {

using Lines = std::vector<std::string>;

Model usual() {
  std::vector<WorkerSample> before{worker("crunch", 0, 10), worker("crunch", 1, 10), worker("crunch", 2, 10), worker("web", 0)};
  before[2].cores = "1";
  before[2].restarts = 12;
  before[3].cores.clear();
  before[3].state = "backoff";
  before[3].pid.reset();
  before[3].cpu_seconds.reset();
  before[3].memory_bytes.reset();
  before[3].uptime_seconds.reset();
  before[3].next_start_seconds = 2.2;
  std::vector<WorkerSample> now = before;
  now[0].cpu_seconds = 10.998;
  now[1].cpu_seconds = 10.5;
  now[2].cpu_seconds = 10.0;
  Model model;
  model.take(sample(before), at(100));
  model.take(sample(now), at(101));
  model.take(LastEvents{{"crunch/1", "started"}, {"crunch/2", "killed by signal 9 (Killed), after 3 s"}});
  return model;
}

TEST_CASE("80×24") {
  Model model = usual();
  Lines expected{"corral 0.1.0  pid 4711  running  up 1h02  /etc/corral/corral.json",
                 "4 workers: 3 running, 1 backoff                         CPU 149.8%  memory 36.0M",
                 "CORES  WORKER   STATE      CPU% MEMORY RESTARTS     UP     PID LAST EVENT",
                 "0      crunch/0 running    99.8  12.0M        0   1m15    1000",
                 "1      crunch/1 running    50.0  12.0M        0   1m15    1001 started",
                 "       crunch/2 running     0.0  12.0M       12   1m15    1002 killed by signal~",
                 "any    web/0    backoff       -      -        0      -       - starts in 3 s"};
  expected.resize(23);
  expected.emplace_back("? help  r restart  s stop/start  l log  k signal  / filter  o order  q quit");
  CHECK(shown(model, {24, 80}) == expected);
}

TEST_CASE("40×10") {
  Model model = usual();
  CHECK(shown(model, {10, 40}) == Lines{"corral 0.1.0  pid 4711  running  up 1h0~", "4 workers: 3 running, 1 backoff  CPU 14~",
                                        "CORES  WORKER   STATE      CPU% MEMORY", "0      crunch/0 running    99.8  12.0M",
                                        "1      crunch/1 running    50.0  12.0M", "       crunch/2 running     0.0  12.0M",
                                        "any    web/0    backoff       -      -", "", "",
                                        "? help  r restart  s stop/start  l log ~"});
}

TEST_CASE("200×50") {
  Model model = usual();
  const Lines lines = shown(model, {50, 200});
  CHECK(lines.size() == 50);
  CHECK(lines[2] == "CORES  WORKER   STATE                   CPU% MEMORY RESTARTS     UP     PID LAST EVENT");
  CHECK(lines[3] == "0      crunch/0 running  [||||||||||]   99.8  12.0M        0   1m15    1000");
  CHECK(lines[5] ==
        "       crunch/2 running  [          ]    0.0  12.0M       12   1m15    1002 killed by signal 9 (Killed), after 3 s");
}

TEST_CASE("every size has as many lines as the screen, none too wide") {
  Model model = usual();
  for (const std::string_view keys : {"", "?", "r", "k", "/", "/nothing"}) {
    static_cast<void>(model.press({Key::Kind::escape}));
    static_cast<void>(type(model, keys));
    for (std::size_t rows = 1; rows < 30; ++rows) {
      for (std::size_t columns = 1; columns < 120; ++columns) {
        const Lines lines = shown(model, {rows, columns});
        REQUIRE(lines.size() == rows);
        for (const std::string& line : lines) {
          REQUIRE(width_of(line) <= columns);
        }
      }
    }
  }
}

TEST_CASE("the selected worker is seen on any screen that has room for one") {
  Model model = usual();
  static_cast<void>(model.press({Key::Kind::end}));
  for (std::size_t rows = 3; rows < 12; ++rows) {
    const Lines lines = shown(model, {rows, 80});
    CHECK(std::ranges::any_of(lines, [](const std::string& line) { return line.find("web/0") != std::string::npos; }));
  }
}

TEST_CASE("what comes from elsewhere drives no terminal") {
  Sample hostile = sample({worker("a", 0)});
  hostile.config = "/tmp/\x1b]0;title\x07";
  hostile.workers[0].state = "run\nning";
  Model model;
  model.take(hostile, at(1));
  model.take(LastEvents{{"a/0",
                         "\xc2\x9b"
                         "31m \xe2\x80\xae"
                         "evil \xff"}});
  for (const Size size : {Size{24, 80}, Size{10, 200}}) {
    for (const std::string& line : shown(model, size)) {
      for (const char c : line) {
        CHECK(static_cast<unsigned char>(c) >= 0x20);
        CHECK(static_cast<unsigned char>(c) < 0x7f);
      }
    }
  }
  CHECK(shown(model, {10, 200})[3].find(R"(\xc2\x9b31m \xe2\x80\xaeevil \xff)") != std::string::npos);
}

TEST_CASE("wide characters take two cells and are never halved") {
  Sample wide = sample({worker("a", 0)});
  wide.config = "/データ/設定.json";
  Model model;
  model.take(wide, at(1));
  for (std::size_t columns = 40; columns < 70; ++columns) {
    const std::string line = shown(model, {24, columns})[0];
    CHECK(width_of(line) <= columns);
  }
  CHECK(shown(model, {24, 80})[0].ends_with("/データ/設定.json"));
  CHECK(shown(model, {24, 80}, false)[0].find(R"(/\xe3\x83\x87)") != std::string::npos);
}

TEST_CASE("the last line says what a key is for, and what is asked") {
  Model model = usual();
  const auto last = [&] { return shown(model, {24, 80}).back(); };
  static_cast<void>(type(model, "r"));
  CHECK(last() == "restart crunch/0? y: yes, any other key: no");
  static_cast<void>(type(model, "nkTE"));
  CHECK(last() == "signal to crunch/0 (TERM, HUP, 9, ...): TE_");
  static_cast<void>(model.press({Key::Kind::escape}));
  CHECK(last() == "nothing was sent");
  static_cast<void>(type(model, "/we"));
  CHECK(last() == "show only: we_");
  static_cast<void>(model.press({Key::Kind::enter}));
  CHECK(last().starts_with("only 'we' (Esc: all)  ? help"));
  static_cast<void>(type(model, "/x"));
  CHECK(shown(model, {24, 80})[3] == "no worker has this in its name or state");
}

TEST_CASE("silence of the supervisor stands above all") {
  Model model = usual();
  model.miss("the supervisor has not answered for 4 s");
  CHECK(shown(model, {24, 80})[0] == "the supervisor has not answered for 4 s");
  CHECK(shown(model, {24, 80})[3].starts_with("0      crunch/0"));
}

TEST_CASE("help") {
  Model model = usual();
  static_cast<void>(type(model, "?"));
  const Lines lines = shown(model, {24, 80});
  CHECK(lines[2] == "Keys");
  CHECK(lines[5] == "  r              restart it");
}

TEST_CASE("rates of tasks get a column of their own") {
  WorkerSample fed = worker("a", 0);
  fed.tasks_done = 0;
  Model model;
  model.take(sample({fed}), at(1));
  fed.tasks_done = 1234;
  model.take(sample({fed}), at(2));
  CHECK(shown(model, {24, 100})[2].find("TASK/S") != std::string::npos);
  CHECK(shown(model, {24, 100})[3] == "0      a/0      running  [          ]    0.0  12.0M   1234        0   1m15    1000");
}

}  // namespace
}  // namespace corral::cli::top::test
