#include "supervisor/shell/process/identity_mark.hpp"

#include <fcntl.h>

#include <charconv>

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

IdentityMark::IdentityMark(std::string_view identity)
    : root_(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)), place_(place_of(identity)) {
  struct flock mine = at(place_, F_RDLCK);
  if (root_ && fcntl(root_.get(), F_OFD_SETLK, &mine) != 0) {
    root_.reset();
  }
}

IdentityMark::Others IdentityMark::others() const {
  struct flock of_others = at(place_, F_WRLCK);
  if (!root_ || fcntl(root_.get(), F_OFD_GETLK, &of_others) != 0) {
    return Others::unknown;
  }
  return of_others.l_type == F_UNLCK ? Others::none : Others::some;
}

}  // namespace corral::process
