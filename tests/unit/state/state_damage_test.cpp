// A state file and its log, damaged in every way.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "supervisor/shell/state/state_file.hpp"
#include "tests/unit/state/state_runs.hpp"
#include "tests/unit/state/temporary_folder.hpp"

using namespace corral;
using namespace corral::state;

TEST_CASE("whether it is cut or a byte is flipped: a sentence or a run, never a crash") {
  const TemporaryFolder folder;
  const std::string path = folder / "run.db";
  const std::string damaged = folder / "damaged.db";
  Words lines;
  for (int number = 0; number < 300; ++number) {
    lines.push_back("line " + std::to_string(number));
  }
  run_over(path, lines, core::Outcome::failed);
  const std::string whole = read_file(path);
  const auto use = [&](const std::string& content) {
    write_file(damaged, content);
    auto file = StateFile::open(damaged, identity, false);
    if (!file) {
      CHECK_FALSE(file.error().message.empty());
      return;
    }
    RecorderWork work(options_of(std::move(*file), true), never_stop);
    Result<void> going = work.begin();
    for (int page = 0; going && page < 5; ++page) {
      const auto failed = work.next_failed();
      going = failed ? going : std::unexpected(failed.error());
    }
    if (going) {
      going = work.record(std::vector<TaskRow>(1), {});
    }
    CHECK((going || !going.error().message.empty()));
  };
  for (std::size_t size = 0; size < whole.size(); size += 251) {
    use(whole.substr(0, size));
  }
  for (std::size_t at = 0; at < whole.size(); at += at < 200 ? 1 : 97) {
    std::string content = whole;
    content[at] = static_cast<char>(static_cast<unsigned char>(content[at]) ^ (1U << (at % 8)));
    use(content);
  }
}

TEST_CASE("a log that is cut or damaged loses what comes after, and nothing else") {
  const TemporaryFolder folder;
  const std::string path = folder / "run.db";
  const std::string copy = folder / "copy.db";
  auto file = StateFile::open(path, identity, false);
  REQUIRE(file);
  RecorderWork work(options_of(std::move(*file)), never_stop);
  REQUIRE(work.begin());
  Words input;
  constexpr int commits = 12;
  for (int number = 0; number < commits; ++number) {
    input.push_back("line " + std::to_string(number));
    const auto found = work.look_up({{{input.back(), false}}, {}});
    REQUIRE(found);
    const TaskRow row{found->front().key, static_cast<std::uint64_t>(number), core::Outcome::done, "{}\n", {}, {}};
    REQUIRE(work.record(std::span(&row, 1), {}));
  }
  const std::string database = read_file(path);
  const std::string log = read_file(path + "-wal");
  REQUIRE(log.size() > 4096);
  // Who was killed has left both as they are here. Those that are known are the first ones, and the others run again.
  const auto known_with = [&](const std::string& content) {
    write_file(copy, database);
    write_file(copy + "-wal", content);
    ::unlink((copy + "-shm").c_str());
    const Words again = run_over(copy, input);
    const auto known = input.size() - again.size();
    CHECK(again == Words(input.begin() + static_cast<std::ptrdiff_t>(known), input.end()));
    CHECK(run_over(copy, input).empty());
    return known;
  };
  CHECK(known_with(log) == commits);
  std::size_t fewest = commits;
  for (std::size_t at = log.size() / 3; at < log.size(); at += log.size() / 40) {
    fewest = std::min(fewest, known_with(log.substr(0, at)));
    std::string flipped = log;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    fewest = std::min(fewest, known_with(flipped));
  }
  CHECK(fewest < commits / 2);
}

TEST_CASE("a byte that was flipped in what is known of a task is noticed, and so is a row that is gone") {
  const TemporaryFolder folder;
  const std::string path = folder / "run.db";
  run_over(path, {"sheep", "goats"}, core::Outcome::failed);
  const auto refusal_after = [&](const char* sql) {
    const std::string copy = folder / "copy.db";
    write_file(copy, read_file(path));
    auto database = Database::open(copy, Database::Access::write);
    REQUIRE(database);
    REQUIRE(database->run(sql));
    database->close();
    auto file = StateFile::open(copy, identity, false);
    REQUIRE(file);
    const Result<void> begun = RecorderWork(options_of(std::move(*file)), never_stop).begin();
    return begun ? "" : begun.error().message;
  };
  CHECK(refusal_after("SELECT 1").empty());
  for (const char* sql :
       {"UPDATE tasks SET task = 'shoep' WHERE id = 1", "UPDATE tasks SET result = '[]'", "UPDATE tasks SET line = 7",
        "UPDATE tasks SET occurrence = 1", "UPDATE tasks SET hash = randomblob(16)", "UPDATE tasks SET hash = x'00'",
        "UPDATE tasks SET output = ''", "UPDATE tasks SET status = 'dome'", "DELETE FROM tasks WHERE id = 1"}) {
    CAPTURE(sql);
    CHECK(refusal_after(sql).find("damaged") != std::string::npos);
  }
}
