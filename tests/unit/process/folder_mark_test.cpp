#include <doctest/doctest.h>
#include <sys/wait.h>
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
  using enum FolderMark::Others;
  const Configuration configuration;
  const auto look = [&](std::string_view which) {
    FolderMark mark(configuration.path, which);
    return mark.set();
  };
  std::optional<FolderMark> first(std::in_place, configuration.path, identity);
  CHECK(first->set() == none);
  first->end_turn();
  CHECK(look(identity) == some);
  CHECK(look("00000000000000a5") == none);
  CHECK(look("ffffffffffffffff") == none);
  SUBCASE("it lasts as long as its owner") {
    first.reset();
    CHECK(look(identity) == none);
  }
  SUBCASE("whoever has moved it has it") {
    const FolderMark moved = std::move(*first);
    first.reset();
    CHECK(look(identity) == some);
  }
}

TEST_CASE("those who mark the same folder do so one after the other") {
  const Configuration configuration;
  FolderMark first(configuration.path, identity);
  const pid_t second = ::fork();
  if (second == 0) {
    FolderMark mark(configuration.path, identity);
    ::_exit(mark.set() == FolderMark::Others::some ? 0 : 1);
  }
  ::usleep(20'000);
  CHECK(first.set() == FolderMark::Others::none);  // The second waits for its turn.
  first.end_turn();
  int status = -1;
  CHECK(::waitpid(second, &status, 0) == second);
  CHECK(status == 0);
}

TEST_CASE("where the folder cannot be marked nobody knows") {
  FolderMark mark("/nowhere/corral.json", identity);
  CHECK(mark.set() == FolderMark::Others::unknown);
  mark.end_turn();
}
