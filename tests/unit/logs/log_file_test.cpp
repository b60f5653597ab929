// A log file: whole lines, sizes, older files, what is in the way.
#include "supervisor/shell/logs/log_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "common/base/trusted_folder.hpp"
#include "supervisor/shell/logs/marks.hpp"
#include "supervisor/shell/logs/rotation.hpp"
#include "tests/unit/logs/support.hpp"

using namespace corral;
using namespace corral::logs;
using corral::logs::test::Folder;

namespace {

SharedTarget target(const std::string& path, std::uint64_t size = 0, std::uint32_t keep = 2) {
  Target wanted;
  wanted.path = path;
  wanted.program = wanted.whose = "a";
  wanted.rotate.size = size;
  wanted.rotate.keep = keep;
  return std::make_shared<const Target>(wanted);
}

Result<void> write(LogFile& file, std::string_view bytes) {
  const Result<void> wrote = file.write(bytes);
  CHECK(wrote.has_value() == bytes.empty());
  return wrote;
}

}  // namespace

TEST_CASE("a line is never cut by a rotation, and the oldest file goes") {
  const Folder folder;
  LogFile file;
  file.aim(target(folder / "x.log", 11));
  REQUIRE(write(file, "one\ntwo\nthree\nfour\nfive\n"));
  CHECK(folder.read("x.log") == "five\n");
  CHECK(folder.read("x.log.1") == "three\nfour\n");
  CHECK(folder.read("x.log.2") == "one\ntwo\n");
  REQUIRE(write(file, "six\nseven\n"));
  CHECK(folder.read("x.log") == "seven\n");
  CHECK(folder.read("x.log.1") == "five\nsix\n");
  CHECK(folder.read("x.log.2") == "three\nfour\n");
  CHECK_FALSE(folder.has("x.log.3"));
  CHECK(file.rotations() == 3);
}

TEST_CASE("a line that is longer than a file has a file of its own") {
  const Folder folder;
  LogFile file;
  file.aim(target(folder / "x.log", 4, 9));
  REQUIRE(write(file, "a\nlong long line\nb\n"));
  CHECK(folder.read("x.log.2") == "a\n");
  CHECK(folder.read("x.log.1") == "long long line\n");
  CHECK(folder.read("x.log") == "b\n");
}

TEST_CASE("folders are made, a file that is there goes on, and nobody else may read it") {
  const Folder folder;
  LogFile file;
  file.aim(target(folder / "deep/down/x.log"));
  REQUIRE(write(file, "one\n"));
  LogFile again;
  again.aim(target(folder / "deep/down/x.log"));
  REQUIRE(write(again, "two\n"));
  CHECK(folder.read("deep/down/x.log") == "one\ntwo\n");
  struct stat status{};
  REQUIRE(::stat((folder / "deep/down/x.log").c_str(), &status) == 0);
  CHECK((status.st_mode & 0027U) == 0);
}

TEST_CASE(
    "a folder that is our own link in a folder of our own is gone through, relative or not, and to what has yet to be made") {
  const Folder folder;
  std::filesystem::create_directories(folder / "data/log");
  std::filesystem::create_symlink(folder / "data/log", folder / "absolute");
  std::filesystem::create_symlink("./data//log/../log/", folder / "relative");
  std::filesystem::create_symlink("relative", folder / "twice");
  for (const char* name : {"absolute", "relative", "twice"}) {
    LogFile file;
    file.aim(target(folder / (std::string(name) + "/down/x.log"), 4));
    REQUIRE(write(file, "one\n"));
    REQUIRE(write(file, "two\n"));
    CHECK(folder.read("data/log/down/x.log") == "two\n");
    CHECK(folder.read("data/log/down/x.log.1") == "one\n");
    CHECK(folder.has("data/log/down/.x.log.times"));
    std::filesystem::remove_all(folder / "data/log/down");
  }
  std::filesystem::create_symlink("loop", folder / "loop");
  CHECK(open_trusted_folder(folder / "loop/x", true).error().error_number == ELOOP);
  CHECK(open_trusted_folder(folder / "data/none", false).error().message ==
        "cannot open the folder '" + (folder / "data/none") + "': No such file or directory");
}

