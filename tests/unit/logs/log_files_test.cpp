// The loop's face of the logs: what goes in is written or counted, whatever the disk does.
#include "supervisor/shell/logs/log_files.hpp"

#include <atomic>
#include <thread>

#include "tests/unit/logs/support.hpp"

using namespace corral;
using namespace corral::logs;
using corral::logs::test::Folder;
using namespace std::chrono_literals;

namespace {

constexpr ProgramId program{2};

core::LogSpec to_file(const std::string& path, core::WhenFull when_full = core::WhenFull::drop) {
  core::LogSpec spec;
  spec.to = core::LogTo::file;
  spec.file = path;
  spec.when_full = when_full;
  return spec;
}

struct Files {
  std::atomic<int> news = 0;
  LogFiles files{[this] { ++news; }};

  bool put(std::string_view bytes, std::uint32_t index = 0, bool err = false) {
    const bool full = files.write(Instant(5s), {WorkerId{program, index}, err, false, bytes});
    files.flush();
    return full;
  }

  void await_news() {
    for (int tries = 0; news == 0; ++tries) {
      REQUIRE(tries < 100'000);
      std::this_thread::sleep_for(1ms);
    }
    news = 0;
  }
};

}  // namespace

TEST_CASE("everything is written when it ends") {
  const Folder folder;
  Files all;
  CHECK_FALSE(all.files.takes(WorkerId{program, 0}));
  all.files.define(program, "a", to_file(folder / "{program}-{index}.log"), 3);
  REQUIRE(all.files.takes(WorkerId{program, 0}));
  std::string expected;
  for (int number = 0; number < 3000; ++number) {
    const std::string line = std::to_string(number) + "\n";
    expected += line;
    static_cast<void>(all.put(line, static_cast<std::uint32_t>(number % 3)));
  }
  all.files.finish(10s);
  CHECK(folder.read("a-0.log").size() + folder.read("a-1.log").size() + folder.read("a-2.log").size() == expected.size());
  CHECK(folder.read("a-1.log").starts_with("1\n4\n7\n"));
  CHECK(all.files.counts(program).written_bytes == expected.size());
  CHECK(all.files.take().notices.empty());
}

TEST_CASE("what came before a change goes where it was meant to") {
  const Folder folder;
  Files all;
  all.files.define(program, "a", to_file(folder / "one"), 1);
  static_cast<void>(all.put("1\n"));
  core::LogSpec second = to_file(folder / "two");
  second.format = core::LineFormat::json;
  all.files.define(program, "a", second, 1);
  static_cast<void>(all.put("2\n"));
  second.merge_stderr = false;
  all.files.define(program, "a", second, 1);
  static_cast<void>(all.put("3\n", 0, true));
  all.files.define(program, "a", {}, 1);
  CHECK_FALSE(all.files.takes(WorkerId{program, 0}));
  all.files.define(program, "a", to_file(folder / "one"), 1);
  static_cast<void>(all.put("4\n"));
  all.files.finish(10s);
  CHECK(folder.read("one") == "1\n4\n");
  CHECK(folder.read("two").find(R"("stream":"stdout","line":"2"})") != std::string::npos);
  CHECK(folder.read("two.stderr").find(R"("stream":"stderr","line":"3"})") != std::string::npos);
  CHECK(all.files.counts(program).written_bytes == 4 + folder.read("two").size() + folder.read("two.stderr").size());
}

TEST_CASE("what a broken disk does not take is counted and said once") {
  const Folder folder;
  std::filesystem::create_directory(folder / "x");
  Files all;
  all.files.define(program, "a", to_file(folder / "x"), 1);
  for (int number = 0; number < 500; ++number) {
    CHECK_FALSE(all.put("line\n"));
  }
  all.await_news();
  all.files.finish(10s);
  const News news = all.files.take();
  REQUIRE(news.notices.size() == 2);
  CHECK(news.notices[0].event == "log_failed");
  CHECK(news.notices[1].event == "log_lost");
  CHECK(all.files.counts(program).dropped_lines == 500);
  CHECK(all.files.counts(program).dropped_bytes == 2500);
}

TEST_CASE("with block whoever writes waits until it is taken, and nothing is lost") {
  const Folder folder;
  std::filesystem::create_directory(folder / "x");
  Files all;
  all.files.define(program, "a", to_file(folder / "x", core::WhenFull::block), 1);
  const std::string much = std::string(65'000, 'x') + "\n";
  int written = 1;
  while (!all.put(much)) {
    REQUIRE(++written < 1000);
  }
  CHECK_FALSE(all.files.next_deadline());
  all.await_news();
  CHECK(all.files.take().may_go_on.empty());
  std::filesystem::remove(folder / "x");
  std::vector<WorkerId> may_go_on;
  for (int tries = 0; may_go_on.empty() && tries < 1000; ++tries) {
    all.await_news();
    may_go_on = all.files.take().may_go_on;
  }
  CHECK(may_go_on == std::vector{WorkerId{program, 0}});
  all.files.finish(10s);
  CHECK(folder.read("x").size() == static_cast<std::size_t>(written) * much.size());
  CHECK(all.files.counts(program).dropped_lines == 0);
}

TEST_CASE("with block, what a broken disk never takes is counted at the end") {
  const Folder folder;
  std::filesystem::create_directory(folder / "x");
  Files all;
  all.files.define(program, "a", to_file(folder / "x", core::WhenFull::block), 1);
  static_cast<void>(all.put("one\ntwo\n"));
  all.files.finish(50ms);
  CHECK(all.files.counts(program).dropped_lines == 2);
  bool said = false;
  for (const Notice& notice : all.files.take().notices) {
    said = said || notice.event == "log_lost";
  }
  CHECK(said);
}

TEST_CASE("a disk that is too slow for a second lets lines go, until it has caught up") {
  const Folder folder;
  Files all;
  all.files.define(program, "a", to_file(folder / "x"), 1);
  const std::string much = std::string(2'000'000, 'x') + "\n";
  CHECK(all.files.write(Instant(5s), {WorkerId{program, 0}, false, false, much}));  // Not flushed: nobody takes it.
  REQUIRE(all.files.next_deadline() == Instant(6s));
  all.files.pass_deadline(Instant(6s));
  const News news = all.files.take();
  CHECK(news.may_go_on == std::vector{WorkerId{program, 0}});
  REQUIRE(news.notices.size() == 1);
  CHECK(news.notices[0].event == "log_stalled");
  CHECK_FALSE(all.put("lost\nlost\n"));
  all.await_news();
  const News later = all.files.take();
  REQUIRE(later.notices.size() == 1);
  CHECK(later.notices[0].text.find("2 lines") != std::string::npos);
  static_cast<void>(all.put("kept\n"));
  all.files.finish(10s);
  CHECK(folder.read("x") == much + "kept\n");
  CHECK(all.files.counts(program).dropped_lines == 2);
}
