#include "supervisor/shell/state/state_file.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "supervisor/shell/state/recorder_work.hpp"
#include "tests/unit/state/state_runs.hpp"
#include "tests/unit/state/temporary_folder.hpp"

using namespace corral;
using namespace corral::state;

namespace {

std::string refusal_of(const std::string& path, const Identity& who = identity) {
  const auto file = StateFile::open(path, who, false);
  return file ? "" : file.error().message;
}

std::int64_t count(const std::string& path, const char* status) {
  auto file = StateFile::open_to_read(path);
  REQUIRE(file);
  return (*file)->number("SELECT count(*) FROM tasks WHERE status = '" + std::string(status) + "'").value_or(-1);
}

}  // namespace

TEST_CASE("what was recorded is known the next time, whatever was put before it or taken away") {
  const TemporaryFolder folder;
  const std::string path = folder / "run.db";
  CHECK(run_over(path, {"a", "b", "c"}) == Words{"a", "b", "c"});
  CHECK(run_over(path, {"a", "b", "c"}).empty());
  CHECK(run_over(path, {"new", "c", "a"}) == Words{"new"});
}

TEST_CASE("equal lines are as many tasks as there are of them") {
  const TemporaryFolder folder;
  const std::string path = folder / "run.db";
  CHECK(run_over(path, {"a", "a"}) == Words{"a", "a"});
  CHECK(run_over(path, {"a", "b", "a", "a"}) == Words{"b", "a"});
  CHECK(run_over(path, {"a", "a", "a", "a"}) == Words{"a"});
  CHECK(count(path, "done") == 5);
}

TEST_CASE("what has failed is known too, unless it shall be tried again; then its end counts alone") {
  const TemporaryFolder folder;
  const std::string path = folder / "run.db";
  CHECK(run_over(path, {"a", "b"}, core::Outcome::failed) == Words{"a", "b"});
  CHECK(run_over(path, {"a", "b"}).empty());
  CHECK(run_over(path, {"a"}, core::Outcome::quarantined, true) == Words{"a"});
  CHECK(count(path, "failed") == 1);
  CHECK(count(path, "quarantined") == 1);
  CHECK(run_over(path, {"a", "b", "c"}, core::Outcome::done, true) == Words{"a", "b", "c"});
  CHECK(run_over(path, {"a", "b", "c"}, core::Outcome::done, true).empty());
  CHECK(count(path, "done") == 3);
  CHECK(count(path, "retried") == 3);
}

TEST_CASE("what has failed can be had again, once each, in pages") {
  const TemporaryFolder folder;
  const std::string path = folder / "run.db";
  Words lines;
  for (int number = 0; number < 600; ++number) {
    lines.push_back("line " + std::to_string(number));
  }
  run_over(path, lines, core::Outcome::failed);
  auto file = StateFile::open(path, identity, false);
  REQUIRE(file);
  RecorderWork work(options_of(std::move(*file), true), never_stop);
  REQUIRE(work.begin());
  Words found;
  for (auto page = work.next_failed(); page && !page->empty(); page = work.next_failed()) {
    std::vector<TaskRow> rows;
    for (const FailedTask& task : *page) {
      found.push_back(task.task);
      rows.push_back({task.key, task.line, core::Outcome::failed, "{}\n", {}, task.task});
    }
    REQUIRE(work.record(rows, {}));  // Those that fail again are for the next time.
  }
  CHECK(found == lines);
}

TEST_CASE("another command, mode or form is refused with what differs") {
  const TemporaryFolder folder;
  const std::string path = folder / "run.db";
  run_over(path, {"a"});
  CHECK(refusal_of(path).empty());
  const std::string other = refusal_of(path, {{"./worker", "--slow"}, "frames", false});
  CHECK(other.find("--fast") != std::string::npos);
  CHECK(other.find("--slow") != std::string::npos);
  CHECK(other.find("--new-command") != std::string::npos);
  CHECK(refusal_of(path, {{"./worker", "--fast"}, "lines", false}).find("--lines") != std::string::npos);
  CHECK(refusal_of(path, {{"./worker", "--fast"}, "frames", true}).find("--raw") != std::string::npos);
  CHECK(StateFile::open(path, {{"./other"}, "frames", false}, true));
  CHECK(refusal_of(path).find("./other") != std::string::npos);
  CHECK_FALSE(StateFile::open(path, {{"./other"}, "lines", false}, true));
}

TEST_CASE("a file that is not ours is refused and stays as it is") {
  const TemporaryFolder folder;
  const std::string path = folder / "other";
  const std::string text =
      "an essay on sheep, of some length, since SQLite looks at a hundred bytes before it says what it thinks of it\n";
  write_file(path, text);
  CHECK(refusal_of(path).find("no state file of corral") != std::string::npos);
  CHECK(read_file(path) == text);

  const std::string database = folder / "other.db";
  write_file(database, "");
  auto made = Database::open(database, Database::Access::write);
  REQUIRE(made);
  REQUIRE(made->run("CREATE TABLE sheep (name TEXT)"));
  made->close();
  const std::string before = read_file(database);
  CHECK(refusal_of(database).find("database of another program") != std::string::npos);
  CHECK(read_file(database) == before);
  CHECK(StateFile::open_to_read(database).error().message.find("database of another program") != std::string::npos);
}

TEST_CASE("a log whose file is gone is kept") {
  const TemporaryFolder folder;
  const std::string path = folder / "run.db";
  for (const bool empty : {false, true}) {
    write_file(path + "-wal", "what was recorded");
    if (empty) {
      write_file(path, "");
    }
    CHECK(refusal_of(path).find("move the log away") != std::string::npos);
    CHECK(read_file(path + "-wal") == "what was recorded");
  }
}

TEST_CASE("who is asked to stop while it reads begins no run") {
  const TemporaryFolder folder;
  const std::string path = folder / "run.db";
  run_over(path, {"a"});
  {
    auto file = StateFile::open(path, identity, false);
    REQUIRE(file);
    const std::atomic<bool> stop = true;
    RecorderWork work(options_of(std::move(*file)), stop);
    CHECK(work.begin());
    CHECK(work.end(0));
  }
  CHECK(StateFile::open_to_read(path).value()->number("SELECT count(*) FROM runs").value() == 1);
  CHECK(run_over(path, {"a"}).empty());
}

TEST_CASE("a newer version is refused") {
  const TemporaryFolder folder;
  const std::string path = folder / "run.db";
  run_over(path, {"a"});
  auto database = Database::open(path, Database::Access::write);
  REQUIRE(database);
  REQUIRE(database->run("PRAGMA user_version = 2"));
  database->close();
  CHECK(refusal_of(path).find("newer corral") != std::string::npos);
}
