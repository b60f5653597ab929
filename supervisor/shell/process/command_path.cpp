#include "supervisor/shell/process/command_path.hpp"

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

// Boost.Filesystem asks for the kernel's version at the start of the program, before anybody wants to know: so Boost.Process
// takes std::filesystem. What it has from the other one without saying so (1.81) comes first.
#define BOOST_PROCESS_USE_STD_FS  // NOLINT(cppcoreguidelines-macro-usage): as Boost.Process has it.
#include <boost/optional.hpp>
#include <boost/type_traits.hpp>

#include <boost/process/v2/environment.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace corral::process {
namespace {

/// The start of a file; empty when it cannot be read.
std::string head_of(const std::string& path) {
  std::string head(4096, '\0');
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  const ssize_t size = fd < 0 ? -1 : pread(fd, head.data(), head.size(), 0);
  if (fd >= 0) {
    close(fd);
  }
  head.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return head;
}

std::string_view script_interpreter(std::string_view head) {
  if (!head.starts_with("#!")) {
    return {};
  }
  head.remove_prefix(2);
  head = head.substr(0, head.find('\n'));
  const std::size_t start = head.find_first_not_of(" \t");
  if (start == std::string_view::npos) {
    return {};
  }
  head.remove_prefix(start);
  return head.substr(0, head.find_first_of(" \t\r"));
}

/// The dynamic loader that a program asks for, such as musl's on a machine that has only glibc's.
std::string_view elf_interpreter(std::string_view head) {
  Elf64_Ehdr header{};
  if (head.size() < sizeof header || !head.starts_with(ELFMAG)) {
    return {};
  }
  std::memcpy(&header, head.data(), sizeof header);
  for (std::size_t i = 0; i < header.e_phnum && header.e_ident[EI_CLASS] == ELFCLASS64; ++i) {
    Elf64_Phdr segment{};
    const std::size_t at = header.e_phoff + i * sizeof segment;
    if (header.e_phoff > head.size() || at + sizeof segment > head.size()) {
      return {};
    }
    std::memcpy(&segment, head.data() + at, sizeof segment);
    if (segment.p_type == PT_INTERP && segment.p_offset < head.size() && segment.p_filesz > 0 &&
        segment.p_filesz <= head.size() - segment.p_offset) {
      return head.substr(segment.p_offset, segment.p_filesz - 1);
    }
  }
  return {};
}

}  // namespace

std::string find_command(const std::string& command, const std::string& search_path) {
  if (command.find('/') != std::string::npos) {
    return command;
  }
  if (command.empty()) {
    return {};
  }
  namespace environment = boost::process::v2::environment;
  const std::array<environment::key_value_pair, 1> only_path{environment::key_value_pair("PATH", search_path)};
  return environment::find_executable(command, only_path).string();
}

std::string describe_executable(const std::string& path, int error_number) {
  if (error_number != ENOENT && error_number != EACCES) {
    return path;
  }
  const std::string head = head_of(path);
  std::string_view interpreter = script_interpreter(head);
  if (interpreter.empty()) {
    interpreter = elf_interpreter(head);
  }
  if (interpreter.empty()) {
    return path;
  }
  const std::string file(interpreter);
  if (access(file.c_str(), X_OK) == 0) {
    return path;
  }
  // The message puts its quotes around the whole.
  return path + "' with its interpreter '" + file;
}

}  // namespace corral::process
