// Whether the command of a program and its directory are there, before anything is launched with them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "supervisor/core/spec.hpp"
#include "supervisor/shell/preparation.hpp"

namespace corral::shell {

class LaunchChecker {
 public:
  /// `only`: the one program that is looked at; nothing: all are.
  LaunchChecker(std::vector<Complaint>& complaints, std::optional<std::size_t> only) : complaints_(complaints), only_(only) {}

  /// Reads the file system. Adds to the complaints.
  void check(std::size_t program, const core::LaunchSpec& launch);

 private:
  void complain(std::string key, std::string message, std::string suggestion = {});
  void check_directory(const core::LaunchSpec& launch);
  void check_command(const core::LaunchSpec& launch);
  void check_file(const core::LaunchSpec& launch, const std::string& command);

  std::vector<Complaint>& complaints_;
  std::optional<std::size_t> only_;
  std::size_t program_ = 0;
};

}  // namespace corral::shell
