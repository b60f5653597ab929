// A tree of small files in a temporary folder, as /sys, /proc and cgroups show them. Removed with the object.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "supervisor/shell/disk/folder.hpp"

namespace corral::test {

class Tree {
 public:
  Tree();
  ~Tree();
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  /// `path` is relative; folders are made. A line break is added, as the kernel does.
  Tree& file(std::string_view path, std::string_view content);
  Tree& folder(std::string_view path);

  [[nodiscard]] std::string path() const { return path_.string(); }
  [[nodiscard]] disk::Folder root() const;

 private:
  std::filesystem::path path_;
};

}  // namespace corral::test
