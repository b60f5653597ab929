// One supervisor for a configuration, and nothing left of the one before.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <utility>

#include "common/base/fingerprint.hpp"
#include "supervisor/shell/process/living_supervisor.hpp"
#include "supervisor/shell/process/setup.hpp"
#include "supervisor/shell/process/small_file.hpp"

namespace corral::process {

std::string runtime_directory() {
  const uid_t uid = geteuid();
  if (uid == 0) {
    return "/run/corral";
  }
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  return runtime != nullptr && runtime[0] == '/' ? std::string(runtime) + "/corral" : fmt::format("/tmp/corral-{}", uid);
}

namespace {

/// In /tmp anybody may have made it before us: it must be a directory of our own that nobody else can write.
Result<int> open_lock_directory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return system_failure(fmt::format("cannot make '{}'", path), errno);
  }
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) {
    return system_failure(fmt::format("cannot open '{}'", path), errno);
  }
  struct stat info{};
  if (fstat(fd, &info) != 0 || info.st_uid != geteuid() || (info.st_mode & 0022) != 0) {
    close(fd);
    return failure(fmt::format("cannot trust '{}': it belongs to somebody else or others can write to it", path));
  }
  if ((info.st_mode & 0077) != 0) {
    static_cast<void>(fchmod(fd, 0700));  // What lies in it is nobody else's to look at either.
  }
  return fd;
}

}  // namespace

Result<void> make_runtime_directory() {
  const Result<int> directory = open_lock_directory(runtime_directory());
  if (!directory) {
    return std::unexpected(directory.error());
  }
  close(*directory);
  return {};
}

/// Of a supervisor that was killed the lock is held a moment longer: by its guardian, until that has killed what it left; and
/// where that was in the middle of a launch by the process that it was making, which shared its descriptors and has yet to notice
/// that its parent is dead.
static bool lock_soon(int file) {
  constexpr int looks = 50;
  constexpr int looks_after_a_death = 50 * 60;
  constexpr timespec pause{0, 2'000'000};
  for (int look = 0;; ++look) {
    if (flock(file, LOCK_EX | LOCK_NB) == 0) {
      return true;
    }
    std::array<char, 32> text{};
    const bool owner_lives =
        pread(file, text.data(), text.size() - 1, 0) <= 0 || kill(pid_in(text.data()), 0) == 0 || errno == EPERM;
    if (look >= (owner_lives ? looks : looks_after_a_death)) {
      return false;
    }
    nanosleep(&pause, nullptr);
  }
}

std::string fresh_identity() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return fmt::format("{:016x}", fingerprint(fmt::format("{}.{}.{}", getpid(), now.tv_sec, now.tv_nsec)));
}

Result<std::string> identity_of(const std::string& config_path) {
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(config_path.c_str(), nullptr), &std::free);
  if (!real) {
    return system_failure(fmt::format("cannot find '{}'", config_path), errno);
  }
  return fmt::format("{:016x}", fingerprint(fmt::format("{}\n{}", getuid(), real.get())));
}

/// Who else supervises this identity, of those that can be found. 0 for nobody.
static pid_t find_another(std::string_view identity, const IdentityMark& mark) {
  // Of two that begin at once, known by their locks alone, the one with the higher number gives way as soon as it sees the other.
  // Where it has looked before the other left its mark it goes on: then it is there after this time too, and the other gives way.
  constexpr int looks = 50;
  constexpr timespec pause{0, 4'000'000};
  pid_t begins = 0;
  for (int look = 0; look < looks && mark.others() != IdentityMark::Others::none; ++look) {
    LivingSupervisors living(identity);
    if (const pid_t found = living.any(); found != 0 || mark.others() == IdentityMark::Others::unknown) {
      return found;
    }
    begins = living.any_that_begins();
    if (begins < getpid()) {
      return begins;
    }
    nanosleep(&pause, nullptr);
  }
  return mark.others() == IdentityMark::Others::none ? 0 : begins;
}

