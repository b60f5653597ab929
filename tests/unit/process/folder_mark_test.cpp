#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "supervisor/shell/process/folder_mark.hpp"

using corral::process::FolderMark;

namespace {

constexpr std::string_view identity = "00000000000000a1";

/// A configuration in a folder of its own.
struct Configuration {
  Configuration() {
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    path = folder + "/corral.json";
    std::FILE* file = std::fopen(path.c_str(), "w");
    REQUIRE(file != nullptr);
    std::fclose(file);
  }
  ~Configuration() {
    ::unlink(path.c_str());
    ::rmdir(folder.c_str());
  }
  std::string folder = "/tmp/corral-mark-XXXXXX";
  std::string path;
};

}  // namespace

TEST_CASE("a mark on the folder of a configuration tells of others, and of nobody else") {
  const Configuration configuration;
  std::optional<FolderMark> first(std::in_place, configuration.path, identity);
  CHECK_FALSE(first->is_shared());
  CHECK(FolderMark(configuration.path, identity).is_shared());
  CHECK_FALSE(FolderMark(configuration.path, "00000000000000a5").is_shared());
  CHECK_FALSE(FolderMark(configuration.path, "ffffffffffffffff").is_shared());
  SUBCASE("it lasts as long as its owner") {
    first.reset();
    CHECK_FALSE(FolderMark(configuration.path, identity).is_shared());
  }
  SUBCASE("whoever has moved it has it") {
    const FolderMark moved = std::move(*first);
    first.reset();
    CHECK(FolderMark(configuration.path, identity).is_shared());
  }
}

TEST_CASE("where the folder cannot be marked nobody knows, so everybody is looked for") {
  CHECK(FolderMark("/nowhere/corral.json", identity).is_shared());
}
