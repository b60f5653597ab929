#include "supervisor/cli/map_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

namespace corral::cli {
namespace {

std::size_t occurrences(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + what.size())) {
    ++count;
  }
  return count;
}

}  // namespace

bool same_file(int left, int right) {
  struct stat one{};
  struct stat other{};
  return ::fstat(left, &one) == 0 && ::fstat(right, &other) == 0 && S_ISREG(one.st_mode) && one.st_dev == other.st_dev &&
         one.st_ino == other.st_ino;
}

Result<FileDescriptor> open_tasks(const std::string& path, const process::ProcessSetup& setup) {
  if (path == "-" && setup.was_closed(STDIN_FILENO)) {
    return failure("cannot read tasks from stdin: it is closed; name a file with tasks");
  }
  FileDescriptor file(path == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                  : ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (!file) {
    return system_failure(path == "-" ? "cannot read tasks from stdin" : fmt::format("cannot open tasks '{}'", path), errno);
  }
  char nothing = 0;
  if (::read(file.get(), &nothing, 0) != 0) {  // A directory can be opened, and not read.
    return system_failure(fmt::format("cannot read tasks from '{}'", path), errno);
  }
  return file;
}

Result<FileDescriptor> open_results(const ResultsPlace& place, const FileDescriptor& tasks, const process::ProcessSetup& setup) {
  const std::string& path = place.path;
  if (path.empty() && setup.was_closed(STDOUT_FILENO)) {
    return failure("cannot write results to stdout: it is closed; name a file with -o");
  }
  constexpr mode_t mode = 0666;
  FileDescriptor file(path.empty() ? ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
                                   : ::open(path.c_str(), O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, mode));
  if (!file) {
    if (errno == ENXIO) {
      return failure(fmt::format("cannot open '{}' for the results: nobody reads this FIFO", path));
    }
    return system_failure(path.empty() ? "cannot write results to stdout" : fmt::format("cannot open '{}' for the results", path),
                          errno);
  }
  if (same_file(file.get(), tasks.get())) {
    return failure("tasks and results are the same file: the results would overwrite tasks that are not read yet");
  }
  struct stat status{};
  if (place.kept && !path.empty() && ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode)) {
    FileDescriptor both(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOCTTY));
    return both && same_file(both.get(), file.get())
               ? Result<FileDescriptor>(std::move(both))
               : system_failure(fmt::format("cannot read '{}', the results so far", path), errno);
  }
  if (!path.empty() && ::ftruncate(file.get(), 0) != 0 && errno != EINVAL) {  // EINVAL: a FIFO or a device.
    return system_failure(fmt::format("cannot empty '{}' for the results", path), errno);
  }
  return file;
}

Result<FileDescriptor> open_client(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0) {
    return system_failure(fmt::format("cannot serve a client at descriptor {}", fd), errno);
  }
  FileDescriptor copy(type == SOCK_STREAM ? ::fcntl(fd, F_DUPFD_CLOEXEC, 3) : -1);
  if (!copy) {
    return failure(fmt::format("cannot serve a client at descriptor {}: a stream socket is needed", fd));
  }
  if (fd > STDERR_FILENO) {
    ::close(fd);  // No worker shall inherit it.
  }
  return copy;
}

std::size_t longest_argument(const std::vector<std::string>& command) {
  constexpr std::size_t of_one = 131'071;  // MAX_ARG_STRLEN, without its NUL.
  constexpr std::size_t room = std::size_t{16} * 1024;
  std::size_t taken = room;
  std::size_t places = 0;
  std::size_t longest = of_one;
  for (const std::string& word : command) {
    const std::size_t here = occurrences(word, "{}");
    taken += word.size() + 1 + sizeof(char*);
    places += here;
    if (here > 0) {
      longest = std::min(longest, (of_one - std::min(of_one, word.size() + room / 16)) / here);
    }
  }
  for (char** variable = environ; *variable != nullptr; ++variable) {
    taken += std::string_view(*variable).size() + 1 + sizeof(char*);
  }
  const auto all = static_cast<std::size_t>(std::max(0L, ::sysconf(_SC_ARG_MAX)));
  return std::min(longest, (all - std::min(all, taken)) / std::max<std::size_t>(1, places));
}

}  // namespace corral::cli
