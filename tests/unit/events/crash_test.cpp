#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>

#include "supervisor/shell/events/crash_folder.hpp"
#include "supervisor/shell/events/explanation.hpp"
#include "tests/unit/events/support.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::shell;
using namespace corral::shell::test;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

shell::Event crash(std::uint64_t number) {
  Ended ended{life(1, 3), 4123, KilledBy{SIGKILL, false}, 3200ms, {}, true, {Verdict::Kind::restart, 2, 200ms}};
  return {number, {1'769'860'800'123 + static_cast<std::int64_t>(number), Instant(1s)}, Notice(ended)};
}

CrashRecord record(std::uint64_t number) { return make_crash_record(crash(number), names(), {}); }

/// Gone with all that is in it at the end.
struct TemporaryFolder {
  TemporaryFolder() {
    std::string pattern = (fs::temp_directory_path() / "corral-crash-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { fs::remove_all(path); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  fs::path path;
};

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> all;
  for (const auto& entry : fs::directory_iterator(folder)) {
    all.push_back(entry.path().filename());
  }
  std::ranges::sort(all);
  return all;
}

/// What a folder has to say, from its thread.
struct Reports {
  void add(std::string text) {
    const std::lock_guard lock(mutex);
    all.push_back(std::move(text));
  }
  std::vector<std::string> take() {
    const std::lock_guard lock(mutex);
    return std::exchange(all, {});
  }
  std::mutex mutex;
  std::vector<std::string> all;
};

}  // namespace

TEST_CASE("a record holds the event, its cause, what is known beside it, and when the next start is") {
  CrashFacts facts;
  facts.cores = "0-1";
  facts.task = 17;
  facts.words = R"(,"stderr":["a","b"])";
  facts.oom = OomFacts{"/sys/fs/cgroup/x/memory.events", 2, 1U << 20U, {}};
  const CrashRecord made = make_crash_record(crash(42), names(), facts);
  CHECK(made.worker == "crunch/1");
  const json parsed = json::parse(made.json);
  CHECK(parsed["seq"] == 42);
  CHECK(parsed["worker"] == "crunch/1");
  CHECK(parsed["cause"] == "killed by signal 9 (Killed) by the kernel: out of memory");
  CHECK(parsed["next_start"] == "2026-01-31T12:00:00.365Z");
  CHECK(parsed["cores"] == "0-1");
  CHECK(parsed["task"] == 17);
  CHECK(parsed["stderr"] == json::array({"a", "b"}));
  CHECK(parsed["oom"]["kills"] == 2);
  CHECK(parsed["oom"]["limit_bytes"] == 1U << 20U);
  CHECK(parsed["oom"]["peak_bytes"].is_null());
  const json launch = json::parse(
      make_crash_record(
          {1, {}, Notice(LaunchFailed{life(0, 1), {LaunchStep::exec, ENOENT, "x"}, {Verdict::Kind::not_restarted}})}, names(), {})
          .json);
  CHECK(launch["cause"] == "cannot execute 'x': No such file or directory");
  CHECK(launch["next_start"].is_null());
  CHECK(launch["cores"].is_null());
  CHECK(launch["task"].is_null());
}

TEST_CASE("the latest records are kept in memory") {
  Crashes crashes;
  for (std::uint64_t i = 1; i <= 2 * Crashes::most; ++i) {
    crashes.add(record(i));
  }
  CHECK(crashes.all().size() == Crashes::most);
  REQUIRE(crashes.last_of(life(1, 3).worker) != nullptr);
  CHECK(crashes.last_of(life(1, 3).worker)->number == 2 * Crashes::most);
  CHECK(crashes.last_of(life(9, 3).worker) == nullptr);
}