Result<InstanceLock> InstanceLock::acquire(std::string_view identity, std::string_view config_path) {
  Result<InstanceLock> lock = take(identity, config_path);
  if (lock) {
    // The lock first: whoever sees the mark finds it.
    lock->identity_mark_ = IdentityMark(identity);
    lock->elsewhere_ = find_another(identity, lock->identity_mark_);
  }
  return lock;
}

Result<InstanceLock> InstanceLock::take(std::string_view identity, std::string_view config_path) {
  InstanceLock lock;
  lock.identity_ = identity;
  const auto directory = open_lock_directory(runtime_directory());
  const std::string name = lock_name(identity);
  if (!directory) {
    lock.mark_ = memfd_create(name.c_str(), MFD_CLOEXEC);
    lock.notice_ = directory.error().message + "; a second supervisor of this configuration might not be noticed";
    return lock;
  }
  lock.directory_ = *directory;
  for (;;) {
    bool existed = true;
    lock.file_ = openat(lock.directory_, name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
    if (lock.file_ < 0 && errno == ENOENT) {
      existed = false;
      lock.file_ = openat(lock.directory_, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600);
      if (lock.file_ < 0 && errno == EEXIST) {
        continue;
      }
    }
    if (lock.file_ < 0) {
      lock.mark_ = memfd_create(name.c_str(), MFD_CLOEXEC);
      lock.notice_ = system_error(fmt::format("cannot open '{}/{}'", runtime_directory(), name), errno).message +
                     "; a second supervisor of this configuration might not be noticed";
      return lock;
    }
    if (!lock_soon(lock.file_)) {
      const std::string owner = read_small_file(name.c_str(), lock.directory_).value_or("");
      return failure(fmt::format("already running as pid {} for '{}'", pid_in(owner), config_path));
    }
    // Its last owner may have removed it between our open and our lock.
    struct stat held{};
    struct stat named{};
    if (fstat(lock.file_, &held) == 0 && fstatat(lock.directory_, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
        held.st_ino == named.st_ino && held.st_dev == named.st_dev) {
      lock.unclean_ = existed;
      break;
    }
    close(std::exchange(lock.file_, -1));
  }
  lock.write(fmt::format("{}\n", getpid()));
  return lock;
}

void InstanceLock::note(std::string_view socket, std::string_view config) {
  if (file_ >= 0) {
    write(fmt::format("{}\n{}\n{}\n", getpid(), socket, config));
  }
}

void InstanceLock::write(const std::string& text) {
  // Not emptied first: ext4 would write a file that was emptied to the disk, and the end would wait for that.
  if (pwrite(file_, text.data(), text.size(), 0) < 0 || ftruncate(file_, static_cast<off_t>(text.size())) != 0) {
    notice_ = system_error(fmt::format("cannot write '{}/{}.lock'", runtime_directory(), identity_), errno).message;
  }
}

InstanceLock::InstanceLock(InstanceLock&& other) noexcept
    : directory_(std::exchange(other.directory_, -1)),
      file_(std::exchange(other.file_, -1)),
      mark_(std::exchange(other.mark_, -1)),
      identity_mark_(std::move(other.identity_mark_)),
      elsewhere_(other.elsewhere_),
      unclean_(other.unclean_),
      identity_(std::move(other.identity_)),
      notice_(std::move(other.notice_)) {}

InstanceLock& InstanceLock::operator=(InstanceLock&& other) noexcept {
  std::swap(directory_, other.directory_);
  std::swap(file_, other.file_);
  std::swap(mark_, other.mark_);
  std::swap(identity_mark_, other.identity_mark_);
  std::swap(elsewhere_, other.elsewhere_);
  std::swap(unclean_, other.unclean_);
  std::swap(identity_, other.identity_);
  std::swap(notice_, other.notice_);
  return *this;
}

InstanceLock::~InstanceLock() {
  for (const int fd : {file_, mark_, directory_}) {
    if (fd >= 0) {
      close(fd);
    }
  }
}

void InstanceLock::release() {
  if (file_ >= 0) {
    unlinkat(directory_, lock_name(identity_).c_str(), 0);
    close(std::exchange(file_, -1));
  }
}

}  // namespace corral::process
