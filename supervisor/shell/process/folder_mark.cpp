#include "supervisor/shell/process/folder_mark.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <memory>

namespace corral::process {
namespace {

struct flock at(off_t place, short kind) {
  struct flock lock{};
  lock.l_type = kind;
  lock.l_whence = SEEK_SET;
  lock.l_start = place;
  lock.l_len = 1;
  return lock;
}

off_t place_of(std::string_view identity) {
  constexpr int hexadecimal = 16;
  std::uint64_t number = 0;
  std::from_chars(identity.data(), identity.data() + identity.size(), number, hexadecimal);
  return static_cast<off_t>(number >> 2U);  // Its end is still an offset.
}

}  // namespace

FolderMark::FolderMark(const std::string& config_path, std::string_view identity) : place_(place_of(identity)) {
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(config_path.c_str(), nullptr), &std::free);
  if (!real) {
    return;
  }
  const std::string_view path(real.get());
  const std::string folder(path.substr(0, path.rfind('/') + 1));
  folder_ = FileDescriptor(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // A turn takes a millisecond or two. Whoever holds it longer is not one of us, and is not waited for.
  constexpr int looks = 50;
  constexpr timespec pause{0, 2'000'000};
  for (int look = 0; look < looks && folder_ && flock(folder_.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK; ++look) {
    nanosleep(&pause, nullptr);
  }
}

FolderMark::Others FolderMark::set() {
  struct flock mine = at(place_, F_RDLCK);
  struct flock of_others = at(place_, F_WRLCK);
  if (!folder_ || fcntl(folder_.get(), F_OFD_SETLK, &mine) != 0 || fcntl(folder_.get(), F_OFD_GETLK, &of_others) != 0) {
    return Others::unknown;
  }
  return of_others.l_type == F_UNLCK ? Others::none : Others::some;
}

void FolderMark::end_turn() {
  if (folder_) {
    flock(folder_.get(), LOCK_UN);
  }
}

}  // namespace corral::process
