#include "supervisor/shell/logs/rotation.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "supervisor/shell/logs/marks.hpp"

namespace corral::logs {
namespace {

bool is_there(int folder, const std::string& name) {
  struct stat status{};
  return ::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

void remove_older(int folder, const std::string& name, std::uint32_t number) {
  for (const bool compressed : {false, true}) {
    ::unlinkat(folder, older_name(name, number, compressed).c_str(), 0);
  }
  ::unlinkat(folder, marks_name(older_name(name, number, false)).c_str(), 0);
}

/// The times of its lines move on with a file.
void move_marks(int folder, const std::string& from, const std::string& to) {
  ::renameat(folder, marks_name(from).c_str(), folder, marks_name(to).c_str());
}

bool exists(int folder, const std::string& name, std::uint32_t number) {
  return is_there(folder, older_name(name, number, false)) || is_there(folder, older_name(name, number, true));
}

void move_on(int folder, const std::string& name, std::uint32_t number) {
  const bool has_compressed = is_there(folder, older_name(name, number, true));
  if (has_compressed) {
    // Beside it the file that it was made from would be shown twice: somebody was killed between the two.
    ::unlinkat(folder, older_name(name, number, false).c_str(), 0);
  }
  ::renameat(folder, older_name(name, number, has_compressed).c_str(), folder,
             older_name(name, number + 1, has_compressed).c_str());
  move_marks(folder, older_name(name, number, false), older_name(name, number + 1, false));
}

}  // namespace

std::mutex& names_in_motion() {
  static auto* const mutex = new std::mutex;  // Never destroyed: a thread that hangs in the kernel may outlive main.
  return *mutex;
}

std::string older_name(const std::string& name, std::uint32_t number, bool compressed) {
  return name + "." + std::to_string(number) + (compressed ? ".gz" : "");
}

Result<void> put_aside(int folder, const std::string& name, std::uint32_t keep) {
  const std::lock_guard lock(names_in_motion());
  if (keep == 0) {
    return ::unlinkat(folder, name.c_str(), 0) == 0 || errno == ENOENT ? Result<void>{}
                                                                       : system_failure("cannot remove '" + name + "'", errno);
  }
  std::uint32_t gap = 1;
  while (gap <= keep && exists(folder, name, gap)) {
    ++gap;
  }
  for (std::uint32_t beyond = gap > keep ? keep : keep + 1; exists(folder, name, beyond); ++beyond) {
    remove_older(folder, name, beyond);
  }
  for (std::uint32_t number = std::min(gap, keep); number > 1; --number) {
    move_on(folder, name, number - 1);
  }
  if (::renameat(folder, name.c_str(), folder, older_name(name, 1, false).c_str()) != 0 && errno != ENOENT) {
    return system_failure("cannot rename '" + name + "'", errno);
  }
  move_marks(folder, name, older_name(name, 1, false));
  return {};
}

}  // namespace corral::logs