TEST_CASE("records become files, whole, of their names and modes, and the oldest go") {
  const TemporaryFolder temporary;
  const fs::path folder = temporary.path / "not" / "there";
  {
    CrashFolder files(folder, 3, {});
    for (std::uint64_t i = 1; i <= 5; ++i) {
      files.write(record(i));
    }
    files.finish(60s);
  }
  std::ofstream(folder / "crash-of-somebody.txt") << "other";
  const auto found = names_in(folder);
  REQUIRE(found.size() == 4);
  CHECK(found[0] == "crash-20260131T120000.126Z-00000003-crunch.1.json");
  CHECK(found[2] == "crash-20260131T120000.128Z-00000005-crunch.1.json");
  struct stat status{};
  REQUIRE(::stat((folder / found[2]).c_str(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 0640);
  std::stringstream text;
  text << std::ifstream(folder / found[2]).rdbuf();
  CHECK(json::parse(text.str())["seq"] == 5);
  {
    CrashFolder again(folder, 1, {});  // Those of an earlier run count.
    again.write(record(6));
    again.finish(60s);
  }
  CHECK(names_in(folder) ==
        std::vector<std::string>{"crash-20260131T120000.129Z-00000006-crunch.1.json", "crash-of-somebody.txt"});
}

TEST_CASE("a folder that cannot be written is told once, and again when it has worked meanwhile") {
  const TemporaryFolder temporary;
  const fs::path folder = temporary.path / "crashes";
  std::ofstream(folder) << "a file is in the way";
  Reports reports;
  CrashFolder files(folder, 3, [&](std::string text) { reports.add(std::move(text)); });
  for (std::uint64_t i = 1; i <= 5; ++i) {
    files.write(record(i));
    files.finish(60s);
  }
  const auto told = reports.take();
  REQUIRE(told.size() == 1);
  CHECK(told[0].find("cannot open the folder '" + folder.string() + "'") != std::string::npos);
  fs::remove(folder);
  files.write(record(6));
  files.finish(60s);
  CHECK(reports.take().empty());
  CHECK(names_in(folder).size() == 1);
  fs::remove_all(folder);
  std::ofstream(folder) << "again";
  files.write(record(7));
  files.finish(60s);
  CHECK(reports.take().size() == 1);
}

TEST_CASE("a folder that others can turn into a link is not gone through, and nothing behind it is removed") {
  const TemporaryFolder temporary;
  const fs::path folder = temporary.path / "home" / "crashes";
  const fs::path precious = temporary.path / "precious";
  Reports reports;
  CrashFolder files(folder, 1, [&](std::string text) { reports.add(std::move(text)); });
  files.write(record(1));
  files.finish(60s);
  REQUIRE(names_in(folder).size() == 1);
  fs::create_directory(precious);
  for (const char* name : {"crash-1.json", "crash-2.json", "crash-3.json"}) {
    std::ofstream(precious / name) << "mine";
  }
  fs::rename(folder, temporary.path / "home" / "before");
  fs::create_directory_symlink(precious, folder);
  fs::permissions(folder.parent_path(), fs::perms::all);
  files.write(record(2));
  files.finish(60s);
  const auto told = reports.take();
  REQUIRE(told.size() == 1);
  CHECK(told[0].find("'" + folder.string() + "' is a symbolic link that others could turn elsewhere") != std::string::npos);
  CHECK(names_in(precious) == std::vector<std::string>{"crash-1.json", "crash-2.json", "crash-3.json"});
  fs::permissions(folder.parent_path(), fs::perms::owner_all);
  files.write(record(3));
  files.finish(60s);
  CHECK(reports.take().empty());
  CHECK(names_in(precious).size() == 1);  // Our own link in a folder of our own: what lies there is ours to keep few.
}

TEST_CASE("a link in the place of a file is not followed") {
  const TemporaryFolder temporary;
  const fs::path victim = temporary.path / "victim";
  std::ofstream(victim) << "mine";
  const fs::path folder = temporary.path / "crashes";
  fs::create_directory(folder);
  fs::create_symlink(victim, folder / ("." + CrashFolder::file_name(record(1)) + ".new"));
  CrashFolder files(folder, 3, {});
  files.write(record(1));
  files.finish(60s);
  std::stringstream text;
  text << std::ifstream(victim).rdbuf();
  CHECK(text.str() == "mine");
}

TEST_CASE("an explanation as JSON") {
  Explanation told;
  told.worker = "crunch/1";
  told.state = StateKind::backoff;
  told.next = {"start", 200ms};
  told.reasons = {{"a \"b\"", {"/restart/delay"}}, {"c", {}}};
  const CrashRecord last = record(3);
  const json parsed = json::parse(to_json(told, {R"({"seq":1})"}, &last, 0xabcU));
  CHECK(parsed["state"] == "backoff");
  CHECK(parsed["next"]["what"] == "start");
  CHECK(parsed["next"]["in_seconds"] == 0.2);
  CHECK(parsed["sentences"] == json::array({"a \"b\"", "c"}));
  CHECK(parsed["reasons"][0]["keys"] == json::array({"/programs/crunch/restart/delay"}));
  CHECK(parsed["events"][0]["seq"] == 1);
  CHECK(parsed["crash"]["seq"] == 3);
  CHECK(parsed["configuration"] == "0000000000000abc");
  CHECK(json::parse(to_json({"a/0", StateKind::stopped, {}, {}}, {}, nullptr, {}))["next"].is_null());
}
