// Reading a configuration file: real files, and all that is none.
#include "supervisor/shell/disk/config_file.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "supervisor/config/config.hpp"

using corral::disk::distrust;
using corral::disk::read_config_file;

namespace {

/// A folder of its own for one test, gone afterwards.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "corral-config-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }

  [[nodiscard]] std::string operator/(const char* name) const { return (path_ / name).string(); }
  [[nodiscard]] std::string write(const char* name, const std::string& text, mode_t mode = 0644) const {
    const std::string path = *this / name;
    std::ofstream(path, std::ios::binary) << text;
    REQUIRE(chmod(path.c_str(), mode) == 0);
    return path;
  }

 private:
  std::filesystem::path path_;
};

/// The message of a file that must be refused, within a second.
std::string refused(const std::string& path) {
  const auto begin = std::chrono::steady_clock::now();
  const corral::Result<std::string> text = read_config_file(path);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(1));
  REQUIRE_FALSE(text.has_value());
  CHECK(text.error().message.starts_with("cannot read the configuration '" + path + "': "));
  return text.error().message;
}

}  // namespace

TEST_CASE("a file is read byte by byte as it is") {
  const Folder folder;
  const std::string text = std::string("{\r\n\0\xff}", 6) + std::string(100'000, ' ');
  CHECK(read_config_file(folder.write("a.json", text)) == text);
  CHECK(read_config_file(folder.write("empty.json", "")) == "");
  std::filesystem::create_symlink(folder / "a.json", folder / "link.json");
  CHECK(read_config_file(folder / "link.json") == text);
}

TEST_CASE("what is not a regular file is refused at once") {
  const Folder folder;
  REQUIRE(mkfifo((folder / "fifo").c_str(), 0600) == 0);
  CHECK(refused(folder / "fifo").contains("it is a pipe"));
  CHECK(refused(folder / "").contains("it is a directory"));
  CHECK(refused("/dev/zero").contains("it is a device"));
  CHECK(refused("/dev/null").contains("it is a device"));
  if (const int own = ::open("/dev/tty", O_RDONLY | O_NOCTTY); own < 0) {  // With a terminal it is opened, and seen to be one.
    CHECK(refused("/dev/tty").contains("it is a device"));
  } else {
    ::close(own);
  }
}

TEST_CASE("what cannot be opened is named with its cause") {
  const Folder folder;
  CHECK(refused(folder / "absent.json").ends_with("No such file or directory"));
  CHECK(read_config_file(folder / "absent.json").error().error_number == ENOENT);
  CHECK(refused(folder.write("plain", "{}") + "/x").ends_with("Not a directory"));
  std::filesystem::create_symlink("loop", folder / "loop");
  CHECK(read_config_file(folder / "loop").error().error_number == ELOOP);
  CHECK_FALSE(read_config_file(std::string("a\0b", 3)).has_value());
}

TEST_CASE("100 MB are refused unread, and so is a file that is one byte too long") {
  const Folder folder;
  const std::string path = folder.write("big.json", "{");
  REQUIRE(truncate(path.c_str(), off_t{100} << 20) == 0);
  CHECK(refused(path).contains("104857600 bytes long"));
  REQUIRE(truncate(path.c_str(), static_cast<off_t>(corral::disk::longest_config_file) + 1) == 0);
  CHECK(refused(path).contains("is this the right file?"));
  REQUIRE(truncate(path.c_str(), static_cast<off_t>(corral::disk::longest_config_file)) == 0);
  CHECK(read_config_file(path)->size() == corral::disk::longest_config_file);
}

TEST_CASE("a file that lies about its size is read to its end") {
  const corral::Result<std::string> text = read_config_file("/proc/self/limits");
  REQUIRE(text.has_value());
  CHECK(text->contains("Max open files"));
}

TEST_CASE("the reader and the parser agree on what is too long") {
  CHECK(corral::disk::longest_config_file == corral::config::longest_file);
}

TEST_CASE("root refuses what somebody else could have written") {
  CHECK(distrust(0, 0644).empty());
  CHECK(distrust(0, 0600).empty());
  CHECK(distrust(0, 0755).empty());
  CHECK(distrust(0, 0664).contains("mode 0664"));
  CHECK(distrust(0, 0646).contains("mode 0646"));
  CHECK(distrust(1000, 0600).contains("uid 1000"));
  if (geteuid() != 0) {
    return;  // The rest needs root, as the rule does.
  }
  const Folder folder;
  const std::string message = refused(folder.write("a.json", "{}", 0666));
  CHECK(message.contains("mode 0666"));
  CHECK(message.contains("chmod go-w"));
  const std::string foreign = folder.write("b.json", "{}", 0644);
  REQUIRE(chown(foreign.c_str(), 12345, 12345) == 0);
  CHECK(refused(foreign).contains("uid 12345"));
}