TEST_CASE("a folder that others can turn elsewhere is not gone through: nothing is written, renamed or removed behind it") {
  const Folder folder;
  const auto refuses = [&](const std::string& path) {
    const Result<FileDescriptor> opened = open_trusted_folder(folder / path, true);
    return !opened && opened.error().error_number == ELOOP &&
           opened.error().message.find("is a symbolic link that others could turn elsewhere") != std::string::npos;
  };
  std::filesystem::create_directories(folder / "precious");
  std::filesystem::create_directories(folder / "home");
  std::filesystem::create_symlink(folder / "precious", folder / "home/logs");
  CHECK_FALSE(refuses("home/logs"));
  REQUIRE(::chmod((folder / "home").c_str(), 0777) == 0);
  CHECK(refuses("home/logs"));
  CHECK(refuses("home/logs/down"));
  CHECK_FALSE(folder.has("precious/down"));
  REQUIRE(::chmod((folder / "home").c_str(), 01777) == 0);  // As /tmp is: what is ours stays where it is.
  CHECK_FALSE(refuses("home/logs"));
  REQUIRE(::chmod((folder / "home").c_str(), 0775) == 0);  // Our own group, as many distributions have it.
  CHECK_FALSE(refuses("home/logs"));
  if (::geteuid() == 0) {
    constexpr uid_t nobody = 65534;
    REQUIRE(::chown((folder / "home").c_str(), 0, nobody) == 0);
    CHECK(refuses("home/logs"));
    REQUIRE(::chmod((folder / "home").c_str(), 0755) == 0);
    CHECK_FALSE(refuses("home/logs"));
    REQUIRE(::chown((folder / "home").c_str(), nobody, 0) == 0);
    CHECK(refuses("home/logs"));
    REQUIRE(::chown((folder / "home").c_str(), 0, 0) == 0);
    REQUIRE(::lchown((folder / "home/logs").c_str(), nobody, 0) == 0);
    CHECK(refuses("home/logs"));
  }
}

TEST_CASE("a folder is swapped for a link while its log is written") {
  const Folder folder;
  LogFile file;
  file.aim(target(folder / "home/logs/x.log", 8));
  REQUIRE(write(file, "one\n"));
  std::filesystem::create_directories(folder / "precious");
  for (const char* name : {"x.log", "x.log.1", "x.log.2", ".x.log.times", ".x.log.1.times"}) {
    folder.write(std::string("precious/") + name, "mine\n");
  }
  std::filesystem::rename(folder / "home/logs", folder / "home/before");
  std::filesystem::create_symlink(folder / "precious", folder / "home/logs");
  REQUIRE(::chmod((folder / "home").c_str(), 0777) == 0);
  std::string_view bytes = "two\nthree\n";  // The second one needs a rotation.
  const Result<void> wrote = file.write(bytes);
  REQUIRE_FALSE(wrote);
  CHECK(
      wrote.error().message.starts_with("'" + (folder / "home/logs") + "' is a symbolic link that others could turn elsewhere"));
  CHECK(bytes == "three\n");
  for (const char* name : {"x.log", "x.log.1", "x.log.2", ".x.log.times", ".x.log.1.times"}) {
    CHECK(folder.read(std::string("precious/") + name) == "mine\n");
  }
  append_mark(folder / "home/logs/x.log", {1, 2}, true);
  CHECK(folder.read("precious/.x.log.times") == "mine\n");
  CHECK(folder.read("home/before/x.log") == "one\ntwo\n");
  std::filesystem::remove(folder / "home/logs");
  REQUIRE(write(file, bytes));
  CHECK(folder.read("home/logs/x.log") == "three\n");
}

TEST_CASE("a link is not followed, and what is no file is refused") {
  const Folder folder;
  folder.write("target", "mine\n");
  std::filesystem::create_symlink(folder / "target", folder / "x.log");
  LogFile file;
  file.aim(target(folder / "x.log"));
  std::string_view bytes = "one\n";
  const Result<void> wrote = file.write(bytes);
  REQUIRE_FALSE(wrote);
  CHECK(wrote.error().error_number == ELOOP);
  CHECK(bytes == "one\n");
  CHECK(folder.read("target") == "mine\n");
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  file.aim(target(folder / "fifo"));
  CHECK_FALSE(file.write(bytes));
}

TEST_CASE("what was removed is begun anew and said, what was put aside is left alone until it is asked for") {
  const Folder folder;
  LogFile file;
  file.aim(target(folder / "x.log"));
  REQUIRE(write(file, "one\n"));
  CHECK_FALSE(file.take_note());
  std::filesystem::remove(folder / "x.log");
  REQUIRE(write(file, "two\n"));
  CHECK(folder.read("x.log") == "two\n");
  CHECK(file.take_note());
  std::filesystem::rename(folder / "x.log", folder / "aside");
  REQUIRE(write(file, "three\n"));
  CHECK(folder.read("aside") == "two\nthree\n");
  REQUIRE(file.reopen(false));
  CHECK(folder.has("x.log"));
  REQUIRE(write(file, "four\n"));
  CHECK(folder.read("x.log") == "four\n");
}

TEST_CASE("older files move on, compressed ones too, up to the first gap") {
  const Folder folder;
  folder.write("x", "0");
  folder.write("x.1", "1");
  folder.write("x.2.gz", "2");
  folder.write("x.4", "4");
  const Result<FileDescriptor> opened = open_trusted_folder(folder.path, false);
  REQUIRE(opened);
  REQUIRE(put_aside(opened->get(), "x", 5));
  CHECK(folder.read("x.1") == "0");
  CHECK(folder.read("x.2") == "1");
  CHECK(folder.read("x.3.gz") == "2");
  CHECK(folder.read("x.4") == "4");
  folder.write("x", "new");
  REQUIRE(put_aside(opened->get(), "x", 1));
  CHECK(folder.read("x.1") == "new");
  CHECK_FALSE(folder.has("x.2"));
  CHECK_FALSE(folder.has("x.3.gz"));
  CHECK_FALSE(folder.has("x.4"));
}
