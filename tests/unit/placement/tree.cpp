#include "tree.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): mkdtemp is POSIX.

#include <fstream>

namespace corral::test {

Tree::Tree() {
  std::string name = (std::filesystem::temp_directory_path() / "corral-tree-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

Tree::~Tree() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Tree& Tree::file(std::string_view path, std::string_view content) {
  const std::filesystem::path full = path_ / path;
  std::filesystem::create_directories(full.parent_path());
  std::ofstream(full) << content << '\n';
  return *this;
}

Tree& Tree::folder(std::string_view path) {
  std::filesystem::create_directories(path_ / path);
  return *this;
}

disk::Folder Tree::root() const {
  std::optional<disk::Folder> root = disk::Folder::open(path());
  REQUIRE(root.has_value());
  return std::move(*root);
}

}  // namespace corral::test
